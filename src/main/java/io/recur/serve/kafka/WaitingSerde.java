package io.recur.serve.kafka;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a record that waits, big-endian: a version, number, time, timestamp, offset,
 * partition, topic, headers, key and value. Texts and bytes have their length before them, -1 for
 * none.
 */
record WaitingSerde<K, V>(Serde<K> keys, Serde<V> values) implements Serde<WaitingRecord<K, V>> {
  private static final byte VERSION = 1;

  @Override
  public Serializer<WaitingRecord<K, V>> serializer() {
    return (topic, waiting) -> waiting == null ? null : bytes(topic, waiting);
  }

  @Override
  public Deserializer<WaitingRecord<K, V>> deserializer() {
    return (topic, bytes) -> bytes == null ? null : waiting(topic, bytes);
  }

  private byte[] bytes(String topic, WaitingRecord<K, V> waiting) {
    Record<K, V> record = waiting.record();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeLong(waiting.number());
      out.writeLong(waiting.time());
      out.writeLong(record.timestamp());
      out.writeLong(waiting.offset());
      out.writeInt(waiting.partition());
      write(out, waiting.topic().getBytes(StandardCharsets.UTF_8));
      Header[] headers = record.headers().toArray();
      out.writeInt(headers.length);
      for (Header header : headers) {
        write(out, header.key().getBytes(StandardCharsets.UTF_8));
        write(out, header.value());
      }
      write(out, keys.serializer().serialize(topic, record.headers(), record.key()));
      V value = record.value();
      write(
          out,
          value == null ? null : values.serializer().serialize(topic, record.headers(), value));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // in memory there is none
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, byte @Nullable [] part) throws IOException {
    out.writeInt(part == null ? -1 : part.length);
    if (part != null) {
      out.write(part);
    }
  }

  private WaitingRecord<K, V> waiting(String topic, byte[] bytes) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      byte version = in.readByte();
      if (version != VERSION) {
        throw new SerializationException(
            "waiting: topic=%s, version=%d; this build reads %d: let the application that wrote it"
                    .formatted(topic, version, VERSION)
                + " step what waits, or reset it");
      }
      long number = in.readLong();
      long time = in.readLong();
      long timestamp = in.readLong();
      long offset = in.readLong();
      int partition = in.readInt();
      String from = text(in);
      Headers headers = new RecordHeaders();
      for (int count = in.readInt(); count > 0; count--) {
        headers.add(text(in), read(in));
      }
      K key = keys.deserializer().deserialize(topic, headers, read(in));
      byte[] value = read(in);
      V its = value == null ? null : values.deserializer().deserialize(topic, headers, value);
      return new WaitingRecord<>(
          number, time, new Record<>(key, its, timestamp, headers), from, partition, offset);
    } catch (IOException e) {
      throw new SerializationException(
          "waiting: topic=%s, bytes=%d; a part is cut off".formatted(topic, bytes.length), e);
    }
  }

  private static String text(DataInputStream in) throws IOException {
    return new String(read(in), StandardCharsets.UTF_8);
  }

  private static byte @Nullable [] read(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length > in.available()) {
      throw new EOFException();
    }
    return length < 0 ? null : in.readNBytes(length);
  }
}

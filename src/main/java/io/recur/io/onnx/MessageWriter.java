package io.recur.io.onnx;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes one message in the wire format of protobuf: fields of integers, floats, texts, bytes and
 * messages, in the order of the calls. Long bytes are not copied, so that a message takes little
 * memory beside the weights in it.
 */
final class MessageWriter {
  private static final int VARINT = 0;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  /** Fewer bytes than this are copied: a part each would be a write to the file each. */
  private static final int COPIED = 4096;

  /** What is complete, and behind it what is being written. */
  private final List<byte[]> parts = new ArrayList<>();

  private final ByteArrayOutputStream last = new ByteArrayOutputStream();
  private long length;

  MessageWriter integer(int field, long value) {
    key(field, VARINT);
    varint(value);
    return this;
  }

  MessageWriter real(int field, float value) {
    key(field, FIXED32);
    int bits = Float.floatToRawIntBits(value);
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      put(bits >>> shift);
    }
    return this;
  }

  MessageWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Takes the array, which must not change any more. */
  MessageWriter bytes(int field, byte[] value) {
    key(field, BYTES);
    varint(value.length);
    append(value);
    return this;
  }

  /** Takes a message, which must not change any more. */
  MessageWriter message(int field, MessageWriter value) {
    key(field, BYTES);
    varint(value.length);
    value.complete().forEach(this::append);
    return this;
  }

  /** {@return the number of bytes} */
  long length() {
    return length;
  }

  /** {@return the bytes} */
  byte[] toBytes() {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(length));
    complete().forEach(all::put);
    return all.array();
  }

  /** Writes the bytes to a file. */
  void writeTo(FileChannel channel) throws IOException {
    for (byte[] part : complete()) {
      ByteBuffer bytes = ByteBuffer.wrap(part);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
  }

  private List<byte[]> complete() {
    if (last.size() > 0) {
      parts.add(last.toByteArray());
      last.reset();
    }
    return parts;
  }

  private void append(byte[] bytes) {
    if (bytes.length < COPIED) {
      last.writeBytes(bytes);
    } else {
      complete();
      parts.add(bytes);
    }
    length += bytes.length;
  }

  private void key(int field, int kind) {
    varint((long) field << 3 | kind);
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      put((int) (rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    put((int) rest);
  }

  private void put(int value) {
    last.write(value);
    length++;
  }
}

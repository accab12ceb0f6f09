package io.recur.serve.kafka;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes floats as 4 bytes each, little-endian, without a header; null as null.
 *
 * <pre>{@code
 * byte[] bytes = new FloatsSerde().serializer().serialize("readings", new float[] {1, 2});
 * }</pre>
 */
public final class FloatsSerde implements Serde<float[]> {
  /** Writes and reads floats. */
  public FloatsSerde() {}

  /** One, for whom must not load this class before it is called. */
  static Serde<float[]> serde() {
    return new FloatsSerde();
  }

  @Override
  public Serializer<float[]> serializer() {
    return (topic, values) -> bytes(values);
  }

  @Override
  public Deserializer<float[]> deserializer() {
    return (topic, bytes) -> floats(topic, bytes);
  }

  private static byte @Nullable [] bytes(float @Nullable [] values) {
    if (values == null) {
      return null;
    }
    byte[] bytes = new byte[Math.multiplyExact(Float.BYTES, values.length)];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return bytes;
  }

  private static float @Nullable [] floats(String topic, byte @Nullable [] bytes) {
    if (bytes == null) {
      return null;
    }
    if (bytes.length % Float.BYTES != 0) {
      throw new SerializationException(
          "floats: topic=%s, bytes=%d; need a multiple of 4".formatted(topic, bytes.length));
    }
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}

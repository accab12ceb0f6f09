package io.recur.io.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads tensors of a file: {@code TensorProto} of onnx.proto. What it says of its sizes is compared
 * with what it holds before an array is made.
 */
final class TensorReader {
  private static final int EXTERNAL = 1;

  private final ForeignData external;

  TensorReader(ForeignData external) {
    this.external = external;
  }

  /** A tensor with its name. */
  record Named(String name, Value value) {}

  /** What a message holds, before it is understood. */
  private static final class Parts {
    String name = "";
    long type;
    long location;
    boolean isSegment;
    boolean hasTexts;
    final Wire.Numbers dims = new Wire.Numbers();
    final Wire.Numbers floats = new Wire.Numbers();
    final Wire.Numbers doubles = new Wire.Numbers();
    final Wire.Numbers integers = new Wire.Numbers();
    @Nullable ByteBuffer raw;
    final Map<String, String> external = new HashMap<>();
  }

  /** Reads a tensor. */
  Named read(Wire wire) throws IOException {
    Parts parts = parts(wire);
    try {
      return new Named(parts.name, value(parts));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "tensor %s: %s".formatted(Wire.shown(parts.name), e.getMessage()), e);
    }
  }

  private static Parts parts(Wire wire) {
    Parts parts = new Parts();
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> wire.wholes(parts.dims);
        case 2 -> parts.type = wire.whole();
        case 3 -> {
          parts.isSegment = true;
          wire.skip();
        }
        case 4 -> wire.fixed(4, parts.floats);
        case 5, 7, 11 -> wire.wholes(parts.integers);
        case 6 -> {
          parts.hasTexts = true;
          wire.skip();
        }
        case 8 -> parts.name = wire.text();
        case 9 -> parts.raw = wire.part();
        case 10 -> wire.fixed(8, parts.doubles);
        case 13 -> entry(wire.message(), parts.external);
        case 14 -> parts.location = wire.whole();
        default -> wire.skip();
      }
    }
    return parts;
  }

  private static void entry(Wire wire, Map<String, String> entries) {
    String key = "";
    String value = "";
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> key = wire.text();
        case 2 -> value = wire.text();
        default -> wire.skip();
      }
    }
    entries.put(key, value);
  }

  private Value value(Parts parts) throws IOException {
    ElementType type = ElementType.of(parts.type);
    if (parts.isSegment || parts.hasTexts || type.bytes() == 0) {
      throw new IllegalArgumentException(
          "type=%s%s; need a whole tensor of floats, integers or booleans"
              .formatted(type, parts.isSegment ? ", a segment" : ""));
    }
    Dims dims = dims(parts.dims);
    if (parts.location != 0 && parts.location != EXTERNAL) {
      throw new IllegalArgumentException("data_location=%d; need 0 or 1".formatted(parts.location));
    }
    long bytes = (long) dims.count() * type.bytes();
    if (parts.location == EXTERNAL) {
      return raw(type, dims, external.read(parts.external, bytes));
    }
    if (parts.raw != null) {
      return raw(type, dims, parts.raw);
    }
    return typed(type, dims, parts);
  }

  private static Dims dims(Wire.Numbers numbers) {
    int[] sizes = new int[numbers.size()];
    for (int i = 0; i < sizes.length; i++) {
      if (numbers.at(i) < 0 || numbers.at(i) > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "size %d of dimension %d; need 0 to %d".formatted(numbers.at(i), i, Integer.MAX_VALUE));
      }
      sizes[i] = (int) numbers.at(i);
    }
    return Dims.of(sizes);
  }

  private static Value raw(ElementType type, Dims dims, ByteBuffer raw) {
    ByteBuffer bytes = raw.order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() != (long) dims.count() * type.bytes()) {
      throw new IllegalArgumentException(
          "%s%s has %d bytes; need %d"
              .formatted(type, dims, bytes.remaining(), (long) dims.count() * type.bytes()));
    }
    if (!type.isFloat()) {
      long[] values = new long[dims.count()];
      for (int i = 0; i < values.length; i++) {
        values[i] = type.integer(bytes);
      }
      return new Value.Integers(type, dims, values);
    }
    float[] values = new float[dims.count()];
    if (type == ElementType.FLOAT) {
      bytes.asFloatBuffer().get(values);
    } else {
      for (int i = 0; i < values.length; i++) {
        values[i] = type.real(bytes);
      }
    }
    return new Value.Reals(dims, values);
  }

  /** Values in the field for their type; those of 16 bits are the bits of an integer. */
  private static Value typed(ElementType type, Dims dims, Parts parts) {
    Wire.Numbers numbers =
        switch (type) {
          case FLOAT -> parts.floats;
          case DOUBLE -> parts.doubles;
          default -> parts.integers;
        };
    if (numbers.size() != dims.count()) {
      throw new IllegalArgumentException(
          "%s%s has %d values; need %d".formatted(type, dims, numbers.size(), dims.count()));
    }
    if (!type.isFloat()) {
      long[] values = numbers.toArray();
      for (int i = 0; i < values.length; i++) {
        values[i] = type.narrow(values[i]);
      }
      return new Value.Integers(type, dims, values);
    }
    float[] values = new float[dims.count()];
    for (int i = 0; i < values.length; i++) {
      long bits = numbers.at(i);
      values[i] =
          switch (type) {
            case FLOAT -> Float.intBitsToFloat((int) bits);
            case DOUBLE -> (float) Double.longBitsToDouble(bits);
            case FLOAT16 -> Float.float16ToFloat((short) bits);
            default -> Float.intBitsToFloat((int) bits << 16);
          };
    }
    return new Value.Reals(dims, values);
  }
}

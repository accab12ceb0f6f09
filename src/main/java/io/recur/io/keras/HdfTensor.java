package io.recur.io.keras;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A tensor of an HDF5 file, the last dimension contiguous.
 *
 * @param data the elements in their own byte order
 */
record HdfTensor(int[] sizes, Type type, String typeName, ByteBuffer data) {
  /** The element types that become floats, and any other one. */
  enum Type {
    F16(2),
    BF16(2),
    F32(4),
    F64(8),
    OTHER(0);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }

  boolean isFloat() {
    return type != Type.OTHER;
  }

  /** {@return the values as float32, in a new array} */
  float[] values() {
    ByteBuffer from = data.duplicate().order(data.order());
    float[] values = new float[from.remaining() / type.bytes];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case F16 -> Float.float16ToFloat(from.getShort());
            case BF16 -> Float.intBitsToFloat(from.getShort() << 16);
            case F32 -> from.getFloat();
            case F64 -> (float) from.getDouble();
            case OTHER -> throw new IllegalStateException(typeName);
          };
    }
    return values;
  }

  static String shown(int... sizes) {
    return Arrays.stream(sizes)
        .mapToObj(size -> size < 0 ? "any" : Integer.toString(size))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  @Override
  public String toString() {
    return typeName + shown(sizes);
  }
}

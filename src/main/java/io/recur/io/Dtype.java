package io.recur.io;

import java.nio.ByteBuffer;

/**
 * The element type of a tensor in a safetensors file. A file may hold tensors of every type. {@link
 * StoredTensor#values} reads the types of {@link #isFloat} as {@code float}, {@link
 * StoredTensor#integers} reads those of {@link #isInteger} as {@code long}.
 *
 * <pre>{@code
 * boolean halves = file.tensors().get("W").dtype() == Dtype.F16;
 * }</pre>
 */
public enum Dtype {
  /** Boolean, one byte. */
  BOOL(8),
  /** Four-bit floating point, two elements per byte. */
  F4(4),
  /** Six-bit floating point. */
  F6_E2M3(6),
  /** Six-bit floating point with a larger range. */
  F6_E3M2(6),
  /** Unsigned byte. */
  U8(8),
  /** Signed byte. */
  I8(8),
  /** Eight-bit floating point. */
  F8_E5M2(8),
  /** Eight-bit floating point with a smaller range. */
  F8_E4M3(8),
  /** Eight-bit exponent alone. */
  F8_E8M0(8),
  /** Signed 16-bit integer. */
  I16(16),
  /** Unsigned 16-bit integer. */
  U16(16),
  /** IEEE half precision. */
  F16(16),
  /** The upper half of a float32. */
  BF16(16),
  /** Signed 32-bit integer. */
  I32(32),
  /** Unsigned 32-bit integer. */
  U32(32),
  /** IEEE single precision, as a {@code float}. */
  F32(32),
  /** Two float32, real and imaginary part. */
  C64(64),
  /** IEEE double precision. */
  F64(64),
  /** Signed 64-bit integer. */
  I64(64),
  /** Unsigned 64-bit integer. */
  U64(64);

  private final int bits;

  Dtype(int bits) {
    this.bits = bits;
  }

  /** {@return the size of one element in bits} */
  public int bits() {
    return bits;
  }

  /** {@return whether elements are read as float32: true for F32, F16, BF16 and, rounded, F64} */
  public boolean isFloat() {
    return this == F32 || this == F16 || this == BF16 || this == F64;
  }

  /** {@return whether elements are read as long: true for BOOL and all integer types except U64} */
  public boolean isInteger() {
    return switch (this) {
      case BOOL, U8, I8, I16, U16, I32, U32, I64 -> true;
      default -> false;
    };
  }

  /** Reads all remaining little-endian elements into {@code values} from index 0. */
  void floats(ByteBuffer bytes, float[] values) {
    int count = bytes.remaining() / (bits / 8);
    if (this == F32) {
      bytes.asFloatBuffer().get(values, 0, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (this) {
            case F16 -> Float.float16ToFloat(bytes.getShort());
            case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
            case F64 -> (float) bytes.getDouble();
            default -> throw new IllegalStateException(this + " is no float");
          };
    }
  }

  /** Writes a value, rounded to the nearest one of this type of floats. */
  void put(ByteBuffer bytes, float value) {
    switch (this) {
      case F32 -> bytes.putFloat(value);
      case F16 -> bytes.putShort(Float.floatToFloat16(value));
      case BF16 -> bytes.putShort(upperHalf(value));
      case F64 -> bytes.putDouble(value);
      default -> throw new IllegalStateException(this + " is no float");
    }
  }

  /** Rounds to the nearest BF16, of two equally near ones to the even one. */
  private static short upperHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40); // or rounding could make an infinity of it
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /** Reads all remaining little-endian elements into {@code values} from index {@code at}. */
  void integers(ByteBuffer bytes, long[] values, int at) {
    for (int i = at; bytes.hasRemaining(); i++) {
      values[i] =
          switch (this) {
            case BOOL, U8 -> Byte.toUnsignedLong(bytes.get());
            case I8 -> bytes.get();
            case I16 -> bytes.getShort();
            case U16 -> Short.toUnsignedLong(bytes.getShort());
            case I32 -> bytes.getInt();
            case U32 -> Integer.toUnsignedLong(bytes.getInt());
            case I64 -> bytes.getLong();
            default -> throw new IllegalStateException(this + " is no integer");
          };
    }
  }
}

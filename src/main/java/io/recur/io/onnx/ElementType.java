package io.recur.io.onnx;

import java.nio.ByteBuffer;

/**
 * The element types of ONNX. Those of {@link #isFloat} become float32, those of {@link #isInteger}
 * a {@code long} each; the others are refused.
 *
 * <pre>{@code
 * boolean isRead = ElementType.BFLOAT16.isFloat();
 * }</pre>
 */
public enum ElementType {
  /** The file names no type. */
  UNDEFINED(0),
  /** IEEE single precision. */
  FLOAT(4),
  /** Unsigned byte. */
  UINT8(1),
  /** Signed byte. */
  INT8(1),
  /** Unsigned 16-bit integer. */
  UINT16(2),
  /** Signed 16-bit integer. */
  INT16(2),
  /** Signed 32-bit integer. */
  INT32(4),
  /** Signed 64-bit integer. */
  INT64(8),
  /** Text. */
  STRING(0),
  /** Boolean, one byte. */
  BOOL(1),
  /** IEEE half precision. */
  FLOAT16(2),
  /** IEEE double precision. */
  DOUBLE(8),
  /** Unsigned 32-bit integer. */
  UINT32(4),
  /** Unsigned 64-bit integer, of which those below 2⁶³ are read. */
  UINT64(8),
  /** Two float32. */
  COMPLEX64(0),
  /** Two doubles. */
  COMPLEX128(0),
  /** The upper half of a float32. */
  BFLOAT16(2);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** {@return the bytes of one element; 0 for a type that is not read} */
  public int bytes() {
    return bytes;
  }

  /** {@return whether elements are read as float32; DOUBLE is rounded} */
  public boolean isFloat() {
    return this == FLOAT || this == FLOAT16 || this == DOUBLE || this == BFLOAT16;
  }

  /** {@return whether elements are read as long; BOOL gives 0 and 1} */
  public boolean isInteger() {
    return bytes > 0 && !isFloat();
  }

  /**
   * The type of a number in a file.
   *
   * @param number as onnx.proto counts the types
   * @return the type
   * @throws IllegalArgumentException if no type has this number
   */
  static ElementType of(long number) {
    ElementType[] all = values();
    if (number < 0 || number >= all.length) {
      throw new IllegalArgumentException(
          "element type %d; need one of %s to %s".formatted(number, FLOAT, BFLOAT16));
    }
    return all[(int) number];
  }

  /** Returns an integer as this type holds it: its lowest bits; for BOOL, 1 unless it is 0. */
  long narrow(long value) {
    return switch (this) {
      case BOOL -> value == 0 ? 0 : 1;
      case UINT8 -> value & 0xff;
      case INT8 -> (byte) value;
      case UINT16 -> value & 0xffff;
      case INT16 -> (short) value;
      case UINT32 -> value & 0xffffffffL;
      case INT32 -> (int) value;
      default -> value;
    };
  }

  /** Reads one element; the type is one of floats. */
  float real(ByteBuffer bytes) {
    return switch (this) {
      case FLOAT -> bytes.getFloat();
      case DOUBLE -> (float) bytes.getDouble();
      case FLOAT16 -> Float.float16ToFloat(bytes.getShort());
      case BFLOAT16 -> Float.intBitsToFloat(bytes.getShort() << 16);
      default -> throw new IllegalStateException(this + " is no float");
    };
  }

  /** Reads one element; the type is one of integers. */
  long integer(ByteBuffer bytes) {
    return switch (this) {
      case BOOL -> bytes.get() == 0 ? 0 : 1;
      case UINT8 -> Byte.toUnsignedLong(bytes.get());
      case INT8 -> bytes.get();
      case UINT16 -> Short.toUnsignedLong(bytes.getShort());
      case INT16 -> bytes.getShort();
      case UINT32 -> Integer.toUnsignedLong(bytes.getInt());
      case INT32 -> bytes.getInt();
      case UINT64, INT64 -> bytes.getLong();
      default -> throw new IllegalStateException(this + " is no integer");
    };
  }
}

package io.recur.serve.http;

import io.recur.io.json.Json;
import java.nio.ByteBuffer;

/** The types of tensors that the protocol names, less BYTES, which are texts. */
enum Datatype {
  BOOL(1, true),
  UINT8(1, true),
  UINT16(2, true),
  UINT32(4, true),
  UINT64(8, true),
  INT8(1, true),
  INT16(2, true),
  INT32(4, true),
  INT64(8, true),
  FP16(2, false),
  BF16(2, false),
  FP32(4, false),
  FP64(8, false);

  /** Of a value. */
  final int bytes;

  final boolean isWhole;

  Datatype(int bytes, boolean isWhole) {
    this.bytes = bytes;
    this.isWhole = isWhole;
  }

  /** The type of a name. */
  static Datatype of(Object name) {
    for (Datatype type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    throw new Refusal(
        Refusal.BAD,
        "input: datatype=%s; need FP32, FP64, FP16, BF16, or a whole type for symbols"
            .formatted(name instanceof String text ? Json.shown(text) : "no text"));
  }

  /** The next value of little-endian bytes; one of 64 bits as a double has it. */
  double next(ByteBuffer from) {
    return switch (this) {
      case BOOL, UINT8 -> from.get() & 0xff;
      case UINT16 -> from.getShort() & 0xffff;
      case UINT32 -> from.getInt() & 0xffff_ffffL;
      case UINT64, INT64 -> from.getLong();
      case INT8 -> from.get();
      case INT16 -> from.getShort();
      case INT32 -> from.getInt();
      case FP16 -> Float.float16ToFloat(from.getShort());
      case BF16 -> Float.intBitsToFloat(from.getShort() << Short.SIZE);
      case FP32 -> from.getFloat();
      case FP64 -> from.getDouble();
    };
  }
}

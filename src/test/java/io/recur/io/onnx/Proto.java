package io.recur.io.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A message of Protocol Buffers, written by Google's library, with what onnx.proto calls its
 * fields.
 */
final class Proto {
  static final int FLOAT = 1;
  static final int INT32 = 6;
  static final int INT64 = 7;

  private final UnknownFieldSet.Builder fields = UnknownFieldSet.newBuilder();

  Proto whole(int field, long value) {
    fields.mergeField(field, Field.newBuilder().addVarint(value).build());
    return this;
  }

  Proto real(int field, float value) {
    fields.mergeField(field, Field.newBuilder().addFixed32(Float.floatToRawIntBits(value)).build());
    return this;
  }

  Proto bytes(int field, ByteString value) {
    fields.mergeField(field, Field.newBuilder().addLengthDelimited(value).build());
    return this;
  }

  Proto text(int field, String... values) {
    for (String value : values) {
      bytes(field, ByteString.copyFromUtf8(value));
    }
    return this;
  }

  Proto message(int field, Proto... values) {
    for (Proto value : values) {
      bytes(field, value.fields.build().toByteString());
    }
    return this;
  }

  byte[] toBytes() {
    return fields.build().toByteArray();
  }

  // What ONNX has.

  static Proto model(int opset, Proto graph) {
    return new Proto().whole(1, 8).message(8, new Proto().whole(2, opset)).message(7, graph);
  }

  static Proto graph(String name) {
    return new Proto().text(2, name);
  }

  Proto nodes(Proto... nodes) {
    return message(1, nodes);
  }

  Proto initialisers(Proto... tensors) {
    return message(5, tensors);
  }

  Proto inputs(Proto... ports) {
    return message(11, ports);
  }

  Proto outputs(Proto... ports) {
    return message(12, ports);
  }

  /** A node; empty names are left out. */
  static Proto node(String type, String inputs, String outputs, Proto... attributes) {
    return new Proto()
        .text(1, inputs.split(" ", -1))
        .text(2, outputs.split(" ", -1))
        .text(3, "the_" + type)
        .text(4, type)
        .message(5, attributes);
  }

  static Proto attribute(String name, long value) {
    return new Proto().text(1, name).whole(3, value).whole(20, 2);
  }

  static Proto attribute(String name, float value) {
    return new Proto().text(1, name).real(2, value).whole(20, 1);
  }

  static Proto attribute(String name, String value) {
    return new Proto().text(1, name).text(4, value).whole(20, 3);
  }

  static Proto attributes(String name, long... values) {
    Proto attribute = new Proto().text(1, name).whole(20, 7);
    for (long value : values) {
      attribute.whole(8, value);
    }
    return attribute;
  }

  static Proto attribute(String name, Proto graph) {
    return new Proto().text(1, name).message(6, graph).whole(20, 5);
  }

  static Proto tensor(String name, Dims dims, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return tensor(name, FLOAT, dims).bytes(9, ByteString.copyFrom(bytes));
  }

  /** A vector of integers. */
  static Proto wholes(String name, long... values) {
    Proto tensor = tensor(name, INT64, Dims.of(values.length));
    for (long value : values) {
      tensor.whole(7, value);
    }
    return tensor;
  }

  /** A tensor without values. */
  static Proto tensor(String name, int type, Dims dims) {
    Proto tensor = new Proto().text(8, name).whole(2, type);
    for (int size : dims.sizes()) {
      tensor.whole(1, size);
    }
    return tensor;
  }

  /** A port; a size that is no number is a name. */
  static Proto port(String name, int type, String... sizes) {
    Proto shape = new Proto();
    for (String size : sizes) {
      boolean isNumber = size.chars().allMatch(Character::isDigit);
      shape.message(
          1, isNumber ? new Proto().whole(1, Long.parseLong(size)) : new Proto().text(2, size));
    }
    return new Proto()
        .text(1, name)
        .message(2, new Proto().message(1, new Proto().whole(1, type).message(2, shape)));
  }
}

package io.recur.peers;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A work's model in ONNX, written field by field: the numbers are those of onnx.proto (IR version
 * 8), operators of opset 14.
 *
 * <p>Input X (time × batch × in), output Y (time × 1 × batch × hidden); for a step at a time also
 * initial_h and initial_c in, Y_h and Y_c out. ONNX orders the gates of an LSTM input, output,
 * forget, cell, those of a GRU update, reset, candidate.
 */
final class OnnxModel {
  private static final int FLOAT = 1;
  private static final int INT64 = 7;
  private static final int ATTRIBUTE_INT = 2;

  private final Work work;
  private final Message graph = new Message();

  private OnnxModel(Work work) {
    this.work = work;
  }

  static byte[] of(Work work) {
    return new OnnxModel(work).model();
  }

  private byte[] model() {
    String x = "X";
    for (int l = 0; l < work.layers(); l++) {
      layer(l, x);
      x = "squeezed" + l;
    }
    graph.text(2, "recur");
    boolean step = work.kind().equals(Work.STEP);
    int time = step ? 1 : work.time();
    graph.message(11, value("X", time, work.batch(), work.in()));
    graph.message(12, value("Y", time, 1, work.batch(), work.hidden()));
    if (step) {
      for (String part : new String[] {"h", "c"}) {
        graph.message(11, value("initial_" + part, 1, work.batch(), work.hidden()));
        graph.message(12, value("Y_" + part, 1, work.batch(), work.hidden()));
      }
    }
    return new Message()
        .number(1, 8)
        .message(7, graph)
        .message(8, new Message().text(1, "").number(2, 14))
        .bytes();
  }

  private void layer(int l, String x) {
    int gates = work.gates();
    int hidden = work.hidden();
    int[] order =
        switch (work.cell()) {
          case "LSTM" -> new int[] {0, 3, 1, 2};
          case "GRU" -> new int[] {1, 0, 2};
          default -> new int[] {0};
        };
    int rows = gates * hidden;
    float[] bias = new float[2 * rows];
    System.arraycopy(Work.blocks(work.array("b" + l), order), 0, bias, 0, rows);
    if (work.cell().equals("GRU")) {
      System.arraycopy(work.array("bh" + l), 0, bias, 2 * rows - hidden, hidden);
    }
    tensor("W" + l, weight("Wi" + l, rows, order), 1, rows, work.in(l));
    tensor("R" + l, weight("Wh" + l, rows, order), 1, rows, hidden);
    tensor("B" + l, bias, 1, 2 * rows);

    boolean last = l == work.layers() - 1;
    Message node = new Message().text(1, x).text(1, "W" + l).text(1, "R" + l).text(1, "B" + l);
    String y = last ? "Y" : "Y" + l;
    if (work.kind().equals(Work.STEP)) {
      node.text(1, "").text(1, "initial_h").text(1, "initial_c");
      node.text(2, y).text(2, "Y_h").text(2, "Y_c");
    } else {
      node.text(2, y);
    }
    node.text(4, work.cell()).message(5, attribute("hidden_size", hidden));
    if (work.cell().equals("GRU")) {
      node.message(5, attribute("linear_before_reset", 1));
    }
    graph.message(1, node);
    if (!last) {
      Message axis = new Message().number(1, 1).number(2, INT64).text(8, "direction" + l);
      graph.message(5, axis.raw(9, longs(1)));
      graph.message(
          1,
          new Message()
              .text(1, y)
              .text(1, "direction" + l)
              .text(2, "squeezed" + l)
              .text(4, "Squeeze"));
    }
  }

  private float[] weight(String name, int rows, int[] order) {
    return Work.blocks(Work.transposed(work.array(name), rows), order);
  }

  private static Message attribute(String name, int value) {
    return new Message().text(1, name).number(3, value).number(20, ATTRIBUTE_INT);
  }

  private void tensor(String name, float[] values, int... sizes) {
    Message tensor = new Message();
    for (int size : sizes) {
      tensor.number(1, size);
    }
    ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    graph.message(5, tensor.number(2, FLOAT).text(8, name).raw(9, raw.array()));
  }

  private static byte[] longs(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private static Message value(String name, int... sizes) {
    Message shape = new Message();
    for (int size : sizes) {
      shape.message(1, new Message().number(1, size));
    }
    Message tensor = new Message().number(1, FLOAT).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }

  /** A protocol buffer in the making. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message number(int field, long value) {
      varint((long) field << 3);
      varint(value);
      return this;
    }

    Message raw(int field, byte[] value) {
      varint((long) field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    Message text(int field, String value) {
      return raw(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return raw(field, value.bytes());
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    private void varint(long value) {
      long rest = value;
      while (rest >= 0x80) {
        out.write((int) rest & 0x7f | 0x80);
        rest >>>= 7;
      }
      out.write((int) rest);
    }
  }
}

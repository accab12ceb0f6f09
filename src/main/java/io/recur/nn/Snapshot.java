package io.recur.nn;

import io.recur.grad.ShapeException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * The states of a model as a value: of every Recur in it, in order, the parts of its state, or none
 * where it is fresh. It refers to no device and no tape, and can be written to bytes.
 *
 * <pre>{@code
 * byte[] session = model.save().toBytes();
 * model.restore(Snapshot.of(session));      // goes on exactly where it stopped
 * }</pre>
 *
 * @param states for each Recur the parts of its state; no parts where it is fresh
 */
public record Snapshot(List<List<Part>> states) {
  private static final int MAGIC = 0x52435354; // "RCST"
  private static final int VERSION = 1;

  /**
   * A tensor of a state.
   *
   * @param rows units
   * @param batch columns
   * @param values column-major
   */
  public record Part(int rows, int batch, float[] values) {}

  /** Copies the lists. */
  public Snapshot {
    states = states.stream().map(List::copyOf).toList();
  }

  static Snapshot of(List<Recur> recurs) {
    return new Snapshot(recurs.stream().map(Recur::snapshot).toList());
  }

  void restore(List<Recur> recurs) {
    if (recurs.size() != states.size()) {
      throw new ShapeException(
          "restore: the model has %d Recurs, the snapshot %d; take it from the same model"
              .formatted(recurs.size(), states.size()));
    }
    for (int i = 0; i < recurs.size(); i++) {
      recurs.get(i).check(states.get(i));
    }
    for (int i = 0; i < recurs.size(); i++) {
      recurs.get(i).adopt(states.get(i));
    }
  }

  /**
   * The snapshot as bytes: little-endian, with a checksum at the end.
   *
   * @return bytes for {@link #of(byte[])}
   */
  public byte[] toBytes() {
    int length = 16;
    for (List<Part> parts : states) {
      length += 4;
      for (Part part : parts) {
        length += 8 + 4 * part.values().length;
      }
    }
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(MAGIC).putInt(VERSION).putInt(states.size());
    for (List<Part> parts : states) {
      bytes.putInt(parts.size());
      for (Part part : parts) {
        bytes.putInt(part.rows()).putInt(part.batch());
        for (float value : part.values()) {
          bytes.putFloat(value);
        }
      }
    }
    bytes.putInt(checksum(bytes.array(), length - 4));
    return bytes.array();
  }

  /**
   * A snapshot from bytes.
   *
   * @param bytes of {@link #toBytes}
   * @return the snapshot
   * @throws IllegalArgumentException if they are not a whole snapshot
   */
  public static Snapshot of(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < 16 || in.getInt() != MAGIC || in.getInt() != VERSION) {
      throw new IllegalArgumentException(
          "snapshot: %d bytes that do not begin as a snapshot of version %d"
              .formatted(bytes.length, VERSION));
    }
    if (in.getInt(bytes.length - 4) != checksum(bytes, bytes.length - 4)) {
      throw new IllegalArgumentException(
          "snapshot: the checksum of %d bytes does not fit; they are damaged or cut off"
              .formatted(bytes.length));
    }
    List<List<Part>> states = new ArrayList<>();
    int recurs = in.getInt();
    for (int i = 0; i < recurs; i++) {
      List<Part> parts = new ArrayList<>();
      int count = in.getInt();
      for (int p = 0; p < count; p++) {
        int rows = in.getInt();
        int batch = in.getInt();
        float[] values = new float[rows * batch];
        for (int v = 0; v < values.length; v++) {
          values[v] = in.getFloat();
        }
        parts.add(new Part(rows, batch, values));
      }
      states.add(parts);
    }
    return new Snapshot(states);
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}

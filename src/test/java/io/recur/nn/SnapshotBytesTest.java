package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The layout of a snapshot's bytes, version 2, and what it says of a state's kind. */
@Tag(Devices.CPU)
class SnapshotBytesTest {
  @AutoClose private final Device device = Device.cpu(1);
  @AutoClose private final Tape tape = Tape.inference(device);

  private Chain run(Chain model, int batch) {
    float[] x = new float[5 * batch];
    for (int i = 0; i < x.length; i++) {
      x[i] = i * 0.1f;
    }
    model.on(device, 1).apply(tape.input(Shape.of(5, batch), x));
    return model;
  }

  private Snapshot snapshot() {
    return run(chain(lstm(5, 8), gru(8, 4), dense(4, 2)), 3).save();
  }

  @Test
  void labelAndKindsStandInTheSnapshot() {
    Snapshot read = Snapshot.of(snapshot().toBytes());
    assertEquals(
        "Chain(Recur(LSTMCell(5 => 8)), Recur(GRUCell(8 => 4)), Dense(4 => 2))", read.label());
    assertEquals(List.of("Recur(LSTMCell(5 => 8))", "Recur(GRUCell(8 => 4))"), read.kinds());
  }

  /** A change of the layout is a change of the version: every field, where the Javadoc says. */
  @Test
  void theLayoutIsTheDocumentedOne() {
    float[] values = {1, 2, 3, 4, 5, 6};
    Snapshot snapshot =
        new Snapshot("model", List.of("kind"), List.of(List.of(new Snapshot.Part(3, 2, values))));
    ByteBuffer bytes = ByteBuffer.wrap(snapshot.toBytes()).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(256, bytes.capacity());
    assertEquals(0x52435354, bytes.getInt(0));
    assertEquals(2, bytes.getInt(4));
    assertEquals(256, bytes.getLong(8));
    assertEquals(128, bytes.getInt(16));
    assertEquals(1, bytes.getInt(24));
    assertEquals(5, bytes.getInt(28));
    assertEquals('m', bytes.get(32));
    assertEquals(4, bytes.getInt(40));
    assertEquals(1, bytes.getInt(44));
    assertEquals('k', bytes.get(48));
    assertEquals(0, bytes.getInt(56));
    assertEquals(3, bytes.getInt(60));
    assertEquals(2, bytes.getLong(64));
    assertEquals(128, bytes.getLong(72));
    assertEquals(192, bytes.getLong(80));
    assertEquals(4, bytes.getFloat(128 + 4 * 3));
  }

  @Test
  void nativeMemoryAndArraysHoldTheSameBytes() {
    Snapshot snapshot = snapshot();
    byte[] expected = snapshot.toBytes();
    assertEquals(expected.length, snapshot.byteSize());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(snapshot.byteSize() + 10, 1);
      assertEquals(expected.length, snapshot.write(target));
      MemorySegment written = target.asSlice(0, expected.length);
      assertArrayEquals(expected, written.toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(expected, Snapshot.of(written.asReadOnly()).toBytes());
      assertThrows(IllegalArgumentException.class, () -> Snapshot.of(target));
      assertThrows(IllegalArgumentException.class, () -> snapshot.write(target.asSlice(0, 64)));
      assertThrows(IllegalArgumentException.class, () -> snapshot.write(target.asReadOnly()));
    }
    MemorySegment floats = MemorySegment.ofArray(new float[expected.length]);
    assertThrows(IllegalArgumentException.class, () -> snapshot.write(floats));
  }

  /** Other columns may be damaged or lost: one column is read without them. */
  @Test
  void aColumnIsReadWithoutTheOthers() {
    Snapshot whole = snapshot();
    byte[] bytes = whole.toBytes();
    for (int c = 0; c < 3; c++) {
      Snapshot column = Snapshot.column(MemorySegment.ofArray(bytes), c);
      assertEquals(whole.kinds(), column.kinds());
      for (int r = 0; r < 2; r++) {
        for (int p = 0; p < whole.states().get(r).size(); p++) {
          Snapshot.Part part = whole.states().get(r).get(p);
          assertArrayEquals(
              Arrays.copyOfRange(part.values(), c * part.rows(), (c + 1) * part.rows()),
              column.states().get(r).get(p).values());
        }
      }
      run(chain(lstm(5, 8), gru(8, 4), dense(4, 2)), 1).restore(column);
    }
    int header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(16);
    bytes[header] ^= 1; // a value of column 0 of the first part
    MemorySegment damaged = MemorySegment.ofArray(bytes);
    assertThrows(IllegalArgumentException.class, () -> Snapshot.of(damaged));
    assertThrows(IllegalArgumentException.class, () -> Snapshot.column(damaged, 0));
    Snapshot.column(damaged, 1);
    assertThrows(IndexOutOfBoundsException.class, () -> Snapshot.column(damaged, 3));
    assertThrows(IndexOutOfBoundsException.class, () -> Snapshot.column(damaged, -1));
  }

  @Test
  void aCellDoesNotTakeAnothersStateOfTheSameSize() {
    Chain model = run(chain(gru(5, 8)), 2);
    byte[] before = model.save().toBytes();
    for (Chain other : List.of(chain(rnn(5, 8)), chain(rnn(5, 8, Elementwise.RELU)))) {
      Snapshot states = Snapshot.of(run(other, 2).save().toBytes());
      ShapeException e = assertThrows(ShapeException.class, () -> model.restore(states));
      assertTrue(e.getMessage().contains("of Recur(RNNCell(5 => 8"), e.getMessage());
    }
    assertArrayEquals(before, model.save().toBytes());
  }

  /** Parts that no model can have had are refused when they are made. */
  @Test
  void impossiblePartsAreRefused() {
    int[][] sizes = {{8, 3, 5}, {8, -1, 24}, {8, 0, 0}, {0, 3, 0}, {8, 3, 100}, {8, 1 << 28, 24}};
    for (int[] size : sizes) {
      Snapshot.Part part = new Snapshot.Part(size[0], size[1], new float[size[2]]);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> new Snapshot(List.of(List.of(part))));
      assertTrue(e.getMessage().contains(size[0] + "×" + size[1]), e.getMessage());
    }
    Snapshot.Part two = new Snapshot.Part(1, 2, new float[2]);
    Snapshot.Part three = new Snapshot.Part(1, 3, new float[3]);
    assertThrows(IllegalArgumentException.class, () -> new Snapshot(List.of(List.of(two, three))));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Snapshot("", Collections.emptyList(), List.of(List.of(two))));
  }
}

package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** States as columns in memory of the caller. */
class StateBatchTest {
  private static final int IN = 3;
  private static final int MOST = 5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);
  @AutoClose private final Arena arena = Arena.ofConfined();

  private final Chain model =
      chain(Cells.LSTM.make(IN, 4), dense(4, 3), Cells.GRU.make(3, 6)).on(device, 1);

  private final StateBatch states = new StateBatch(model.fork(), MOST);

  private MemorySegment table(int columns) {
    return arena.allocate(ValueLayout.JAVA_FLOAT, (long) columns * states.floats());
  }

  private static MemorySegment[] places(MemorySegment table, int count) {
    MemorySegment[] places = new MemorySegment[count];
    Arrays.fill(places, table);
    return places;
  }

  @Test
  void aColumnIsThePartsOfAllStatesInOrder() {
    assertEquals(4 + 4 + 6, states.floats());
    float[] column = Cells.values(new Random(1), states.floats());
    Snapshot snapshot = states.snapshot(column);
    assertArrayEquals(column, states.values(snapshot));
    try (Chain fork = model.fork()) {
      fork.restore(snapshot);
      Recur first = fork.recurs().getFirst();
      assertArrayEquals(Arrays.copyOf(column, 4), first.state().h().toArray());
      assertArrayEquals(Arrays.copyOfRange(column, 4, 8), first.state().c().toArray());
      assertEquals(fork.save().label(), snapshot.label());
      assertEquals(fork.save().kinds(), snapshot.kinds());
    }
    assertArrayEquals(
        states.initial(), states.values(model.save()), "a fresh one begins at state0");
  }

  /** Columns that are gathered from anywhere, stepped and scattered back, against single forks. */
  @Test
  void columnsComeFromAnywhereAndGoBack() {
    Random random = new Random(2);
    int sessions = 9;
    MemorySegment table = table(sessions);
    Chain[] alone = new Chain[sessions];
    for (int i = 0; i < sessions; i++) {
      alone[i] = model.fork();
      MemorySegment.copy(
          states.initial(),
          0,
          table,
          ValueLayout.JAVA_FLOAT,
          4L * states.floats() * i,
          states.floats());
    }
    Chain batch = model.fork();
    StateBatch its = new StateBatch(batch, MOST);
    for (int step = 0; step < 30; step++) {
      int count = 1 + random.nextInt(MOST);
      int[] chosen = random.ints(0, sessions).distinct().limit(count).toArray();
      long[] at = new long[count];
      float[] x = Cells.values(random, IN * count);
      for (int j = 0; j < count; j++) {
        at[j] = 4L * states.floats() * chosen[j];
      }
      its.load(places(table, count), at);
      float[] y = batch.apply(tape.input(Shape.of(IN, count), x)).toArray();
      its.store(places(table, count), at);
      tape.clear();
      for (int j = 0; j < count; j++) {
        float[] own = Arrays.copyOfRange(x, IN * j, IN * (j + 1));
        float[] expected = alone[chosen[j]].apply(tape.input(own)).toArray();
        float[] answer = Arrays.copyOfRange(y, 6 * j, 6 * (j + 1));
        assertArrayEquals(expected, answer, Devices.isCpu() ? Float.MIN_VALUE : 1e-5f);
        tape.clear();
      }
    }
  }

  @Test
  void aColumnWithoutAPlaceIsNotStored() {
    MemorySegment table = table(2);
    Chain fork = model.fork();
    StateBatch its = new StateBatch(fork, MOST);
    its.load(places(table, 2), new long[] {0, 4L * states.floats()});
    fork.apply(tape.input(Shape.of(IN, 2), 1, 2, 3, 4, 5, 6));
    its.store(new MemorySegment[] {null, table}, new long[] {0, 4L * states.floats()});
    float[] all = table.toArray(ValueLayout.JAVA_FLOAT);
    for (int i = 0; i < states.floats(); i++) {
      assertEquals(0, all[i]);
    }
    assertTrue(all[states.floats()] != 0);
  }

  @Test
  void aColumnThatIsNotANumberIsFound() {
    MemorySegment table = table(3);
    table.setAtIndex(ValueLayout.JAVA_FLOAT, 2L * states.floats() - 1, Float.NaN);
    table.setAtIndex(ValueLayout.JAVA_FLOAT, 2L * states.floats(), Float.POSITIVE_INFINITY);
    table.setAtIndex(ValueLayout.JAVA_FLOAT, 2L * states.floats() + 1, Float.NEGATIVE_INFINITY);
    StateBatch its = new StateBatch(model.fork(), MOST);
    long bytes = 4L * states.floats();
    its.load(places(table, 3), new long[] {0, bytes, 2 * bytes});
    assertArrayEquals(new boolean[] {false, true, false}, its.notNumbers());
    its.load(places(table, 1), new long[] {0});
    assertEquals(0, its.notNumbers().length);
  }

  @Test
  void placesThatDoNotFitAreRefused() {
    MemorySegment table = table(2);
    long bytes = 4L * states.floats();
    Thrown.says(
        IllegalArgumentException.class,
        () -> states.load(places(table, MOST + 1), new long[MOST + 1]),
        "for 1 to 5 columns");
    Thrown.says(
        IllegalArgumentException.class,
        () -> states.load(places(table, 2), new long[1]),
        "need one each");
    assertThrows(
        IllegalArgumentException.class, () -> states.load(new MemorySegment[0], new long[0]));
    for (long at : new long[] {-1, bytes + 1, Long.MAX_VALUE}) {
      Thrown.says(
          IndexOutOfBoundsException.class,
          () -> states.load(places(table, 2), new long[] {0, at}),
          "column 1 at byte " + at);
    }
    Thrown.says(
        IllegalStateException.class,
        () -> states.store(places(table, 1), new long[1]),
        "load a batch");
    states.load(places(table, 2), new long[2]);
    Thrown.says(
        IllegalStateException.class,
        () -> states.store(places(table, 1), new long[1]),
        "2 were loaded");
    Thrown.says(
        IllegalArgumentException.class,
        () -> states.store(places(table.asReadOnly(), 2), new long[2]),
        "read-only");
  }

  @Test
  void snapshotsOfOtherModelsAreRefused() {
    assertThrows(
        ShapeException.class, () -> states.values(chain(lstm(IN, 4)).on(device, 1).save()));
    Snapshot twice =
        Snapshot.join(states.snapshot(states.initial()), states.snapshot(states.initial()));
    Thrown.says(ShapeException.class, () -> states.values(twice), "has 2 columns");
    Thrown.says(ShapeException.class, () -> states.snapshot(1, 2), "a column has 14");
    Thrown.says(IllegalArgumentException.class, () -> new StateBatch(gru(1, 1), 0), "most=0");
  }

  @Test
  void moreColumnsThanATensorHasAreRefusedAtOnce() {
    int rows = Integer.MAX_VALUE / 6;
    new StateBatch(model.fork(), rows);
    Thrown.says(
        IllegalArgumentException.class,
        () -> new StateBatch(model.fork(), rows + 1),
        "most=357913942 columns of 6 rows of Recur(GRUCell(3 => 6))",
        "need at most 357913941");
  }

  /** Many sizes of a batch, which are not traced one by one. */
  @Test
  void onePlanServesAllBatchesOfTwoAndMore() {
    Chain fork = chain(gru(IN, 4)).on(device, 1);
    StateBatch its = new StateBatch(fork, 64);
    MemorySegment table = arena.allocate(ValueLayout.JAVA_FLOAT, its.floats());
    for (int count = 1; count <= 64; count++) {
      its.load(places(table, count), new long[count]);
      fork.apply(tape.input(Shape.of(IN, count), new float[IN * count]));
      tape.clear();
    }
    assertEquals(3, fork.explain().lines().count(), fork::explain);
  }
}

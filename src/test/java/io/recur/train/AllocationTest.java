package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.CrossEntropyLoss;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Cells;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.cells.LayerNormLSTMCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.PeepholeLSTMCell;
import io.recur.nn.cells.UGRNNCell;
import io.recur.nn.cells.Zoneout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A step in the steady state allocates no native memory and next to nothing on the heap. The sizes
 * are small, since the allocation must not depend on them.
 */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Steps before the measurement: the first ones link calls and grow arrays. */
  private static final int WARM_UP = 1000;

  private static final int STEPS = Devices.rounds(1000);
  private static final int CALLS = 300;
  private static final int MOST_BYTES = 256;
  private static final int MOST_BYTES_OVER_LENGTHS = 60_000;
  private static final int CLASSES = 7;

  private static void allocatesNothing(String what, Tape tape, Runnable step) {
    allocatesAtMost(MOST_BYTES, what, tape, step);
  }

  private static void allocatesAtMost(int most, String what, Tape tape, Runnable step) {
    for (int i = 0; i < WARM_UP; i++) {
      step.run();
    }
    long natives = tape.bytes();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < STEPS; i++) {
      step.run();
    }
    double bytes = (double) (THREADS.getCurrentThreadAllocatedBytes() - before) / STEPS;
    assertEquals(natives, tape.bytes(), what);
    assertTrue(bytes <= most, what + ": " + bytes + " bytes a step");
  }

  /**
   * Lengths that come again allocate nothing native; on the heap some 4 KB per stretch and call.
   */
  private static void trainsOverLengths(String what, Layer cell) {
    int[][] lengths = {{3, 9, 0, 7, 3, 1}, {9, 9, 9, 9, 9, 9}, {1, 2, 3, 4, 5, 9}};
    try (Device device = Devices.opened();
        Tape tape = Tape.on(device)) {
      Chain model = chain(cell, dense(16, CLASSES)).on(device, 1);
      float[] x = new float[CLASSES * 6 * 9];
      int[] classes = new int[6 * 9];
      CrossEntropyLoss loss = new CrossEntropyLoss();
      int[] calls = {0};
      allocatesAtMost(
          MOST_BYTES_OVER_LENGTHS,
          what,
          tape,
          () -> {
            int[] its = lengths[calls[0]++ / 4 % lengths.length];
            Padded all = Padded.of(tape.input(Shape.of(CLASSES, 6, 9), x), its);
            tape.backward(loss.of(model.apply(all), classes));
            model.truncate();
            tape.clear();
          });
    }
  }

  @Test
  void aTrainingStepOverLengthsAllocatesNothingNative() {
    trainsOverLengths("lstm", lstm(CLASSES, 16));
    trainsOverLengths("gru", gru(CLASSES, 16));
    trainsOverLengths("mgu", new Recur(new MGUCell(CLASSES, 16)));
  }

  /**
   * Lengths of 32 sequences of up to 100 steps, those of call i in row i. A step, of both
   * directions where there are two, allocates no more than one of equal lengths may.
   */
  private static void runsLengths(String what, Layer layer, boolean trains, int[]... lengths) {
    Shape shape = Shape.of(CLASSES, 32, 100);
    float[] x = new float[shape.count()];
    try (Device device = Devices.opened();
        Tape tape = trains ? Tape.on(device) : Tape.inference(device)) {
      Layer model = layer.on(device, 1);
      int[] calls = {0};
      Runnable call =
          () -> {
            int[] its = lengths[calls[0]++ % lengths.length];
            Padded y = model.apply(Padded.of(tape.input(shape, x), its));
            if (trains) {
              tape.backward(y.valid().sum());
            }
            model.truncate();
            tape.clear();
          };
      int most = Devices.rounds(CALLS);
      for (int i = 0; i < most; i++) {
        call.run();
      }
      long natives = tape.bytes();
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < most; i++) {
        call.run();
      }
      long bytes = (THREADS.getCurrentThreadAllocatedBytes() - before) / most / shape.time();
      assertEquals(natives, tape.bytes(), what);
      if (Devices.isCpu()) { // fewer calls elsewhere: they are not yet compiled
        assertTrue(bytes <= MOST_BYTES, what + ": " + bytes + " bytes a step");
      }
    }
  }

  private static void runsLengths(boolean trains, int[]... lengths) {
    runsLengths("lstm", lstm(CLASSES, 16), trains, lengths);
    runsLengths("gru", gru(CLASSES, 16), trains, lengths);
    runsLengths("mgu", new Recur(new MGUCell(CLASSES, 16)), trains, lengths);
    Layer both = bidirectional(lstm(CLASSES, 16), lstm(CLASSES, 16));
    runsLengths("lstm of two directions", both, trains, lengths);
    Layer grus = bidirectional(gru(CLASSES, 16), gru(CLASSES, 16));
    runsLengths("gru of two directions", grus, trains, lengths);
  }

  @Test
  void aStepOverLengthsThatComeAgainAllocatesNextToNothing() {
    int[] lengths = new Random(3).ints(32, 1, 101).toArray();
    lengths[3] = 100;
    runsLengths(false, lengths);
    runsLengths(true, lengths);
  }

  /**
   * Each call has other lengths; the first one nearly all steps, since memory grows to the most.
   */
  @Test
  void aStepOverLengthsThatNeverComeAgainAllocatesNextToNothing() {
    Random random = new Random(4);
    int[][] lengths = new int[2 * CALLS][];
    Arrays.setAll(lengths, call -> random.ints(32, 0, 101).toArray());
    Arrays.fill(lengths[0], 100);
    lengths[0][5] = 99;
    runsLengths(false, lengths);
    runsLengths(true, lengths);
  }

  private static void trains(String what, Layer cell) {
    try (Device device = Devices.opened();
        Tape tape = Tape.on(device)) {
      Chain model = chain(cell, dense(16, CLASSES)).on(device, 1);
      int[] text = new int[3 * 9];
      for (int i = 0; i < text.length; i++) {
        text[i] = i * i % CLASSES;
      }
      Streams streams = new Streams(text, CLASSES, 3, 8);
      Trainer trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
      Trainer.Loss loss =
          i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
      allocatesNothing(what, tape, () -> trainer.pass(0, 1, loss));
    }
  }

  private static final Shape ONE = Shape.of(CLASSES);

  private static void streams(String what, Layer cell) {
    try (Device device = Devices.opened();
        Tape tape = Tape.inference(device)) {
      Chain model = chain(cell, dense(16, CLASSES)).on(device, 1);
      float[] x = new float[CLASSES];
      float[] y = new float[CLASSES];
      x[2] = 1;
      allocatesNothing(
          what,
          tape,
          () -> {
            model.apply(tape.input(x)).value().read(y);
            tape.clear();
          });
      Buffer there = device.allocate(CLASSES);
      allocatesNothing(
          what + ", x in a buffer",
          tape,
          () -> {
            there.write(x);
            model.apply(tape.wrap(ONE, there)).value().read(y);
            tape.clear();
          });
    }
  }

  @Test
  void aTrainingStepAllocatesNextToNothing() {
    trains("lstm", lstm(CLASSES, 16));
    trains("gru", gru(CLASSES, 16));
    trains("gruV3", gruV3(CLASSES, 16));
    trains("rnn", rnn(CLASSES, 16));
  }

  @Test
  void aStreamingStepAllocatesNextToNothing() {
    streams("lstm", lstm(CLASSES, 16));
    streams("gru", gru(CLASSES, 16));
    streams("gruV3", gruV3(CLASSES, 16));
    streams("rnn", rnn(CLASSES, 16));
  }

  @Test
  void aStreamingStepOfACompiledCellAllocatesNextToNothing() {
    Cells.compiled().forEach(cells -> streams(cells.name(), new Recur(cells.paper(CLASSES, 16))));
  }

  @Test
  void aTrainingStepOfACompiledCellAllocatesNextToNothing() {
    trains("mgu", new Recur(new MGUCell(CLASSES, 16)));
    trains("peephole lstm", new Recur(new PeepholeLSTMCell(CLASSES, 16)));
    trains("layer-norm lstm", new Recur(new LayerNormLSTMCell(CLASSES, 16)));
    trains("zoneout", new Recur(Zoneout.of(new UGRNNCell(CLASSES, 16), 0.1f)));
  }
}

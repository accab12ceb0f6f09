package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.LayerNormLSTMCell;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a step takes of the memory of a tape, on a CPU. */
class TapeMemoryTest {
  private static final int H = 64;
  private static final int B = 16;
  private static final int T = 64;
  private final Device device = Device.cpu(2);

  @AfterEach
  void close() {
    device.close();
  }

  /**
   * A step keeps the two parts of the state, the four gates, tanh of c and what was normalised: the
   * sums from x and from h, and c. The sums before that wait for a later phase of their step.
   */
  @Test
  void layerNormalisationKeepsWhatBackwardReads() {
    check((bytes(B, 2 * T, false) - bytes(B, T, false)) / ((long) Float.BYTES * B * H * T), 4);
  }

  /** Half of the sequences have half of the steps; outputs lie beside the states. */
  @Test
  void sequencesOfSeveralLengthsKeepNoMore() {
    check(
        (bytes(B, 2 * T, true) - bytes(B, T, true)) / ((long) Float.BYTES * B * H * T * 3 / 4), 6);
  }

  /**
   * What follows from x waits for the steps; gradients wait for the end of a run of steps alone.
   */
  @Test
  void oneColumnKeepsWhatFollowsFromXBeside() {
    int time = B * T;
    check(
        (bytes(1, 2 * time, false) - bytes(1, time, false)) / ((long) Float.BYTES * H * time), 14);
  }

  private static void check(long values, int others) {
    long kept = 2 + 4 + 1 + 4 + 4 + 1;
    assertTrue(
        values <= kept + others, values + " values of a unit per step, " + kept + " are read");
  }

  private long bytes(int batch, int time, boolean hasLengths) {
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, j -> j % 2 == 0 ? time : time / 2);
    try (Tape tape = Tape.on(device)) {
      Recur recur = new Recur(new LayerNormLSTMCell(2, H)).on(device, 1);
      for (int i = 0; i < 2; i++) {
        recur.reset();
        float[] zeros = new float[2 * batch * time];
        Tensor x = tape.input(Shape.of(2, batch, time), zeros);
        tape.backward(
            hasLengths ? recur.apply(Padded.of(x, lengths)).valid().sum() : recur.apply(x).sum());
        recur.truncate();
        tape.clear();
      }
      return tape.bytes();
    }
  }
}

package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.cells.LayerNormLSTMCell;
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
    long kept = 2 + 4 + 1 + 4 + 4 + 1;
    long values = (bytes(2 * T) - bytes(T)) / ((long) Float.BYTES * B * H * T);
    assertTrue(values <= kept + 4, values + " values of a unit per step, " + kept + " are read");
  }

  private long bytes(int time) {
    try (Tape tape = Tape.on(device)) {
      Recur recur = new Recur(new LayerNormLSTMCell(2, H)).on(device, 1);
      for (int i = 0; i < 2; i++) {
        recur.reset();
        float[] zeros = new float[2 * B * time];
        tape.backward(recur.apply(tape.input(Shape.of(2, B, time), zeros)).sum());
        recur.truncate();
        tape.clear();
      }
      return tape.bytes();
    }
  }
}

package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Resident;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many steps: no recursion on the way back, and no memory that grows where it is truncated. */
class LongSequenceTest {
  private static final long MIB = 1 << 20;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** To the catalogue a long sequence is that of a user's cell. */
  @ParameterizedTest
  @EnumSource(to = "CLASS")
  void tenThousandStepsGoBackward(Cells cells) {
    int time = Devices.rounds(10_000);
    Recur recur = cells.make(2, 3).on(device, 1);
    Tensor x = Cells.input(tape, 1, 2, 1, time);
    List<Tensor> outputs = new ArrayList<>(time);
    for (int t = 0; t < time; t++) {
      outputs.add(recur.apply(x.time(t)));
    }
    tape.backward(Cells.weighed(tape, Concat.time(outputs), 2));
    Map<String, float[]> gradients = Cells.gradients(recur);
    float[] dx = x.gradientArray();
    gradients.forEach(
        (name, values) -> {
          for (float value : values) {
            assertTrue(Float.isFinite(value), name);
          }
        });
    recur.parameters().zeroGradients();
    recur.reset();
    tape.backward(Cells.weighed(tape, recur.apply(x), 2));
    // A weight's gradient is a float32 sum of 10 000 terms, in another order: √10⁴·6e-8 of the
    // magnitude that the partial sums reach, which is larger than the result.
    near("gradient", gradients, Cells.gradients(recur), 1e-4);
    near("dx", dx, x.gradientArray(), FLOAT);
  }

  @ParameterizedTest
  @EnumSource(names = {"LSTM", "CLASS"})
  void aHundredThousandTruncatedStepsHoldMemoryFlat(Cells cells) {
    Recur recur = cells.make(4, 16).on(device, 1);
    train(recur, 500);
    long tapeBytes = tape.bytes();
    long heap = heapBytes();
    long resident = Resident.now();
    train(recur, Devices.rounds(2_000));
    assertEquals(tapeBytes, tape.bytes(), "the tape's slabs");
    assertBelow("heap", heap, heapBytes(), MIB);
    // The Java heap may come to touch more of its pages, some 100 MiB; a tape that kept what a
    // chunk takes, some 400 KiB, would have grown by 800 MiB.
    assertBelow("resident memory", resident, Resident.now(), 256 * MIB);
  }

  /** Chunks of 50 steps, each with a backward pass. */
  private void train(Recur recur, int chunks) {
    for (int chunk = 0; chunk < chunks; chunk++) {
      Tensor y = recur.apply(Cells.input(tape, 0, 4, 8));
      for (int t = 1; t < 50; t++) {
        y = recur.apply(Cells.input(tape, t, 4, 8));
      }
      tape.backward(y.sum());
      recur.parameters().zeroGradients();
      recur.truncate();
      tape.clear();
    }
  }

  private static void assertBelow(String what, long before, long after, long growth) {
    assertTrue(
        after - before <= growth,
        "%s: %,d bytes before, %,d after, may grow by %,d".formatted(what, before, after, growth));
  }

  private static long heapBytes() {
    collect();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static void collect() {
    for (int i = 0; i < 3; i++) {
      System.gc();
      try {
        Thread.sleep(20); // for the cleaner of collected arenas
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

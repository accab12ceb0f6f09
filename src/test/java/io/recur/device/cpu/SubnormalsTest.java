package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Subnormal numbers count as 0 in the steps of cells on the C kernels, on every thread, and stay in
 * Java. That all other kernels keep them is held by ElementwiseTest and ClipTest.
 */
@Tag(Devices.CPU)
@ParameterizedClass
@MethodSource("sets")
class SubnormalsTest {
  private static final int TWO_THREADS = 300; // units, whose products are worth it
  private static final float SUBNORMAL = Float.MIN_NORMAL / 4;

  private final InstructionSet set;

  SubnormalsTest(InstructionSet set) {
    this.set = set;
  }

  static Stream<InstructionSet> sets() {
    return Kernels.present().stream().filter(set -> set != InstructionSet.JAVA);
  }

  /** A state that a factor of 0.9 would hold at the least number above 0 for ever. */
  @Test
  void aStateThatFadesAwayEndsAtZero() {
    fade(3);
    fade(TWO_THREADS);
  }

  private void fade(int units) {
    float[] diagonal = new float[units * units];
    for (int i = 0; i < units; i++) {
      diagonal[i * units + i] = 0.9f;
    }
    RNNCell cell =
        new RNNCell(
            Elementwise.IDENTITY,
            Matrix.dense(Parameter.zeros(Shape.of(units, 1))),
            Matrix.dense(Parameter.of(Shape.of(units, units), diagonal)),
            Parameter.zeros(Shape.of(units)),
            Parameter.of(Shape.of(units, 1), filled(units, 1)));
    try (Device device = new CpuDevice(set, 2);
        Tape tape = Tape.inference(device)) {
      Recur recur = new Recur(cell).on(device, 1);
      float[] last = {};
      for (int t = 0; t < 1000; t++) {
        last = recur.apply(tape.input(new float[1])).toArray();
        tape.clear();
      }
      assertArrayEquals(new float[units], last);
    }
  }

  private static float[] filled(int n, float value) {
    float[] values = new float[n];
    Arrays.fill(values, value);
    return values;
  }

  @Test
  void javaKeepsItsOwn() {
    fade(3);
    float half = Float.parseFloat("0.5"); // not known to the compiler
    assertEquals(SUBNORMAL / 2, SUBNORMAL * half);
  }
}

package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.device.kernels.KernelDevice;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import io.recur.nn.cells.IndRNNCell;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Subnormal numbers count as 0 in the C kernels, on every thread of theirs, and in Java they stay.
 */
@Tag(Devices.CPU)
@ParameterizedClass
@MethodSource("sets")
class SubnormalsTest {
  private static final int LARGE = 300_000; // enough for two threads
  private static final float SUBNORMAL = Float.MIN_NORMAL / 4;

  private final InstructionSet set;

  SubnormalsTest(InstructionSet set) {
    this.set = set;
  }

  static Stream<InstructionSet> sets() {
    return Kernels.present().stream().filter(set -> set != InstructionSet.JAVA);
  }

  @Test
  void operandsAndResultsAreFlushedByAllThreads() {
    try (Device device = new CpuDevice(set, 2)) {
      for (float factor : new float[] {0x1p40f, 0.25f}) {
        float[] values = new float[LARGE];
        Arrays.fill(values, factor > 1 ? SUBNORMAL : Float.MIN_NORMAL);
        Buffer x = device.allocate(LARGE);
        Buffer y = device.allocate(LARGE);
        x.write(values);
        KernelDevice.of(device).arithmetic().affine(factor, x, 0, y, LARGE);
        assertArrayEquals(new float[LARGE], y.read());
      }
    }
  }

  /** A state that a factor of 0.9 would hold at the least number above 0 for ever. */
  @Test
  void aStateThatFadesAwayEndsAtZero() {
    int units = 3;
    IndRNNCell cell =
        new IndRNNCell(
            Elementwise.RELU,
            Matrix.dense(Parameter.of(Shape.of(units, 1), 0, 0, 0)),
            Parameter.of(Shape.of(units), 0.9f, 0.9f, 0.9f),
            Parameter.zeros(Shape.of(units)),
            Parameter.of(Shape.of(units, 1), 1, 1, 1));
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

  @Test
  void javaKeepsItsOwn() {
    operandsAndResultsAreFlushedByAllThreads();
    float half = Float.parseFloat("0.5"); // not known to the compiler
    assertEquals(SUBNORMAL / 2, SUBNORMAL * half);
  }
}

package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Devices;
import io.recur.device.cpu.CpuDevice;
import io.recur.device.cpu.Kernels;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A cell computes the same bits on one thread and on several, in a sequence that pays for them:
 * outputs, states, the gradients of x and of all parameters. Sizes around a panel's width leave
 * parts of unequal shares; small weights give each part columns of its own.
 */
@Tag(Devices.CPU)
class ThreadBitsTest {
  /** Features, units, batch and time of a sequence. */
  private record Sizes(int in, int out, int batch, int time) {}

  /** The last has as many parts of unequal columns that blocks of rows are shared. */
  private static final List<Sizes> SIZES =
      List.of(new Sizes(20, 70, 16, 55), new Sizes(70, 97, 7, 10));

  static Stream<Arguments> cellsOnKernels() {
    return Kernels.present().stream()
        .filter(set -> set != InstructionSet.JAVA)
        .flatMap(set -> Stream.of(Cells.values()).map(cell -> Arguments.of(cell, set)));
  }

  @ParameterizedTest
  @MethodSource("cellsOnKernels")
  void threadsChangeNoBit(Cells cell, InstructionSet set) {
    for (Sizes sizes : SIZES) {
      List<float[]> alone = trained(cell, set, 1, sizes);
      List<float[]> together = trained(cell, set, 2, sizes);
      for (int i = 0; i < alone.size(); i++) {
        assertArrayEquals(
            alone.get(i), together.get(i), "%s on %s, array %d".formatted(sizes, set, i));
      }
    }
  }

  /** The output, the gradient of x, the states and the gradients of all parameters. */
  private static List<float[]> trained(Cells cell, InstructionSet set, int threads, Sizes sizes) {
    Shape shape = Shape.of(sizes.in, sizes.batch, sizes.time);
    try (CpuDevice device = new CpuDevice(set, threads);
        Tape tape = Tape.on(device)) {
      Recur recur = cell.make(sizes.in, sizes.out);
      recur.parameters().place(device, 1);
      Tensor x =
          tape.variable(shape, Cells.values(new Random(2), sizes.in * sizes.batch * sizes.time));
      Tensor y = recur.apply(x);
      float[] weights = Cells.values(new Random(3), y.toArray().length);
      tape.backward(y.mul(tape.input(y.shape(), weights)).sum());
      List<float[]> found = new ArrayList<>(List.of(y.toArray(), x.gradientArray()));
      found.addAll(Cells.values(recur.state()));
      for (Parameter parameter : recur.parameters()) {
        if (parameter.isTrainable()) {
          found.add(parameter.gradientArray());
        }
      }
      recur.reset();
      return found;
    }
  }
}

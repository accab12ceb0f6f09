package io.recur.nn;

import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.ReferenceCell.Kind;
import io.recur.nn.ReferenceCell.Structure;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Cells with tridiagonal matrices are compiled, and do what their steps do. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class BandedCellsTest {
  /** Around the widths of panels; a tridiagonal matrix has at least 2 columns. */
  private static final int[] SIZES =
      Devices.isCpu() ? new int[] {2, 3, 16, 17, 63, 64, 65} : new int[] {2, 17, 65};

  /** Batches and times. */
  private static final int[][] RUNS = {{1, 1}, {1, 5}, {3, 4}, {32, 3}};

  /** Gradients of weights are sums over up to 96 columns, in another order. */
  private static final double TOLERANCE = 2e-5;

  private final Device device;

  BandedCellsTest(Device device) {
    this.device = device;
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aTridiagonalMatrixOfTheStateIsCompiled(Kind kind) {
    for (int units : SIZES) {
      check(kind, Structure.DENSE, 5, units);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void soIsOneOfTheInput(Kind kind) {
    for (int units : new int[] {2, 17, 65}) {
      check(kind, Structure.TRIDIAGONAL, units, units);
    }
  }

  @Test
  void aDiagonalMatrixTrainsTheValuesThatItWasGiven() {
    Parameter d = Parameter.of(Shape.of(3), 2, -1, 4).on(device);
    try (Tape tape = Tape.on(device)) {
      Tensor y = Matrix.diagonal(d).times(tape.input(Shape.of(3, 2), 1, 2, 3, 4, 5, 6));
      tape.backward(y.sum());
      assertArrayEquals(new float[] {2, -2, 12, 8, -5, 24}, y.toArray());
      assertArrayEquals(new float[] {5, 7, 9}, d.gradientArray());
    }
  }

  @Test
  void aDiagonalIsOneColumn() {
    Thrown.says(
        ShapeException.class,
        () -> Matrix.diagonal(Parameter.of(Shape.of(2, 2), 1, 2, 3, 4)),
        "diagonal matrix: values=2×2; need one column, the diagonal");
  }

  private void check(Kind kind, Structure wi, int in, int units) {
    Cell cell =
        new ReferenceCell(kind, Elementwise.TANH, wi, Structure.TRIDIAGONAL, in, units, 1, 1)
            .cell();
    Recur recur = new Recur(new CompilationTest.Stepped(cell)).on(device, units).requireCompiled();
    Recur steps = recur.fork().stepwise();
    for (int[] run : RUNS) {
      String what = "%s %s %d B=%d T=%d".formatted(kind, wi, units, run[0], run[1]);
      near(what, run(steps, in, run[0], run[1]), run(recur, in, run[0], run[1]), TOLERANCE);
    }
    assertTrue(recur.explain().contains("batch 32, dense x, recording: compiled"));
  }

  /** Outputs, the last state and all gradients. */
  private Map<String, float[]> run(Recur recur, int in, int batch, int time) {
    Map<String, float[]> found = new LinkedHashMap<>();
    recur.parameters().zeroGradients();
    try (Tape tape = Tape.on(device)) {
      Tensor x = Cells.input(tape, 1, in, batch, time);
      Tensor y = recur.apply(x);
      Tensor loss = Cells.weighed(tape, y, 2);
      for (Tensor part : recur.state().parts()) {
        loss = loss.add(Cells.weighed(tape, part, 3));
        found.put("state " + found.size(), part.toArray());
      }
      tape.backward(loss);
      found.put("y", y.toArray());
      found.put("dx", x.gradientArray());
      found.putAll(Cells.gradients(recur));
      recur.reset();
    }
    return found;
  }
}

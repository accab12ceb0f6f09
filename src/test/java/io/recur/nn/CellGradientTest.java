package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.Reference.doubles;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.OneHot;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.ReferenceCell.Kind;
import io.recur.nn.ReferenceCell.Structure;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every built-in cell against the double-precision reference, and its fast run against its step.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class CellGradientTest {
  /** Half the step of a central difference: its error is of order 1e-10, beside float32's 1e-7. */
  private static final double EPSILON = 1e-5;

  /**
   * A sum of gradients, each a sum of up to 100 float32 products, relative to the sum of their
   * magnitudes; and 1e-6 for a gradient that is itself the small difference of numbers around 1.
   */
  private static final double DERIVATIVE_TOLERANCE = 1e-5;

  /** Functions with which a state grows without end, or leaves their domain. */
  private static final Set<Elementwise> UNBOUNDED =
      EnumSet.of(
          Elementwise.EXP,
          Elementwise.LOG,
          Elementwise.SQUARE,
          Elementwise.SQRT,
          Elementwise.RECIPROCAL);

  private final Device device;
  @AutoClose private final Tape tape;

  CellGradientTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  static Stream<ReferenceCell> references() {
    List<ReferenceCell> all = new ArrayList<>();
    int[][] sizes = {{1, 1}, {1, 3}, {3, 1}, {3, 17}, {17, 3}};
    for (int batch : new int[] {1, 4}) {
      for (int time : new int[] {1, 5}) {
        for (Kind kind : Kind.values()) {
          for (int[] size : sizes) {
            all.add(reference(kind, Structure.DENSE, Structure.DENSE, size, batch, time));
          }
          for (Structure wi : Structure.values()) {
            for (Structure wh : Structure.values()) {
              all.add(reference(kind, wi, wh, new int[] {3, 3}, batch, time));
              all.add(reference(kind, wi, wh, new int[] {17, 17}, batch, time));
            }
          }
          all.add(reference(kind, Structure.DIAGONAL, Structure.DIAGONAL, sizes[0], batch, time));
          all.add(reference(kind, Structure.DENSE, Structure.TRIDIAGONAL, sizes[3], batch, time));
        }
      }
    }
    for (Elementwise function : Elementwise.values()) {
      if (!UNBOUNDED.contains(function)) {
        all.add(
            new ReferenceCell(Kind.RNN, function, Structure.DENSE, Structure.DENSE, 3, 17, 4, 5));
      }
    }
    return all.stream();
  }

  private static ReferenceCell reference(
      Kind kind, Structure wi, Structure wh, int[] size, int batch, int time) {
    return new ReferenceCell(kind, Elementwise.TANH, wi, wh, size[0], size[1], batch, time);
  }

  /** A run through the library with the loss Σ u∘y + Σ v∘h + Σ w∘c. */
  private final class Run {
    final Recur recur;
    final Tensor x;
    final Tensor y;
    final State last;

    Run(Cell cell, Tensor x) {
      this.recur = new Recur(cell).on(device, 5);
      this.x = x;
      this.y = recur.apply(x);
      this.last = recur.state();
      Tensor loss = Cells.weighed(tape, y, 11);
      for (int part = 0; part < last.parts().size(); part++) {
        loss = loss.add(Cells.weighed(tape, last.parts().get(part), 12 + part));
      }
      recur.parameters().zeroGradients();
      tape.backward(loss);
    }
  }

  private static double loss(ReferenceCell.Result result, boolean lstm) {
    double loss = dot(result.y(), 11) + dot(result.h(), 12);
    return lstm ? loss + dot(result.c(), 13) : loss;
  }

  private static double dot(double[] values, long seed) {
    float[] weights = Cells.values(new Random(seed), values.length);
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += weights[i] * values[i];
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("references")
  void outputsAndStatesAreThoseOfThePaper(ReferenceCell reference) {
    Run run = run(reference);
    ReferenceCell.Result expected = reference.run(parameters(run.recur), doubles(run.x.toArray()));
    near("y", expected.y(), run.y.toArray(), FLOAT);
    near("h", expected.h(), run.last.h().toArray(), FLOAT);
    if (reference.kind() == Kind.LSTM) {
      near("c", expected.c(), run.last.c().toArray(), FLOAT);
    }
  }

  @ParameterizedTest
  @MethodSource("references")
  void gradientsAreDerivativesOfTheReference(ReferenceCell reference) {
    Run run = run(reference);
    double[][] p = parameters(run.recur);
    double[] x = doubles(run.x.toArray());
    List<Parameter> parameters = run.recur.cell().parameters();
    for (int i = 0; i < p.length; i++) {
      assertDerivative(
          reference, parameters.get(i).name(), parameters.get(i).gradientArray(), p[i], p, x);
    }
    assertDerivative(reference, "x", run.x.gradientArray(), x, p, x);
  }

  /** ⟨g, v⟩ against the central difference along v, for random v of ±1; values is moved. */
  private static void assertDerivative(
      ReferenceCell reference, String name, float[] g, double[] values, double[][] p, double[] x) {
    assertEquals(values.length, g.length, name);
    boolean lstm = reference.kind() == Kind.LSTM;
    Random random = new Random(17);
    for (int direction = 0; direction < 3; direction++) {
      double[] v = random.ints(g.length, 0, 2).mapToDouble(bit -> 2 * bit - 1).toArray();
      double derivative = 0;
      double scale = 0;
      for (int i = 0; i < g.length; i++) {
        derivative += g[i] * v[i];
        scale += Math.abs(g[i]);
      }
      double[] at = values.clone();
      double[] sides = new double[2];
      for (int side = 0; side < 2; side++) {
        for (int i = 0; i < at.length; i++) {
          values[i] = at[i] + (side == 0 ? EPSILON : -EPSILON) * v[i];
        }
        sides[side] = loss(reference.run(p, x), lstm);
      }
      System.arraycopy(at, 0, values, 0, at.length);
      double difference = (sides[0] - sides[1]) / (2 * EPSILON);
      assertTrue(
          Math.abs(difference - derivative) <= DERIVATIVE_TOLERANCE * (scale + 0.1),
          "%s along direction %d: difference %.9g, gradient %.9g, scale %.3g"
              .formatted(name, direction, difference, derivative, scale));
    }
  }

  /** A cell that runs as the loop over its steps: the specification of its fast run. */
  private record Plain(Cell cell) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return cell.step(state, x);
    }

    @Override
    public List<Parameter> state0() {
      return cell.state0();
    }

    @Override
    public List<Parameter> parameters() {
      return cell.parameters();
    }
  }

  @ParameterizedTest
  @MethodSource("references")
  void theFastRunEqualsTheSteps(ReferenceCell reference) {
    Run fast = run(reference);
    Map<String, float[]> gradients = Cells.gradients(fast.recur);
    float[] dx = fast.x.gradientArray();
    Run plain = new Run(new Plain(fast.recur.cell()), fast.x);
    assertSame(plain, gradients, dx, fast, Cells.gradients(plain.recur));
  }

  private static void assertSame(
      Run plain, Map<String, float[]> gradients, float[] dx, Run fast, Map<String, float[]> its) {
    near("y", plain.y.toArray(), fast.y.toArray(), FLOAT);
    for (int part = 0; part < plain.last.parts().size(); part++) {
      float[] expected = plain.last.parts().get(part).toArray();
      near("state" + part, expected, fast.last.parts().get(part).toArray(), FLOAT);
    }
    near("gradient", its, gradients, FLOAT);
    near("dx", plain.x.gradientArray(), dx, FLOAT);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"FUNCTION", "CLASS"},
      mode = EnumSource.Mode.EXCLUDE)
  void aOneHotInputEqualsItsDenseColumns(Cells cells) {
    for (int[] size : new int[][] {{7, 3, 1, 1}, {7, 3, 4, 1}, {7, 17, 1, 5}, {7, 17, 4, 5}}) {
      oneHot(cells.make(size[0], size[1]).cell(), Shape.of(size[0], size[2], size[3]));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aOneHotInputMeetsAnyStructure(Structure structure) {
    ReferenceCell reference =
        new ReferenceCell(Kind.GRU, Elementwise.TANH, structure, Structure.DENSE, 3, 3, 4, 5);
    oneHot(reference.cell(), Shape.of(3, 4, 5));
  }

  private void oneHot(Cell cell, Shape shape) {
    int[] index = new Random(3).ints(shape.columns(), 0, shape.rows()).toArray();
    float[] dense = new float[shape.count()];
    for (int j = 0; j < index.length; j++) {
      dense[index[j] + j * shape.rows()] = 1;
    }
    Run expected = new Run(cell, tape.input(shape, dense));
    Map<String, float[]> gradients = Cells.gradients(expected.recur);
    OneHot hot = tape.oneHot(shape, index);
    for (Cell its : List.of(cell, new Plain(cell))) {
      Run run = new Run(its, hot);
      near("y", expected.y.toArray(), run.y.toArray(), FLOAT);
      near("gradient", gradients, Cells.gradients(run.recur), FLOAT);
    }
  }

  /** One column goes another way (gemv) than several (gemm). */
  @ParameterizedTest
  @EnumSource
  void aBatchEqualsItsColumns(Cells cells) {
    for (int out : new int[] {1, 3, 17}) {
      Recur recur = cells.make(3, out).on(device, 5);
      Tensor x = Cells.input(tape, 1, 3, 4, 5);
      Tensor y = recur.apply(x);
      tape.backward(y.mul(y).sum());
      Map<String, float[]> gradients = Cells.gradients(recur);
      float[] dx = x.gradientArray();
      recur.parameters().zeroGradients();
      Tensor sum = tape.input(0);
      for (int j = 0; j < 4; j++) {
        recur.reset();
        for (int t = 0; t < 5; t++) {
          Tensor alone = recur.apply(x.time(t).columns(j, j + 1));
          near("y", y.time(t).columns(j, j + 1).toArray(), alone.toArray(), FLOAT);
          sum = sum.add(alone.mul(alone).sum());
        }
      }
      tape.backward(sum);
      near("gradient", gradients, Cells.gradients(recur), FLOAT);
      near("dx", dx, x.gradientArray(), FLOAT);
    }
  }

  private Run run(ReferenceCell reference) {
    Tensor x = tape.variable(reference.inputShape(), reference.input(new Random(4)));
    return new Run(reference.cell(), x);
  }

  private static double[][] parameters(Recur recur) {
    return recur.cell().parameters().stream()
        .map(p -> doubles(p.toArray()))
        .toArray(double[][]::new);
  }
}

package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.Reference.doubles;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.ReferenceCell.Kind;
import io.recur.nn.ReferenceCell.Structure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernels for whole sequences at the sizes where their panels, tiles and parts end, on every
 * instruction set: values against the double-precision reference, gradients against the plain step.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class WholeSequenceTest {
  private final Device device;
  @AutoClose private final Tape tape;

  WholeSequenceTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  static Stream<ReferenceCell> references() {
    List<ReferenceCell> all = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (int units : new int[] {1, 15, 16, 17, 31, 32, 33, 65}) {
        all.add(reference(kind, 5, units, 3, 3));
      }
      for (int batch : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 47, 48, 49, 97}) {
        all.add(reference(kind, 5, 19, batch, 3));
      }
      all.add(reference(kind, 257, 33, 7, 2)); // terms beyond a panel's
      all.add(reference(kind, 3, 259, 13, 2));
      all.add(reference(kind, 3, 40, 256, 1));
      all.add(reference(kind, 3, 20, 2, 70)); // several steps of input in a tile
      all.add(reference(kind, 4, 18, 60, 9)); // runs of four steps for the gradients of the weights
      all.add(reference(kind, 3, 17, 1, 270)); // runs of 256
      all.add(reference(kind, 3, 420, 2, 2)); // weights that are asked for ahead
    }
    return all.stream();
  }

  private static ReferenceCell reference(Kind kind, int in, int out, int batch, int time) {
    return new ReferenceCell(
        kind, Elementwise.TANH, Structure.DENSE, Structure.DENSE, in, out, batch, time);
  }

  @ParameterizedTest
  @MethodSource("references")
  void valuesAreThoseOfTheReference(ReferenceCell reference) {
    Recur recur = new Recur(reference.cell()).on(device, 5);
    Tensor x = tape.input(reference.inputShape(), reference.input(new Random(4)));
    Tensor y = recur.apply(x);
    List<Parameter> parameters = recur.cell().parameters();
    double[][] wide = parameters.stream().map(p -> doubles(p.toArray())).toArray(double[][]::new);
    ReferenceCell.Result expected = reference.run(wide, doubles(x.toArray()));
    near("y", expected.y(), y.toArray(), FLOAT);
    near("h", expected.h(), recur.state().h().toArray(), FLOAT);
    if (reference.kind() == Kind.LSTM) {
      near("c", expected.c(), recur.state().c().toArray(), FLOAT);
    }
  }

  @ParameterizedTest
  @MethodSource("references")
  void gradientsAreThoseOfTheSteps(ReferenceCell reference) {
    Cell cell = reference.cell();
    Recur fast = new Recur(cell).on(device, 5);
    Tensor x = tape.variable(reference.inputShape(), reference.input(new Random(4)));
    Map<String, float[]> found = gradients(fast, x, reference);
    float[] dx = x.gradientArray();
    Recur plain = new Recur(new Plain(cell));
    near("gradient", gradients(plain, x, reference), found, FLOAT);
    near("dx", x.gradientArray(), dx, FLOAT);
  }

  /** With an input that takes no gradient, those of the gates are kept for two steps alone. */
  @ParameterizedTest
  @MethodSource("references")
  void gradientsOfAPlainInputAreThoseOfTheSteps(ReferenceCell reference) {
    Cell cell = reference.cell();
    Tensor x = tape.input(reference.inputShape(), reference.input(new Random(4)));
    Map<String, float[]> found = gradients(new Recur(cell).on(device, 5), x, reference);
    near("gradient", gradients(new Recur(new Plain(cell)), x, reference), found, FLOAT);
  }

  @ParameterizedTest
  @MethodSource("references")
  void gradientsOfAOneHotInputAreThoseOfTheSteps(ReferenceCell reference) {
    Cell cell = reference.cell();
    Shape shape = reference.inputShape();
    Tensor x = tape.oneHot(shape, new Random(3).ints(shape.columns(), 0, shape.rows()).toArray());
    Map<String, float[]> found = gradients(new Recur(cell).on(device, 5), x, reference);
    near("gradient", gradients(new Recur(new Plain(cell)), x, reference), found, FLOAT);
  }

  private Map<String, float[]> gradients(Recur recur, Tensor x, ReferenceCell reference) {
    recur.parameters().zeroGradients();
    Tensor y = recur.apply(x);
    Tensor loss = Cells.weighed(tape, y, 11);
    for (Tensor part : recur.state().parts()) {
      loss = loss.add(Cells.weighed(tape, part, 12));
    }
    tape.backward(loss);
    return Cells.gradients(recur);
  }

  /** A cell that runs as the loop over its steps. */
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
}

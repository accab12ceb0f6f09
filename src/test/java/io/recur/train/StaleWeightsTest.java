package io.recur.train;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A backward pass throws if the weights changed since forward: its gradient would be wrong. */
class StaleWeightsTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape other = Tape.on(device);

  /** A built-in cell that runs step by step. */
  private record Stepwise(Cell cell) implements Cell {
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

  private List<Recur> models() {
    return List.of(
        new Recur(new LSTMCell(2, 3)).on(device, 1),
        new Recur(new Stepwise(new LSTMCell(2, 3))).on(device, 1));
  }

  private Tensor x() {
    return tape.input(Shape.of(2, 1, 3), 1, -1, 2, 0, 1, 1);
  }

  private void isRefused(Tensor loss) {
    Thrown.says(
        IllegalStateException.class,
        () -> tape.backward(loss),
        "backward: parameter",
        "before the optimiser's step",
        "truncate()",
        "zero them");
  }

  @Test
  void aStepWithoutTruncateIsRefusedByTheNextBackward() {
    for (Recur model : models()) {
      Sgd sgd = new Sgd(0.5f);
      tape.backward(model.apply(x()).sum());
      sgd.step(model.parameters());
      isRefused(model.state().h().sum());
      isRefused(model.apply(x()).sum());
      model.reset();
      model.parameters().zeroGradients();
      tape.clear();
      tape.backward(model.apply(x()).sum());
      model.reset();
      tape.clear();
    }
  }

  @Test
  void anyWriteCounts() {
    Parameter w = Parameter.of(Shape.of(1, 2), 3, 4).on(device);
    Tensor y = w.matmul(tape.input(1, 2));
    w.value().write(5, 6);
    isRefused(y);
    Tensor view = w.columns(0, 1);
    Tensor z = view.matmul(tape.input(2));
    w.value().write(7, 8);
    isRefused(z);
    Tensor again = w.matmul(tape.input(1, 2));
    tape.backward(again);
    assertArrayEquals(new float[] {1, 2}, w.gradientArray());
  }

  /** Only what the backward reaches matters: another model on the same tape may be trained. */
  @Test
  void aParameterThatTheLossDoesNotReachMayBeWritten() {
    Layer one = dense(2, 1).on(device, 1);
    Layer two = dense(2, 1).on(device, 2);
    Tensor a = one.apply(tape.input(1, 2));
    Tensor b = two.apply(tape.input(1, 2));
    tape.backward(a);
    new Sgd(0.5f).step(one.parameters());
    tape.backward(b);
    isRefused(a);
  }

  @Test
  void usualTrainingIsNotRefused() {
    for (Recur cell : models()) {
      var model = chain(cell, dense(3, 1)).on(device, 1);
      Sgd sgd = new Sgd(0.1f);
      for (int i = 0; i < 4; i++) { // without a clear
        Tensor loss = model.apply(x()).sum();
        model.truncate(); // law 5: before backward it changes nothing
        tape.backward(loss);
        sgd.step(model.parameters());
      }
      model.truncate();
      tape.clear();
      for (int i = 0; i < 3; i++) { // several passes through one history, gradients added up
        tape.backward(model.apply(x()).sum());
      }
      sgd.step(model.parameters());
      model.truncate();
      model.parameters().copyFrom(chain(models().get(0), dense(3, 1)).on(device, 3).parameters());
      tape.backward(model.apply(x()).sum());
      model.reset();
      tape.clear();
    }
  }

  /** Operations that take a parameter and then fail, each in another way. */
  private List<Executable> failures(Parameter w, Tensor x) {
    return List.of(
        () -> OpContext.of("mine", w, x, other.input(1, 2)),
        () -> Repeat.repeat(tape, w, Shape.of(3, 4)),
        () -> { // a kernel that fails
          try (OpContext context = OpContext.of("mine", w, x)) {
            context.device().pointwise().scale(1, w.value(), x.value(), 1L << 40);
          }
        },
        () -> { // further inputs
          try (OpContext context = OpContext.of("mine", x)) {
            context.accept("mine", w);
            context.accept("mine", other.input(1, 2));
          }
        });
  }

  /** Operations on x or v, each of which begins in another way. */
  private List<Supplier<Tensor>> successes(Parameter v, Tensor x) {
    return List.of(
        x::sum, () -> x.add(v), () -> tape.use(v), () -> Repeat.repeat(tape, v, Shape.of(2, 3)));
  }

  /** An operation that failed has read nothing for the next one. */
  @Test
  void aFailedOperationLeavesNoTrace() {
    Parameter w = Parameter.of(Shape.of(2), 3, 4).on(device);
    Parameter v = Parameter.of(Shape.of(2), 5, 6).on(device);
    Tensor x = tape.variable(Shape.of(2), 1, 2);
    for (Executable failure : failures(w, x)) {
      for (Supplier<Tensor> success : successes(v, x)) {
        assertThrows(RuntimeException.class, failure);
        Tensor y = success.get();
        w.value().write(5, 6);
        tape.backward(y.sum());
      }
    }
    isRefusedOnceWritten(w, x);
  }

  /** The same parameter, read by an operation that did not fail. */
  private void isRefusedOnceWritten(Parameter w, Tensor x) {
    Tensor y = x.add(w).sum();
    w.value().write(7, 8);
    isRefused(y);
  }

  /** What is recorded and takes no gradient has read nothing for the next one either. */
  @Test
  void anOperationWithoutAGradientLeavesNoTrace() {
    Parameter fixed = Parameter.fixed(Shape.of(2), 3, 4).on(device);
    fixed.mul(tape.input(1, 2));
    Tensor x = tape.variable(Shape.of(2), 1, 2);
    try (OpContext context = OpContext.of("mine", x)) {
      Tensor y = context.record(x::accumulator, context.output(x.shape(), true));
      fixed.value().write(5, 6);
      tape.backward(y, 1, 1);
    }
  }
}

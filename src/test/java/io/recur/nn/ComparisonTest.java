package io.recur.nn;

import static io.recur.grad.Functions.log;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.sin;
import static io.recur.grad.Functions.tanh;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Graph;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The comparison of a compiled cell with its steps names cell, step and operation. */
class ComparisonTest {
  private static final int IN = 3;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Parameter w = Cells.random(IN, IN).named("W");
  private final Parameter h0 = Cells.random(IN, 1).named("h0");

  /** An operation that says that it doubles, and does so up to a limit only. */
  private record Doubled(Tensor x, Tensor y) implements Op {
    static Tensor upTo(float limit, Tensor x) {
      try (OpContext context = OpContext.of("doubled", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        float[] values = x.value().read();
        for (int i = 0; i < values.length; i++) {
          values[i] = values[i] > limit ? 3 : 2 * values[i];
        }
        y.value().write(values);
        return context.record(new Doubled(x, y), y);
      }
    }

    @Override
    public void trace(Trace trace) {
      trace.give(y, new Graph.Node.Affine(y.shape().rows(), trace.number(x), 2, 0));
    }

    @Override
    public void backward() {
      throw new IllegalStateException("no gradient is asked for");
    }
  }

  private Recur recur(Cell.StepFunction step) {
    return new Recur(step, h0, w).on(device, 1);
  }

  /** All calls are compared while this makes a Recur. */
  private static Recur checked(Supplier<Recur> maker) {
    System.setProperty("io.recur.check", "every");
    try {
      return maker.get();
    } finally {
      System.clearProperty("io.recur.check");
    }
  }

  private Tensor input(float... lasts) {
    float[] values = new float[IN * lasts.length];
    for (int t = 0; t < lasts.length; t++) {
      values[t * IN + IN - 1] = lasts[t];
    }
    return tape.input(Shape.of(IN, 1, lasts.length), values);
  }

  private static Step ended(Tensor h, Tensor planted) {
    Tensor y = tanh(planted.scale(0.1f)).add(h);
    return Step.step(h, y);
  }

  @Test
  void anOperationThatDoesNotWhatItSaysIsNamedWithItsStep() {
    Recur recur = recur((h, x) -> ended(h, Doubled.upTo(1, sigmoid(x).add(x))));
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(input(0, 0.1f, 5, 0)),
        "Recur(function",
        "y at step 2, value 2",
        "first at step 2, in operation 4, Affine[rows=3, a=3, factor=2.0, constant=0.0]",
        "step gives 3.00000 and the compiled cell 11.",
        "call stepwise()");
  }

  @Test
  void aStateThatTheOutputDoesNotShowIsFoundAtItsStep() {
    UnaryOperator<Tensor> planted = x -> Doubled.upTo(1, x);
    Recur recur = recur((h, x) -> Step.step(h.scale(0.9f).add(planted.apply(x)), x));
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(input(0, 5, 0)),
        "state 0 after step 2",
        "first at step 1, in operation 3, Affine[rows=3, a=0, factor=2.0");
  }

  @Test
  void whatAStepDoesLaterOnIsNamedByEveryCall() {
    float[] rate = {0.5f};
    Recur recur = checked(() -> recur((h, x) -> ended(h, w.matmul(x).scale(rate[0]))));
    recur.apply(input(1, 1));
    rate[0] = 0.25f;
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(input(1, 1)),
        "y at step 0",
        "first at step 0, in operation 3, which was Affine[rows=3, a=2, factor=0.5",
        "and is Affine[rows=3, a=2, factor=0.25");
  }

  @Test
  void theFirstOperationThatIsNotANumberIsNamed() {
    Recur recur = checked(() -> recur((h, x) -> ended(h, sigmoid(log(x.add(-1)).mul(x)).add(x))));
    recur.apply(tape.input(Shape.of(IN, 1), 2, 2, 2));
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(tape.input(Shape.of(IN, 1, 2), 2, 2, 2, 2, 0, 2)),
        "Recur(function",
        "step 1 is not a number, first in operation 3, Map[f=LOG");
  }

  @Test
  void aNumberThatIsNoneInWhatIsGivenIsNoFaultOfAnOperation() {
    Recur recur = checked(() -> recur((h, x) -> Step.step(x, h)));
    Thrown.says(
        IllegalStateException.class,
        () -> recur.apply(tape.input(Shape.of(IN, 1), 1, Float.NaN, 1)),
        "step 0 is not a number, first in what it is given");
  }

  /** Its rounding errors grow a hundredfold with each step. */
  private Recur chaotic(int units, UnaryOperator<Tensor> function) {
    Parameter matrix = Cells.random(units, units).named("W");
    return new Recur(
            (h, x) -> {
              Tensor y = function.apply(sin(matrix.matmul(h).scale(100).add(x)));
              return Step.step(y, y);
            },
            Cells.random(units, 1).named("h0"),
            matrix)
        .on(device, 1);
  }

  @Test
  void roundingThatTheCellMakesLargerIsNoDifference() {
    int units = 64;
    Shape shape = Shape.of(units, 2, 8);
    float[] values = Cells.values(new Random(1), units * 2 * 8);
    chaotic(units, y -> y).apply(tape.input(shape, values));
    Thrown.says(
        IllegalStateException.class,
        () -> chaotic(units, y -> Doubled.upTo(0.9f, y)).apply(tape.input(shape, values)),
        "y at step 0",
        "first at step 0, in operation");
  }
}

package io.recur.nn;

import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Softmax;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cells that no program can hold run step by step and say why, or throw. */
class StepByStepTest {
  private static final int SIZE = 4;
  private static final int BATCH = 3;

  @AutoClose private final Device device = Devices.here();

  /** The output of a step; the state becomes it. */
  private interface Output {
    Tensor of(Tensor h, Tensor x, int[] calls);
  }

  /** A cell with the reason that it must give. */
  private record Odd(String reason, Output output) {
    @Override
    public String toString() {
      return reason;
    }
  }

  static Stream<Odd> cells() {
    return Stream.of(
        new Odd("rows: 4 is a part of", (h, x, n) -> h.column(0).rows(0, 1).scalar() > 0 ? h : x),
        new Odd("toArray: the step reads", (h, x, n) -> h.scale(h.toArray()[0] > 0 ? 0.5f : 2)),
        new Odd("toArray: the step reads", (h, x, n) -> h.scale(x.toArray().length)),
        new Odd("value: the step reads", (h, x, n) -> h.scale(x.value().read()[0])),
        new Odd("factor=1.5", (h, x, n) -> h.add(x.scale(n[0] == 1 ? 1.5f : 1f / n[0]))),
        new Odd("a step must do the same", (h, x, n) -> n[0] % 2 == 0 ? h : tanh(h)),
        new Odd("a step must do the same", (h, x, n) -> h.scale(new Random().nextFloat())),
        new Odd("sum: it adds up all columns", (h, x, n) -> x.add(h.mul(h.sum().scale(0)))),
        new Odd("mean: it adds up", (h, x, n) -> h.sub(h.mean())),
        new Odd("is a part of", (h, x, n) -> h.add(h.column(0))),
        new Odd(
            "concat: it makes columns",
            (h, x, n) -> Concat.columns(h.columns(1, BATCH), h.columns(0, 1))),
        new Odd(
            "is a part of", (h, x, n) -> tanh(h.reshape(Shape.of(BATCH, SIZE))).reshape(h.shape())),
        new Odd("input: its values may", (h, x, n) -> h.add(x.tape().input(1, 2, 3, 4))),
        new Odd("oneHot: its values", (h, x, n) -> h.add(x.tape().oneHot(Shape.of(SIZE), 1))),
        new Odd("twice: no step with it", (h, x, n) -> Twice.of(h)),
        new Odd("withoutGradient", (h, x, n) -> x.tape().withoutGradient(() -> tanh(h))),
        new Odd("left factor is no parameter", (h, x, n) -> h.matmul(x.rows(0, BATCH))),
        new Odd("toArray: the step reads", (h, x, n) -> h.add(x.scale(h.mul(x).toArray()[0]))),
        new Odd("concat: it makes columns", (h, x, n) -> Concat.columns(h, x).columns(0, BATCH)));
  }

  private static Recur recur(Device device, Output output) {
    int[] calls = {0};
    return new Recur(
            (h, x) -> {
              calls[0]++;
              Tensor y = output.of(h, x, calls);
              return Step.step(y, y);
            },
            Parameter.of(Shape.of(SIZE, 1), 0.1f, 0.2f, 0.3f, 0.4f))
        .on(device, 1);
  }

  private static Tensor input(Tape tape) {
    return Cells.input(tape, 1, SIZE, BATCH, 2);
  }

  @ParameterizedTest
  @MethodSource("cells")
  void anOddCellRunsStepByStepAndSaysWhyAtItsFirstCall(Odd odd) {
    try (Tape tape = Tape.on(device)) {
      Recur recur = recur(device, odd.output());
      Tensor y;
      try {
        y = recur.apply(input(tape));
      } catch (RuntimeException e) { // as its own steps do
        Recur steps = recur(device, odd.output()).stepwise();
        Thrown.says(e.getClass(), () -> steps.apply(input(tape)), e.getMessage());
        return;
      }
      assertTrue(recur.explain().contains(odd.reason()), recur.explain());
      assertEquals(BATCH, y.shape().batch());
      Recur required = recur(device, odd.output()).requireCompiled();
      Thrown.says(
          IllegalStateException.class,
          () -> required.apply(input(tape)),
          "requireCompiled() was called",
          odd.reason());
      assertTrue(required.isFresh());
    }
  }

  @Test
  void aStepWithoutSideEffectsGivesTheSameAsBefore() {
    Output reads = (h, x, n) -> h.scale(x.toArray()[0] > 0 ? 0.5f : 2);
    try (Tape tape = Tape.on(device)) {
      float[] plain = recur(device, reads).apply(input(tape)).toArray();
      float[] steps = recur(device, reads).stepwise().apply(input(tape)).toArray();
      assertArrayEquals(steps, plain);
    }
  }

  @Test
  void nothingIsLeftOnTheUsersTape() {
    Output reads = (h, x, n) -> h.add(x.scale(h.toArray()[0]));
    try (Tape tape = Tape.on(device);
        Tape twin = Tape.on(device)) {
      recur(device, reads).apply(input(tape));
      recur(device, reads).stepwise().apply(input(twin));
      assertEquals(twin.length(), tape.length());
    }
  }

  @Test
  void aTensorOfAnotherTapeThrowsAsBefore() {
    try (Tape tape = Tape.on(device);
        Tape other = Tape.on(device)) {
      Tensor outside = other.input(1, 2, 3, 4);
      Recur recur = recur(device, (h, x, n) -> h.add(outside));
      Thrown.says(IllegalStateException.class, () -> recur.apply(input(tape)), "on two tapes");
      Tensor memory = tape.input(1, 2, 3, 4);
      Recur attends = recur(device, (h, x, n) -> h.add(memory));
      attends.apply(input(tape));
      assertTrue(attends.explain().contains("a tensor of another tape"), attends.explain());
    }
  }

  @Test
  void aHiddenRecurIsRefusedBeforeItsStateMoves() {
    Recur hidden = Layers.rnn(SIZE, SIZE).on(device, 1);
    Recur recur = recur(device, (h, x, n) -> hidden.apply(x).add(h));
    try (Tape tape = Tape.on(device)) {
      recur.apply(input(tape));
      assertTrue(recur.explain().contains("inside a step, which hides its state"), recur.explain());
      Recur twin = Layers.rnn(SIZE, SIZE).on(device, 1);
      twin.apply(input(tape));
      assertArrayEquals(twin.state().h().toArray(), hidden.state().h().toArray());
    }
  }

  @Test
  void aFieldThatKeepsATensorThrows() {
    List<Tensor> kept = new ArrayList<>();
    Recur recur =
        recur(
            device,
            (h, x, n) -> {
              Tensor y = kept.isEmpty() ? tanh(h) : tanh(h).add(kept.getLast());
              kept.add(y);
              return y;
            });
    try (Tape tape = Tape.on(device)) {
      Thrown.says(
          IllegalStateException.class,
          () -> recur.apply(input(tape)),
          "traced step, which has kept a tensor",
          "stepwise()");
      kept.clear();
      recur.stepwise().apply(input(tape));
    }
  }

  @Test
  void aStateThatChangesItsSizeRunsStepByStep() {
    Recur recur =
        new Recur((h, x) -> Step.step(Concat.rows(h, x), x), Parameter.fixed(Shape.of(1, 1), 0))
            .on(device, 1);
    try (Tape tape = Tape.on(device)) {
      recur.apply(input(tape));
      assertEquals(Shape.of(1 + 2 * SIZE, BATCH), recur.state().h().shape());
      assertTrue(recur.explain().contains("has 1 rows and then 5"), recur.explain());
    }
  }

  @Test
  void anExceptionAtTheSecondCallIsThatOfTheUsersCall() {
    Output throwing =
        (h, x, n) -> {
          if (n[0] > 1) {
            throw new UnsupportedOperationException("call " + n[0]);
          }
          return h;
        };
    try (Tape tape = Tape.on(device)) {
      Recur recur = recur(device, throwing);
      Thrown.says(UnsupportedOperationException.class, () -> recur.apply(input(tape)), "call 3");
      assertEquals("no call yet", recur.explain().lines().toList().getLast().strip());
    }
  }

  @Test
  void aReasonGoesWithItsCause() {
    Parameter late = Parameter.of(Shape.of(SIZE), 1, 2, 3, 4).named("late");
    Recur recur = recur(device, (h, x, n) -> h.mul(late));
    try (Tape tape = Tape.on(device)) {
      Thrown.says(IllegalStateException.class, () -> recur.apply(input(tape)), "late");
      late.on(device);
      recur.requireCompiled().apply(input(tape));
    }
  }

  @Test
  void aCounterThatShowsAfterTheTraceIsCaughtByTheComparison() {
    Recur recur = recur(device, (h, x, n) -> h.add(n[0] > 2 ? x : x.scale(2)));
    try (Tape tape = Tape.on(device)) {
      Thrown.says(
          IllegalStateException.class,
          () -> recur.apply(input(tape)),
          "Recur(function, state 4×1): y at step 0",
          "step gives",
          "the compiled cell",
          "stepwise()");
      assertTrue(recur.isFresh());
      recur.stepwise().apply(input(tape));
    }
  }

  @Test
  void aSoftmaxOfAStateIsCompiled() {
    Recur recur = recur(device, (h, x, n) -> Softmax.softmax(h.add(x))).requireCompiled();
    Recur steps = recur.fork().stepwise();
    try (Tape tape = Tape.on(device)) {
      float[] expected = steps.apply(input(tape)).toArray();
      assertArrayEquals(expected, recur.apply(input(tape)).toArray(), 1e-6f);
    }
  }

  /** A user's operation that does not describe itself. */
  private record Twice(Tensor x, Tensor y) implements Op {
    static Tensor of(Tensor x) {
      try (OpContext context = OpContext.of("twice", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
        return context.record(new Twice(x, y), y);
      }
    }

    @Override
    public void backward() {
      x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
    }
  }
}

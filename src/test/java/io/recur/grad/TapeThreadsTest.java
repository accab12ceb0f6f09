package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Elsewhere;
import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A tape is used by one thread at a time. */
class TapeThreadsTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Parameter w = Parameter.of(Shape.of(1, 2), 3, 4).on(device);

  /** Every use of a tape and its tensors that changes or reads them. */
  private Map<String, Executable> uses() {
    Tensor x = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    OneHot hot = tape.oneHot(Shape.of(2, 2), 0, 1);
    Tensor y = w.matmul(x).sum();
    tape.backward(y);
    Resident resident = () -> "somebody";
    Map<String, Executable> uses = new LinkedHashMap<>();
    uses.put("input", () -> tape.input(1, 2));
    uses.put("input of a shape", () -> tape.input(Shape.of(1, 2), 1, 2));
    uses.put("variable", () -> tape.variable(Shape.of(1, 2), 1, 2));
    uses.put("oneHot", () -> tape.oneHot(Shape.of(2, 1), 1));
    uses.put("seed", () -> tape.seed(1));
    uses.put("withoutGradient", () -> tape.withoutGradient(() -> 1));
    uses.put("context", () -> OpContext.of("context", x).close());
    uses.put("context of a tape", () -> OpContext.of(tape, "context", w).close());
    uses.put("use", () -> tape.use(w));
    uses.put("backward", () -> tape.backward(y));
    uses.put("backward of a gradient", () -> tape.backward(y, 1f));
    uses.put("hold", () -> tape.hold(resident));
    uses.put("release", () -> tape.release(resident));
    uses.put("enter", () -> tape.enter().close());
    uses.put("clear", tape::clear);
    uses.put("close", tape::close);
    uses.put("toArray", x::toArray);
    uses.put("scalar", y::scalar);
    uses.put("gradient", x::gradient);
    uses.put("gradientArray", x::gradientArray);
    uses.put("reshape", () -> x.reshape(Shape.of(4)));
    uses.put("column", () -> x.column(0));
    uses.put("one-hot values", hot::value);
    uses.put("one-hot column", () -> hot.column(0));
    uses.put("matmul", () -> w.matmul(x));
    uses.put("matmul of one-hot", () -> w.matmul(hot));
    uses.put("add", () -> x.add(x));
    uses.put("sub", () -> x.sub(x));
    uses.put("mul", () -> x.mul(x));
    uses.put("scale", () -> x.scale(2));
    uses.put("rows", () -> x.rows(0, 1));
    uses.put("sum", x::sum);
    uses.put("mean", x::mean);
    uses.put("tanh", () -> Functions.tanh(x));
    uses.put("concat", () -> Concat.rows(x, x));
    uses.put("concat time", () -> Concat.time(List.of(x, x)));
    uses.put("dropout", () -> Drop.dropout(x, 0.5f));
    uses.put("softmax", () -> Softmax.softmax(x));
    uses.put("crossEntropy", () -> CrossEntropy.crossEntropy(x, hot));
    uses.put("meanSquaredError", () -> MeanSquaredError.meanSquaredError(x, x));
    uses.put("repeat", () -> Repeat.repeat(tape, x.column(0), Shape.of(2, 3)));
    return uses;
  }

  @Test
  void aSecondThreadIsRefusedEveryUse() {
    Map<String, Executable> uses = uses();
    long bytes = tape.bytes();
    int length = tape.length();
    try (var _ = tape.enter()) {
      uses.forEach((_, use) -> Elsewhere.isRefused("tape", use));
    }
    assertEquals(bytes, tape.bytes());
    assertEquals(length, tape.length());
    assertFalse(tape.isOpen()); // a close is refused, but the calls after the present one are too
  }

  /** The cases CloseLeak and CloseWhileRunning: a server shuts down while a request runs. */
  @Test
  void aRefusedCloseFreesAllWhenCalledAgain() throws InterruptedException {
    Buffer memory = tape.input(new float[16]).value();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch mayLeave = new CountDownLatch(1);
    AtomicReference<IllegalStateException> end = new AtomicReference<>();
    Thread worker =
        new Thread(
            () -> {
              try (var _ = tape.enter()) {
                inside.countDown();
                while (mayLeave.getCount() > 0) {
                  Thread.onSpinWait();
                }
              }
              end.set(assertThrows(IllegalStateException.class, () -> tape.input(1f)));
            });
    worker.start();
    inside.await();
    Thrown.says(IllegalStateException.class, tape::close, "while thread", "was inside");
    memory.segment(); // nothing was given back
    mayLeave.countDown();
    worker.join();
    assertEquals("tape: it is closed; open a new one with Tape.on(device)", end.get().getMessage());
    tape.close();
    Thrown.says(IllegalStateException.class, memory::read, "given back");
  }

  /** Each thread sees what the one before wrote; only the last uses end the tensors. */
  @Test
  void threadsInTurnMayDoAllOfThem() throws Throwable {
    for (Map.Entry<String, Executable> use : uses().entrySet()) {
      if (!List.of("clear", "close").contains(use.getKey())) {
        Elsewhere.run(use.getValue());
      }
    }
    Elsewhere.run(tape::clear);
    Tensor y = w.matmul(tape.input(1, 2));
    Elsewhere.run(() -> assertArrayEquals(new float[] {11}, y.toArray()));
    Elsewhere.run(() -> tape.backward(y));
    // (4, 6) from each of uses(), "backward" and "backward of a gradient", then x
    assertArrayEquals(new float[] {3 * 4 + 1, 3 * 6 + 2}, w.gradientArray());
  }

  /** An operation of x with this backward. */
  private static Tensor recorded(Tensor x, Op op) {
    try (OpContext context = OpContext.of("mine", x)) {
      return context.record(op, context.output(x.shape(), true));
    }
  }

  @Test
  void backwardHoldsTheTapeWhileAUsersOperationRuns() {
    Tensor x = tape.variable(Shape.of(1), 2);
    Tensor y = recorded(x, () -> Elsewhere.isRefused("tape", tape::clear));
    tape.backward(y, 1f);
    tape.withoutGradient(
        () -> {
          Elsewhere.isRefused("tape", x::toArray);
          return x;
        });
  }

  @Test
  void whatThrowsInsideLeavesTheTapeToOthers() throws Throwable {
    Tensor x = tape.variable(Shape.of(2, 2), 1, 2, 3, 4);
    Tensor y =
        recorded(
            x,
            () -> {
              throw new ArithmeticException();
            });
    assertThrows(ArithmeticException.class, () -> tape.backward(y, 1, 1, 1, 1));
    assertThrows(ShapeException.class, () -> x.add(tape.input(1, 2, 3)));
    assertThrows(ShapeException.class, () -> tape.input(Shape.of(3), 1));
    assertThrows(
        ArithmeticException.class,
        () ->
            tape.withoutGradient(
                () -> {
                  throw new ArithmeticException();
                }));
    Elsewhere.run(x::toArray);
    assertTrue(tape.isRecording());
  }

  /** Forks share the gradients of their model, whatever tape they are on. */
  @Test
  void oneBackwardAtATimeReachesAParameter() throws Throwable {
    try (var _ = w.placement().slabs().enter()) {
      try (Tape other = Tape.on(device)) {
        Elsewhere.isRefused(
            "gradients of a model", () -> other.backward(w.matmul(other.input(1, 2))));
        Elsewhere.run(() -> w.matmul(other.input(1, 2)).toArray());
      }
    }
    try (Tape other = Tape.on(device)) {
      Elsewhere.run(() -> other.backward(w.matmul(other.input(1, 2))));
    }
    assertArrayEquals(new float[] {1, 2}, w.gradientArray());
  }
}

package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Elsewhere;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What the author of an operation is given, and when it is refused. */
class OpContextTest {
  private static final String NOT_OPEN = "operation: its context is not open on this thread";

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Tensor x = tape.variable(Shape.of(2), 1, 2);

  private static List<Executable> uses(OpContext context, Tensor x) {
    return List.of(
        () -> context.accept("mine", x),
        () -> context.reuse(Affine.class, Affine::new),
        () -> context.output(x.shape(), true),
        () -> context.output(x.shape(), 2, true),
        () -> context.output(x.shape(), 2, x.value(), true),
        () -> context.scratch(1),
        () -> context.backwardScratch(1),
        () -> context.record(() -> {}, x),
        () -> context.recordAll(() -> {}, x));
  }

  @Test
  void aContextIsUsedFromOfToClose() throws Throwable {
    OpContext context = OpContext.of("mine", x);
    for (Executable use : uses(context, x)) {
      use.execute();
      Elsewhere.run(() -> Thrown.says(IllegalStateException.class, use, NOT_OPEN));
    }
    context.close();
    for (Executable use : uses(context, x)) {
      Thrown.says(IllegalStateException.class, use, NOT_OPEN);
    }
    Thrown.says(IllegalStateException.class, context::close, "is not inside");
  }

  @Test
  void backwardMayUseTheContext() {
    AtomicReference<float[]> read = new AtomicReference<>();
    Tensor y;
    try (OpContext context = OpContext.of("mine", x)) {
      y = context.output(x.shape(), true);
      context.record(
          () -> {
            var scratch = context.backwardScratch(2);
            context.device().pointwise().scale(3, y.gradient(), scratch, 2);
            read.set(scratch.slice(0, 2).read());
          },
          y);
    }
    tape.backward(y, 10, 20);
    assertArrayEquals(new float[] {30, 60}, read.get());
  }

  /** So an operation allocates none. */
  @Test
  void operationsWithinEachOtherShareOneContext() throws Throwable {
    try (OpContext outer = OpContext.of("outer", x)) {
      try (OpContext inner = OpContext.of("inner", x, x)) {
        assertSame(outer, inner);
      }
      assertSame(tape, outer.tape());
      Elsewhere.isRefused("tape", () -> x.scale(2));
    }
    Elsewhere.run(() -> x.scale(2));
  }

  @Test
  void anOperationThatRefusesItsInputsLeavesTheTapeToOthers() throws Throwable {
    try (Tape other = Tape.on(device)) {
      Tensor foreign = other.input(1);
      Parameter unplaced = Parameter.zeros(Shape.of(2));
      for (Executable refused :
          List.<Executable>of(
              () -> OpContext.of("mine", x, foreign),
              () -> OpContext.of("mine", x, x, foreign),
              () -> OpContext.of(tape, "mine", foreign),
              () -> OpContext.of("mine", x, unplaced),
              () -> OpContext.of("mine", x, x, unplaced),
              () -> OpContext.of(tape, "mine", unplaced))) {
        Thrown.says(IllegalStateException.class, refused);
        Elsewhere.run(() -> x.scale(2));
      }
    }
  }

  /** What was cleared between an operation's first call and its last is not recorded. */
  @Test
  void aStaleOutputIsNotRecorded() {
    try (OpContext context = OpContext.of("mine", x)) {
      Tensor y = context.output(Shape.of(1), true);
      tape.clear();
      Thrown.says(IllegalStateException.class, () -> context.record(() -> {}, y), "cleared");
      Thrown.says(IllegalStateException.class, () -> context.recordAll(() -> {}, y), "cleared");
    }
    assertEquals(0, tape.length());
  }

  @Test
  void aClosedTapeGivesNoMemory() {
    try (OpContext context = OpContext.of("mine", x)) {
      tape.close();
      for (Executable use :
          List.<Executable>of(
              () -> context.scratch(1),
              () -> context.backwardScratch(1),
              () -> context.output(Shape.of(1), true))) {
        Thrown.says(IllegalStateException.class, use, "tape: it is closed");
      }
    }
  }

  @Test
  void scratchIsFreeAgainAfterClear() {
    try (OpContext context = OpContext.of("mine", x)) {
      tape.clear();
      long address = context.scratch(10).segment().address();
      tape.clear();
      assertEquals(address, context.scratch(10).segment().address());
      assertTrue(tape.bytes() > 0);
    }
  }
}

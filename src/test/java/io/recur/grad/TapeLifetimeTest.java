package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** When a tape's tensors may be used, and what is said when they may not. */
class TapeLifetimeTest {
  private static final String STALE = "was made before the tape was cleared";
  private static final String CLOSED = "tape: it is closed; open a new one with Tape.on(device)";

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** Everything that can be asked of a tensor; y is another one, live or dead. */
  private static List<Executable> uses(Tensor x, Tensor y) {
    return List.of(
        x::value,
        x::toArray,
        x::gradient,
        x::gradientArray,
        x::accumulator,
        x.reshape(x.shape())::value,
        () -> x.add(y),
        () -> y.sub(x),
        () -> x.mul(x),
        () -> x.matmul(y),
        () -> x.scale(2),
        () -> x.rows(0, 1),
        x::sum,
        x::mean,
        () -> Functions.tanh(x),
        () -> Softmax.softmax(x),
        () -> Concat.rows(x, y),
        () -> Concat.time(List.of(y, x)),
        () -> Drop.dropout(x, 0.5f),
        () -> MeanSquaredError.meanSquaredError(x, y),
        () -> CrossEntropy.crossEntropy(x, y));
  }

  @Test
  void afterClearEveryUseOfAnOldTensorThrows() {
    Tensor x = tape.variable(Shape.of(1), 2);
    List<Executable> uses = uses(x, tape.input(1f));
    tape.clear();
    Tensor fresh = tape.input(1f);
    for (Executable use : uses) {
      Thrown.says(IllegalStateException.class, use, "tensor: 1", STALE);
    }
    Thrown.says(IllegalStateException.class, () -> tape.backward(x), STALE);
    Thrown.says(IllegalStateException.class, () -> fresh.add(x), STALE);
    Thrown.says(IllegalStateException.class, () -> tape.use(x), STALE);
    Thrown.says(IllegalStateException.class, () -> Repeat.repeat(tape, x, Shape.of(1, 2)), STALE);
    assertEquals(1, fresh.scalar());
  }

  @Test
  void afterCloseEveryUseThrows() {
    Tensor x = tape.variable(Shape.of(1), 2);
    List<Executable> uses = uses(x, tape.input(1f));
    Buffer values = x.value();
    tape.close();
    for (Executable use : uses) {
      Thrown.says(IllegalStateException.class, use, CLOSED);
    }
    Thrown.says(IllegalStateException.class, values::read, "closed");
    Thrown.says(IllegalStateException.class, () -> tape.input(1f), CLOSED);
    Thrown.says(IllegalStateException.class, () -> tape.oneHot(Shape.of(1), 0), CLOSED);
    Thrown.says(IllegalStateException.class, () -> tape.backward(x), CLOSED);
    Thrown.says(IllegalStateException.class, () -> OpContext.of("mine", x), CLOSED);
    Thrown.says(IllegalStateException.class, tape::clear, CLOSED);
    assertFalse(tape.isOpen());
    tape.close(); // a second one does nothing
  }

  @Test
  void afterTheDevicesCloseUseThrows() {
    Device brief = Devices.opened();
    Tape its = Tape.on(brief);
    Tensor x = its.variable(Shape.of(1), 2);
    brief.close();
    Thrown.says(IllegalStateException.class, () -> x.scale(2), "is closed; open it before");
    Thrown.says(IllegalStateException.class, () -> its.backward(x), "is closed; open it before");
    Thrown.says(IllegalStateException.class, () -> Tape.on(brief), "is closed; open it before");
    its.close(); // the order does not matter
  }

  @Test
  void tensorsOfTwoTapesInOneOperationThrow() {
    try (Tape other = Tape.on(device)) {
      Tensor x = tape.variable(Shape.of(1), 2);
      Tensor y = other.variable(Shape.of(1), 3);
      for (Executable use :
          List.<Executable>of(
              () -> x.add(y),
              () -> x.sub(y),
              () -> x.mul(y),
              () -> x.matmul(y),
              () -> x.matmul(other.oneHot(Shape.of(1), 0)),
              () -> Concat.rows(x, y),
              () -> Concat.columns(x, y),
              () -> Concat.time(List.of(x, y)),
              () -> MeanSquaredError.meanSquaredError(x, y),
              () -> CrossEntropy.crossEntropy(x, y),
              () -> CrossEntropy.crossEntropy(x, other.oneHot(Shape.of(1), 0)))) {
        Thrown.says(IllegalStateException.class, use, "its tensors are on two tapes");
      }
      assertEquals(0, tape.length() + other.length());
    }
  }

  @Test
  void parametersOnNoTapeThrow() {
    Parameter w = Parameter.of(Shape.of(1), 2).on(device);
    for (Executable use :
        List.<Executable>of(
            () -> w.add(w),
            () -> w.matmul(w),
            () -> w.scale(2),
            w::sum,
            () -> Softmax.softmax(w),
            () -> Concat.rows(w, w))) {
      Thrown.says(
          IllegalStateException.class,
          use,
          "none of its tensors is on a tape; lift one with tape.use(parameter)");
    }
  }

  @Test
  void clearForgetsTheOperations() {
    Parameter w = Parameter.of(Shape.of(1), 2).on(device);
    w.mul(tape.input(3f));
    assertEquals(1, tape.length());
    tape.clear();
    assertEquals(0, tape.length());
    tape.backward(w.mul(tape.input(5f)));
    assertArrayEquals(new float[] {5}, w.gradientArray());
  }

  @Test
  void memoryIsFlatOverManySteps() {
    Parameter w = Parameter.glorot(100, 100).on(device);
    long before = 0;
    for (int step = 0; step < Devices.rounds(50); step++) {
      Tensor x = tape.input(Shape.of(100, 32), new float[3200]);
      for (int t = 0; t < 20; t++) {
        x = Functions.tanh(w.matmul(x));
      }
      tape.backward(x.mean());
      tape.clear();
      if (step == 0) {
        before = tape.bytes();
      }
    }
    assertEquals(before, tape.bytes());
  }

  @Test
  void memoryIsFlatOverManyBackwardsThroughOneHistory() {
    Parameter w = Parameter.glorot(100, 100).on(device);
    Tensor y = w.matmul(tape.input(Shape.of(100, 32), new float[3200])).mean();
    tape.backward(y);
    long before = tape.bytes();
    for (int pass = 0; pass < Devices.rounds(500); pass++) {
      tape.backward(y);
      y.gradientArray();
    }
    assertEquals(before, tape.bytes());
  }

  @Test
  void aResidentRefusesClearAndIsNamed() {
    Tensor x = tape.input(1f);
    Resident state = () -> "Recur(mine)";
    tape.hold(state);
    Thrown.says(
        IllegalStateException.class,
        tape::clear,
        "clear: Recur(mine) still holds a state of this tape",
        "call truncate() first to keep its value, or reset() to drop it");
    assertEquals(1, x.scalar()); // the tape is unchanged
    tape.hold(state);
    tape.release(state);
    tape.clear();
    Thrown.says(IllegalStateException.class, x::value, STALE);
  }

  @Test
  void closeReleasesTheResidents() {
    tape.hold(() -> "Recur(mine)");
    tape.close();
    assertFalse(tape.isOpen());
  }
}

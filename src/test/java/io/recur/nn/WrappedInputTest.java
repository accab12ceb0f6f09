package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** An input in a buffer of the user's is read where it is, and a write to it is never missed. */
class WrappedInputTest {
  private static final Shape SHAPE = Shape.of(2, 1, 3);
  private static final float[] VALUES = {1, -1, 2, 0, 1, 1};

  @AutoClose private final Device device = Devices.opened();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Buffer buffer = device.allocate(SHAPE.count());
  private final Recur model = new Recur(new LSTMCell(2, 3)).on(device, 1);

  WrappedInputTest() {
    buffer.write(VALUES);
  }

  private static float[] gradient(Recur model) {
    float[] gradient = model.parameters().iterator().next().gradientArray();
    model.parameters().zeroGradients();
    return gradient;
  }

  @Test
  void itIsReadWhereItIs() {
    long before = tape.bytes();
    Tensor x = tape.wrap(SHAPE, buffer);
    assertEquals(before, tape.bytes());
    assertTrue(x.value().isAt(buffer));
    assertFalse(x.isDifferentiable());
    assertArrayEquals(VALUES, x.toArray());
    assertArrayEquals(new float[] {2, 0}, x.time(1).toArray());
    assertEquals(6, tape.wrap(SHAPE, device.allocate(9)).toArray().length);
  }

  @Test
  void outputsAndGradientsAreThoseOfACopy() {
    Tensor copied = model.apply(tape.input(SHAPE, VALUES));
    float[] expected = copied.toArray();
    tape.backward(copied.sum());
    float[] gradient = gradient(model);
    model.reset();
    Tensor y = model.apply(tape.wrap(SHAPE, buffer));
    assertArrayEquals(expected, y.toArray());
    tape.backward(y.sum());
    assertArrayEquals(gradient, gradient(model));
  }

  @Test
  void theNextValuesAreReadByTheNextOperation() {
    Tensor x = tape.wrap(SHAPE, buffer);
    buffer.write(0, 0, 0, 0, 0, 7);
    assertEquals(7, x.sum().scalar());
  }

  private void isRefused(UnaryOperator<Tensor> loss, Buffer written) {
    Tensor sum = loss.apply(tape.wrap(SHAPE, buffer)).sum();
    written.write(new float[(int) written.floats()]);
    Thrown.says(
        IllegalStateException.class,
        () -> tape.backward(sum),
        "backward: the buffer of a wrapped input 2×1×3 was written since",
        "tape.use(Tensor.constant(shape, buffer))");
    model.parameters().zeroGradients();
    model.reset();
    tape.clear();
  }

  @Test
  void aBackwardPassIsRefusedOnceTheBufferWasWritten() {
    Layer dense = Layers.dense(2, 3).on(device, 2);
    isRefused(model::apply, buffer);
    isRefused(model.stepwise()::apply, buffer);
    isRefused(x -> model.apply(x.time(1)), buffer);
    isRefused(x -> model.apply(x.times(0, 2)), buffer.slice(5, 1));
    isRefused(x -> dense.apply(x.time(0)), buffer);
  }

  @Test
  void theNextValuesMayComeOnceTheTapeIsClear() {
    tape.backward(model.apply(tape.wrap(SHAPE, buffer)).sum());
    buffer.write(VALUES);
    model.truncate();
    tape.clear();
    tape.backward(model.apply(tape.wrap(SHAPE, buffer)).sum());
    model.truncate();
    tape.clear();
    tape.backward(model.apply(tape.input(SHAPE, VALUES)).sum()); // has the place of a wrapped one
    buffer.write(VALUES);
    tape.backward(model.state().h().sum());
    model.reset();
  }

  @Test
  void aBufferThatCannotBeReadIsRefused() {
    Thrown.says(
        ShapeException.class,
        () -> tape.wrap(Shape.of(7), buffer),
        "wrap: shape=7, buffer of 6 floats; need 7");
    try (Device other = Device.cpu()) {
      Thrown.says(
          IllegalStateException.class,
          () -> tape.wrap(SHAPE, other.allocate(6)),
          "wrap: the buffer is on",
          "allocate it on the tape's device");
    }
    Tensor x = tape.wrap(SHAPE, buffer);
    tape.clear();
    Thrown.says(IllegalStateException.class, x::toArray, "cleared");
    Buffer gone;
    try (Tape closed = Tape.on(device)) {
      gone = closed.input(SHAPE, VALUES).value();
    }
    Thrown.says(IllegalStateException.class, () -> tape.wrap(SHAPE, gone), "given back");
  }

  @Test
  void aStepCannotHideOne() {
    Recur own =
        new Recur(
                (h, x) -> Step.step(h.add(x.tape().wrap(Shape.of(2, 1), buffer.slice(0, 2))), h),
                Parameter.fixed(Shape.of(2, 1), 0, 0))
            .requireCompiled()
            .on(device, 0);
    Thrown.says(
        IllegalStateException.class,
        () -> own.apply(tape.wrap(SHAPE, buffer)),
        "wrap",
        "its values may differ from call to call; make it a Parameter.fixed");
  }
}

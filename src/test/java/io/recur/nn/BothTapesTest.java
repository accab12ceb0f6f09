package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A cell that has run without a record has gradients as one that has not, and the other way about:
 * what is compiled for one kind of tape does not serve the other.
 */
class BothTapesTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape inference = Tape.inference(device);

  @ParameterizedTest
  @EnumSource
  void neitherNoticesTheOther(Cells cells) {
    Recur first = cells.make(IN, OUT).on(device, 1);
    Recur second = cells.make(IN, OUT).on(device, 1);
    second.parameters().copyFrom(first.parameters());
    float[] answer = answer(first);
    Map<String, float[]> gradients = gradients(first);
    gradients(second).forEach((name, dw) -> assertArrayEquals(dw, gradients.get(name), name));
    assertArrayEquals(answer, answer(second));
  }

  private float[] answer(Recur recur) {
    float[] y = recur.apply(Cells.input(inference, 1, IN, 2, 5)).toArray();
    recur.reset();
    inference.clear();
    return y;
  }

  private Map<String, float[]> gradients(Recur recur) {
    Tensor x = Cells.input(tape, 2, IN, 2, 5);
    tape.backward(Cells.weighed(tape, recur.apply(x), 3));
    Map<String, float[]> gradients = new HashMap<>(Cells.gradients(recur));
    gradients.put("x", x.gradientArray());
    recur.reset();
    tape.clear();
    return gradients;
  }
}

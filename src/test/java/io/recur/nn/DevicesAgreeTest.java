package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Precision;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The device of this run gives the processor's answers: outputs, states and gradients. */
class DevicesAgreeTest {
  private static final int IN = 19;
  private static final int OUT = 33;
  private static final int BATCH = 5;
  private static final int TIME = 7;

  /** Factors of 8 bits: what a user of bf16 accepts. */
  private static final double BF16 = 2e-2;

  @AutoClose private final Device cpu = Device.cpu();

  /** Everything that a sequence, a step after it and their backward pass give. */
  private static Map<String, float[]> answers(Layer model, Device device) {
    try (Tape tape = Tape.on(device)) {
      Map<String, float[]> answers = new LinkedHashMap<>();
      Tensor x = Cells.input(tape, 1, IN, BATCH, TIME);
      Tensor y = model.apply(x);
      Tensor next = model.apply(Cells.input(tape, 2, IN, BATCH));
      tape.backward(Cells.weighed(tape, y, 3).add(Cells.weighed(tape, next, 4)));
      answers.put("y", y.toArray());
      answers.put("next", next.toArray());
      answers.put("dx", x.gradientArray());
      Cells.gradients(model).forEach((name, values) -> answers.put("d" + name, values));
      int state = 0;
      for (Recur recur : model.recurs()) {
        for (float[] values : Cells.values(recur.state())) {
          answers.put("state" + state++, values);
        }
      }
      model.reset();
      return answers;
    }
  }

  @ParameterizedTest
  @EnumSource(to = "MGU") // the catalogue is compared with PyTorch on each device
  void everyCellGivesTheSameAnswers(Cells cells) {
    try (Device here = Devices.here()) {
      near(
          cells.toString(),
          answers(cells.make(IN, OUT).on(cpu, 7), cpu),
          answers(cells.make(IN, OUT).on(here, 7), here),
          2 * FLOAT); // two devices add up in two orders, each within FLOAT of the exact sum
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyPrecisionKeepsItsTolerance(Precision precision) {
    assumeFalse(Devices.isCpu(), "the processor multiplies in float32 alone");
    try (Device here = Device.of(Devices.name(), precision)) {
      near(
          precision.toString(),
          answers(stack().on(cpu, 7), cpu),
          answers(stack().on(here, 7), here),
          precision == Precision.FLOAT32 ? FLOAT : BF16);
    }
  }

  private static Chain stack() {
    return chain(lstm(IN, OUT), gru(OUT, OUT), dense(OUT, 3));
  }
}

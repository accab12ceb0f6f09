package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A layer of two directions over sequences of different lengths. */
class BidirectionalLengthsTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int BATCH = 2;
  private static final int STEPS = 6;
  private static final int[] LENGTHS = {3, 0, 6, 2};

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Bidirectional layer(Cells cells) {
    return bidirectional(cells.make(IN, OUT), cells.make(IN, OUT)).on(device, 3);
  }

  /** With lengths, each sequence has the outputs, states and gradients that it has alone. */
  @ParameterizedTest
  @EnumSource
  void eachSequenceIsAsItIsAlone(Cells cells) {
    Bidirectional layer = layer(cells);
    int batch = LENGTHS.length;
    Tensor x = Cells.input(tape, 1, IN, batch, STEPS);
    Tensor first = Cells.input(tape, 2, IN, batch, 2);
    for (boolean isSecond : new boolean[] {false, true}) {
      layer.reset();
      if (isSecond) {
        layer.apply(first);
      }
      Padded y = layer.apply(Padded.of(x, LENGTHS));
      Bidirectional alone =
          bidirectional(new Recur(layer.forward().cell()), layer.backward().fork());
      Tensor sum = tape.input(Shape.of(1), 0);
      for (int b = 0; b < batch; b++) {
        alone.reset();
        if (isSecond) {
          alone.apply(first.columns(b, b + 1));
        }
        if (LENGTHS[b] > 0) {
          Tensor its = alone.apply(x.columns(b, b + 1).times(0, LENGTHS[b]));
          Tensor batched = y.data().columns(b, b + 1).times(0, LENGTHS[b]);
          near("y " + b, its.toArray(), batched.toArray(), 2 * FLOAT);
          near(
              "forward " + b,
              alone.forward().state().h().toArray(),
              layer.forward().state().take(b).h().toArray(),
              2 * FLOAT);
          near(
              "backward " + b,
              alone.backward().state().h().toArray(),
              layer.backward().state().take(b).h().toArray(),
              2 * FLOAT);
          sum = sum.add(Cells.weighed(tape, its, b));
        }
      }
      tape.backward(sum);
      float[] dx = x.gradientArray();
      Map<String, float[]> gradients = Cells.gradients(layer);
      layer.parameters().zeroGradients();
      Tensor together = tape.input(Shape.of(1), 0);
      for (int b = 0; b < batch; b++) {
        if (LENGTHS[b] > 0) {
          Tensor its = y.data().columns(b, b + 1).times(0, LENGTHS[b]);
          together = together.add(Cells.weighed(tape, its, b));
        }
      }
      tape.backward(together);
      near("dx", dx, x.gradientArray(), 2 * FLOAT);
      near("gradients", gradients, Cells.gradients(layer), 2 * FLOAT);
      layer.parameters().zeroGradients();
    }
  }

  @Test
  void oneStepOfAStreamIsRefusedWithLengthsToo() {
    Bidirectional layer = layer(Cells.GRU);
    Chain model = chain(Cells.LSTM.make(IN, IN).on(device, 1), layer);
    Padded step = Padded.of(Cells.input(tape, 1, IN, BATCH, 1), 1, 0);
    model.apply(step);
    List<float[]> before = Cells.values(model.recurs().getFirst().state());
    Thrown.says(
        IllegalStateException.class, () -> model.apply(step), "bidirectional: x is one step");
    Cells.same(before, model.recurs().getFirst().state());
  }
}

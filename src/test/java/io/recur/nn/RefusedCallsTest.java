package io.recur.nn;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A call that is refused is unseen by whatever watches a state: its tape, a window that slides. */
class RefusedCallsTest {
  private static final int IN = 3;
  private static final int BATCH = 2;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The backward direction drops its state before it sees x. */
  @Test
  void aTapeHoldsTheStateThatTheCallHadDropped() {
    Bidirectional layer = bidirectional(lstm(IN, 4), gru(IN, 4));
    layer.on(device, 1);
    layer.apply(Cells.input(tape, 1, IN, BATCH, 3));
    layer.forward().truncate();
    Tensor wide = Cells.input(tape, 1, IN + 1, BATCH, 3);
    assertThrows(ShapeException.class, () -> layer.apply(wide));
    Thrown.says(IllegalStateException.class, tape::clear, "GRUCell", "truncate()");
    layer.reset();
    tape.clear();
  }

  /** A layer that takes single steps alone. */
  private static Layer oneStep() {
    return new Layer() {
      @Override
      public Tensor apply(Tensor x) {
        if (x.shape().time() > 1) {
          throw new ShapeException("x=%s; need one step".formatted(x.shape()));
        }
        return x;
      }

      @Override
      public boolean keepsBatch() {
        return true;
      }
    };
  }

  @Test
  void aWindowGoesAcrossTheCall() {
    Chain model = chain(lstm(IN, 4), oneStep()).on(device, 1);
    Chain twin = chain(lstm(IN, 4), oneStep()).on(device, 1);
    Sliding sliding = model.slide(3);
    Sliding expected = twin.slide(3);
    for (int t = 0; t < 5; t++) {
      Map<String, float[]> gradients = gradients(expected, twin, t);
      gradients(sliding, model, t).forEach((n, g) -> assertArrayEquals(gradients.get(n), g, n));
      Tensor steps = Cells.input(tape, t, IN, BATCH, 5);
      assertThrows(ShapeException.class, () -> model.apply(steps));
      tape.clear();
    }
  }

  /** Those of a step of a window. */
  private Map<String, float[]> gradients(Sliding sliding, Chain model, int t) {
    Tensor y = sliding.apply(Cells.input(tape, t, IN, BATCH));
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> gradients = Cells.gradients(model);
    model.parameters().zeroGradients();
    sliding.truncate();
    return gradients;
  }
}

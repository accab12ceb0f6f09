package io.recur.io.onnx;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import io.recur.nn.Cell;
import io.recur.nn.Layer;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What a cell or a layer does in one step, as a list of operations: recorded for two batches, which
 * must give the same list. A list is thus good for any batch.
 */
final class ExportTrace {
  private static final int BATCH = 2;
  private static final int STEPS = 3;
  private static final float TOLERANCE = 1e-4f;

  private final Device device;

  /** Records on the device of the parameters. */
  ExportTrace(Device device) {
    this.device = device;
  }

  /** Records a step of a cell whose x has these rows. */
  Trace.Result of(Cell cell, int in) {
    List<Integer> rows = cell.state0().stream().map(part -> part.shape().rows()).toList();
    return of(
        in,
        rows,
        (state, x) -> {
          Step step = cell.step(new State(state), x);
          List<Tensor> results = new ArrayList<>(step.state().parts());
          results.add(step.y());
          return results;
        });
  }

  /** Records a layer that treats each step alone. */
  Trace.Result of(Layer layer, int in) {
    return of(in, List.of(), (state, x) -> List.of(layer.apply(x)));
  }

  private Trace.Result of(int in, List<Integer> stateRows, Trace.Body body) {
    Trace.Result two = once(in, BATCH, stateRows, body);
    if (two.graph() == null) {
      return two;
    }
    Trace.Result three = once(in, BATCH + 1, stateRows, body);
    return three.graph() == null || three.graph().equals(two.graph())
        ? three
        : new Trace.Result(null, "step: it does one thing for a batch of 2, another one for 3");
  }

  private Trace.Result once(int in, int batch, List<Integer> stateRows, Trace.Body body) {
    List<Shape> state = stateRows.stream().map(rows -> Shape.of(rows, batch)).toList();
    return Trace.of(device, false, Shape.of(in, batch), false, state, body);
  }

  /**
   * The rows of x that a cell takes: those of a matrix of its own with which its step can be
   * recorded.
   *
   * @return 0 where that is none or more than one
   */
  int rowsOf(Cell cell) {
    int[] found =
        cell.parameters().stream()
            .filter(parameter -> !cell.state0().contains(parameter))
            .map(Parameter::shape)
            .filter(shape -> shape.rank() == 2)
            .mapToInt(Shape::columns)
            .distinct()
            .filter(in -> of(cell, in).graph() != null)
            .toArray();
    return found.length == 1 ? found[0] : 0;
  }

  /** {@return whether a layer gives for each step of a sequence what it gives for it alone} */
  boolean isStepwise(Layer layer, int in) {
    Random random = new Random(1);
    float[] values = new float[in * BATCH * STEPS];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    try (Tape tape = Tape.inference(device)) {
      Tensor x = tape.input(Shape.of(in, BATCH, STEPS), values);
      float[] together = layer.apply(x).toArray();
      for (int t = 0; t < STEPS; t++) {
        float[] alone = layer.apply(x.time(t)).toArray();
        if (together.length != STEPS * alone.length || !isNear(alone, together, t)) {
          return false;
        }
      }
      return true;
    }
  }

  private static boolean isNear(float[] alone, float[] together, int t) {
    float[] its = Arrays.copyOfRange(together, t * alone.length, (t + 1) * alone.length);
    for (int i = 0; i < its.length; i++) {
      if (!(Math.abs(its[i] - alone[i]) <= TOLERANCE * (1 + Math.abs(alone[i])))) {
        return false;
      }
    }
    return true;
  }
}

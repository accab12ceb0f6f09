package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.DropConnect;
import io.recur.grad.Graph;
import io.recur.grad.OneHot;
import io.recur.grad.OpContext;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Compares a compiled cell with its steps, on a tape of its own with the same values. The first
 * call of each kind compares its first steps; {@code io.recur.check=every} compares all steps of
 * every call.
 */
final class Comparison {
  /** The steps that the first call compares. */
  private static final int FIRST = 8;

  /**
   * The difference that sums in another order may make, in units of the largest value: some steps
   * of sums of thousands of terms are off by less, a wrong graph by more.
   */
  private static final float TOLERANCE = 1e-3f;

  /** The least magnitude that a difference is measured by. */
  private static final float FLOOR = 1e-2f;

  /** The share of values that may differ where a rounding error turns a comparison over. */
  private static final float TURNED = 1e-2f;

  /** The seed of the random operations on both sides. */
  private static final long SEED = 1;

  private final Compilation cell;
  private final Plan.Form form;
  private final Device device;
  private final boolean isRecording;
  private final boolean compares;

  Comparison(Compilation cell, Plan.Form form, Tape tape) {
    this.cell = cell;
    this.form = form;
    this.device = tape.device();
    this.isRecording = tape.isRecording();
    this.compares =
        form.graph().nodes().stream()
            .anyMatch(node -> node instanceof Graph.Node.Combine c && !c.f().isDifferentiable());
  }

  /** Refuses a call on which both differ, before anything of it has run. */
  void check(State state, Tensor x) {
    int time = x.shape().time();
    int first = compares ? 1 : FIRST; // a comparison that turns over changes all later steps
    int steps = cell.checksEveryCall() ? time : Math.min(first, time);
    try (Tape tape = isRecording ? Tape.on(device) : Tape.inference(device)) {
      Tensor input = copy(tape, x, steps);
      State before = copy(tape, state);
      tape.seed(SEED);
      Step compiled = compiled(before, input);
      tape.seed(SEED);
      compare(before, input, compiled);
    }
  }

  private Step compiled(State before, Tensor input) {
    try (OpContext context = OpContext.of(cell.label(), input)) {
      return Plan.run(cell.label(), form, context, before, input);
    }
  }

  private void compare(State before, Tensor input, Step compiled) {
    try (var _ = DropConnect.on(input.tape(), Map.of())) { // a mask per sequence
      compareSteps(before, input, compiled);
    }
  }

  private void compareSteps(State before, Tensor input, Step compiled) {
    State now = before;
    int steps = input.shape().time();
    for (int t = 0; t < steps; t++) {
      Step step = cell.cell().step(now, input.time(t));
      compare("y", form.graph().y(), t, step.y(), compiled.y().time(t));
      if (cell.checksEveryCall()) {
        refuseNotANumber(now, input.time(t), t, step);
      }
      now = step.state();
    }
    for (int i = 0; i < now.parts().size(); i++) {
      Tensor part = compiled.state().parts().get(i);
      compare("state " + i, form.graph().states().get(i), steps - 1, now.parts().get(i), part);
    }
  }

  private void compare(String what, int node, int t, Tensor step, Tensor compiled) {
    float[] expected = step.toArray();
    float[] actual = compiled.toArray();
    float largest = FLOOR;
    for (float value : expected) {
      largest = Float.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    }
    int worst = 0;
    int wrong = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!isNear(expected[i], actual[i], TOLERANCE * largest)) {
        wrong++;
        worst = isNear(expected[i], actual[i], distance(expected, actual, worst)) ? worst : i;
      }
    }
    if (wrong > (compares ? TURNED * expected.length : 0)) {
      throw new IllegalStateException(
          """
          %s: %s at step %d, value %d: step gives %g and the compiled cell %g, the largest is %g; \
          it is computed by %s; step does what a trace cannot see: call stepwise() on the Recur"""
              .formatted(
                  cell.label(),
                  what,
                  t,
                  worst,
                  expected[worst],
                  actual[worst],
                  largest,
                  form.graph().node(node)));
    }
  }

  private static float distance(float[] expected, float[] actual, int i) {
    return Math.abs(expected[i] - actual[i]);
  }

  private static boolean isNear(float a, float b, float difference) {
    return Float.compare(a, b) == 0 || Math.abs(a - b) <= difference;
  }

  private void refuseNotANumber(State before, Tensor x, int t, Step after) {
    List<Tensor> results = new ArrayList<>(after.state().parts());
    results.add(after.y());
    if (results.stream().noneMatch(Comparison::hasNotANumber)) {
      return;
    }
    try (Tape tape = isRecording ? Tape.on(device) : Tape.inference(device)) {
      String operation =
          Trace.notANumber(tape, copy(tape, before).parts(), copy(tape, x, 1), cell::step);
      throw new IllegalStateException(
          "%s: step %d is not a number, first in %s".formatted(cell.label(), t, operation));
    }
  }

  private static boolean hasNotANumber(Tensor tensor) {
    for (float value : tensor.toArray()) {
      if (Float.isNaN(value)) {
        return true;
      }
    }
    return false;
  }

  private static State copy(Tape tape, State state) {
    List<Tensor> parts = new ArrayList<>();
    for (Tensor part : state.parts()) {
      Shape shape = Shape.of(part.shape().rows(), part.shape().columns());
      parts.add(tape.input(shape, part.toArray()));
    }
    return new State(parts);
  }

  /** The first steps of x. */
  private static Tensor copy(Tape tape, Tensor x, int steps) {
    Tensor first = x.shape().time() == steps ? x : x.times(0, steps);
    Shape shape = first.shape();
    if (!(first instanceof OneHot hot)) {
      return tape.input(shape, first.toArray());
    }
    float[] bits = hot.index().read();
    int[] index = new int[shape.columns()];
    for (int j = 0; j < index.length; j++) {
      index[j] = Float.floatToRawIntBits(bits[j]);
    }
    return tape.oneHot(shape, index);
  }
}

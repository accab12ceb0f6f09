package io.recur.io.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** If, Loop and Scan: operators that run subgraphs. */
final class ControlOperators {
  private static final Attribute.Kind INNER = Attribute.Kind.INNER;
  private static final Attribute.Kind WHOLES = Attribute.Kind.WHOLES;

  /** The iterations of a Loop: one whose condition holds for ever ends too. */
  private static final long MOST = 1 << 20;

  static final List<Operator> ALL =
      List.of(
          Operator.of("If", 1, 1, ControlOperators::branch)
              .outputs(Operator.VARIADIC)
              .with("then_branch", INNER)
              .with("else_branch", INNER),
          Operator.of("Loop", 0, Operator.VARIADIC, ControlOperators::loop)
              .outputs(Operator.VARIADIC)
              .with("body", INNER),
          Operator.of("Scan", 1, Operator.VARIADIC, ControlOperators::scan)
              .outputs(Operator.VARIADIC)
              .with("body", INNER)
              .with("num_scan_inputs", Attribute.Kind.WHOLE)
              .with("scan_input_axes", WHOLES)
              .with("scan_input_directions", WHOLES)
              .with("scan_output_axes", WHOLES)
              .with("scan_output_directions", WHOLES));

  private ControlOperators() {}

  /** A condition of the host; one that a device has computed is read. */
  private static boolean isTrue(Value condition) {
    if (condition.dims().count() != 1) {
      throw new IllegalArgumentException(
          "condition %s; need one value".formatted(condition.dims()));
    }
    return condition.floats()[0] != 0;
  }

  /** Of a constant condition the other branch is not even prepared. */
  private static Operator.Evaluation branch(Setup setup) {
    Value known = setup.constant(0);
    if (known != null) {
      setup.claim(0);
      Body only = setup.body(isTrue(known) ? "then_branch" : "else_branch", false);
      return call -> call.run(only, List.of());
    }
    Body yes = setup.body("then_branch", false);
    Body no = setup.body("else_branch", false);
    return call -> call.run(isTrue(call.value(0)) ? yes : no, List.of());
  }

  // Loop.

  private static Operator.Evaluation loop(Setup setup) {
    Body body = setup.body("body", true);
    int states = Math.max(0, setup.node().inputs().size() - 2);
    if (body.inputs().size() != states + 2 || body.outputs().size() < states + 1) {
      throw setup
          .node()
          .refuse(
              "%d states, a body of %d inputs and %d outputs; need 2 inputs more, 1 output more"
                  .formatted(states, body.inputs().size(), body.outputs().size()));
    }
    return call -> loop(call, body, states);
  }

  private static List<Value> loop(Call call, Body body, int states) {
    long most = call.has(0) ? call.integer(0) : Long.MAX_VALUE;
    boolean goesOn = !call.has(1) || isTrue(call.value(1));
    List<Value> state = values(call, 2, states);
    List<List<Value>> rows = lists(body.outputs().size() - 1 - states);
    for (long i = 0; i < most && goesOn; i++) {
      if (i == MOST) {
        throw call.refuse("iteration %d of %d; need at most %d".formatted(i + 1, most, MOST));
      }
      List<Value> given = new ArrayList<>(List.of(Value.of(Dims.of(), i), truth()));
      given.addAll(state);
      List<Value> results = call.run(body, given);
      goesOn = isTrue(results.getFirst());
      state = results.subList(1, states + 1);
      for (int k = 0; k < rows.size(); k++) {
        rows.get(k).add(results.get(states + 1 + k));
      }
    }
    List<Value> outputs = new ArrayList<>(state);
    for (List<Value> row : rows) {
      outputs.add(stacked(call, row, 0));
    }
    return outputs;
  }

  private static Value truth() {
    return new Value.Integers(ElementType.BOOL, Dims.of(), new long[] {1});
  }

  private static List<Value> values(Call call, int from, int count) {
    List<Value> values = new ArrayList<>(count);
    for (int i = from; i < from + count; i++) {
      values.add(call.value(i));
    }
    return values;
  }

  private static List<List<Value>> lists(int count) {
    List<List<Value>> lists = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      lists.add(new ArrayList<>());
    }
    return lists;
  }

  /** One row per iteration, along a new dimension. */
  private static Value stacked(Call call, List<Value> rows, int axis) {
    if (rows.isEmpty()) {
      throw call.refuse("no iteration, and an output of one row each; need one or more");
    }
    List<Value> parts = new ArrayList<>(rows.size());
    for (Value row : rows) {
      parts.add(Rearranging.unsqueezed(row, row.dims().insert(0, 1).axis(axis)));
    }
    return Rearranging.join(call, parts.getFirst().dims().axis(axis), parts);
  }

  // Scan.

  /** What a node of Scan says of its inputs and outputs. */
  private record Scanned(
      Body body, int states, int[] axes, int[] backward, int[] rowAxes, int[] rowBackward) {}

  private static Operator.Evaluation scan(Setup setup) {
    Node node = setup.node();
    if (node.opset() < 9) {
      throw node.refuse(
          "opset %d; need 9 or later: export the model again".formatted(node.opset()));
    }
    Body body = setup.body("body", true);
    int inputs = node.inputs().size();
    int scanned = Math.toIntExact(node.whole("num_scan_inputs", 0));
    int states = inputs - scanned;
    int rows = body.outputs().size() - states;
    if (scanned < 1 || states < 0 || rows < 0 || body.inputs().size() != inputs) {
      throw node.refuse(
          "%d inputs, %d of them scanned, a body of %d inputs and %d outputs; need as many, and an"
                  .formatted(inputs, scanned, body.inputs().size(), body.outputs().size())
              + " output per state");
    }
    Scanned all =
        new Scanned(
            body,
            states,
            list(node, "scan_input_axes", scanned),
            list(node, "scan_input_directions", scanned),
            list(node, "scan_output_axes", rows),
            list(node, "scan_output_directions", rows));
    return call -> scan(call, all);
  }

  private static int[] list(Node node, String attribute, int count) {
    long[] found = node.wholes(attribute);
    if (found != null && found.length != count) {
      throw node.refuse("%s has %d; need %d".formatted(attribute, found.length, count));
    }
    return found == null
        ? new int[count]
        : Arrays.stream(found).mapToInt(Math::toIntExact).toArray();
  }

  private static List<Value> scan(Call call, Scanned all) {
    int states = all.states;
    int time = call.dims(states).size(call.dims(states).axis(all.axes[0]));
    List<Value> state = values(call, 0, states);
    List<List<Value>> rows = lists(all.rowAxes.length);
    for (int t = 0; t < time; t++) {
      List<Value> given = new ArrayList<>(state);
      for (int k = 0; k < all.axes.length; k++) {
        given.add(step(call, call.value(states + k), all.axes[k], all.backward[k] == 1, t, time));
      }
      List<Value> results = call.run(all.body, given);
      state = results.subList(0, states);
      for (int k = 0; k < rows.size(); k++) {
        rows.get(k).add(results.get(states + k));
      }
    }
    List<Value> outputs = new ArrayList<>(state);
    for (int k = 0; k < rows.size(); k++) {
      if (all.rowBackward[k] == 1) {
        Collections.reverse(rows.get(k));
      }
      outputs.add(stacked(call, rows.get(k), all.rowAxes[k]));
    }
    return outputs;
  }

  private static Value step(Call call, Value x, int axis, boolean isBackward, int t, int time) {
    int along = x.dims().axis(axis);
    if (x.dims().size(along) != time) {
      throw call.refuse(
          "inputs of %d and %d steps; need as many".formatted(time, x.dims().size(along)));
    }
    int at = isBackward ? time - 1 - t : t;
    return Rearranging.squeezed(Rearranging.part(call, x, along, at, at + 1), along);
  }
}

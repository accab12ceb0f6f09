package io.recur.io.onnx;

import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a caller gives to a run: checked against the inputs of the graph before anything is
 * computed.
 *
 * @param ports the inputs of the graph
 * @param states the names of those that are carried
 */
record Arguments(List<Port> ports, Set<String> states) {
  /**
   * The inputs in the order of the graph, floats on the tape; null for states that are carried.
   *
   * @throws IllegalArgumentException if one is missing, unknown, or of another type or size
   */
  Value[] of(Tape tape, Map<String, Value> given) {
    Value[] values = new Value[ports.size()];
    Map<String, Integer> sizes = new LinkedHashMap<>();
    int known = 0;
    int begun = 0;
    for (int i = 0; i < values.length; i++) {
      Port port = ports.get(i);
      boolean isState = states.contains(port.name());
      Value value = given.get(port.name());
      if (value == null && !isState) {
        throw new IllegalArgumentException("onnx: run: no input %s; need it".formatted(port));
      }
      if (value != null) {
        check(port, value);
        check(port, value.dims(), sizes);
        values[i] = value;
        known++;
        begun += isState ? 1 : 0;
      }
    }
    if (known != given.size()) {
      throw new IllegalArgumentException(
          "onnx: run: inputs %s; the graph takes %s".formatted(given.keySet(), ports));
    }
    if (begun != 0 && begun != states.size()) {
      throw new IllegalArgumentException(
          "onnx: run: %d states of %s; give all of them or none".formatted(begun, states));
    }
    for (int i = 0; i < values.length; i++) {
      if (values[i] instanceof Value.Reals reals && reals.dims().count() > 0) {
        values[i] =
            new Value.OnTape(reals.dims(), tape.input(reals.dims().shape(), reals.values()));
      }
    }
    return values;
  }

  /** Refuses a value of another type. */
  static void check(Port port, Value value) {
    boolean isInteger = value instanceof Value.Integers;
    if (port.type() != ElementType.UNDEFINED && port.type().isInteger() != isInteger) {
      throw new IllegalArgumentException(
          "onnx: input %s: given %s; need %s"
              .formatted(
                  port,
                  isInteger ? "integers" : "floats",
                  port.type().isInteger() ? "integers" : "floats"));
    }
  }

  /** Refuses other sizes than those of the port; equal names are equal sizes. */
  static void check(Port port, Dims dims, Map<String, Integer> sizes) {
    boolean fits = !port.isShaped() || port.sizes().size() == dims.rank();
    for (int i = 0; fits && i < port.sizes().size(); i++) {
      String size = port.sizes().get(i);
      if (!port.isOpen(i)) {
        fits = size.equals(Integer.toString(dims.size(i)));
      } else if (!size.equals(Port.OPEN)) {
        Integer other = sizes.putIfAbsent(size, dims.size(i));
        fits = other == null || other == dims.size(i);
      }
    }
    if (!fits) {
      throw new ShapeException(
          "onnx: input %s: given %s; need these sizes, and equal ones for equal names%s"
              .formatted(port, dims, sizes.isEmpty() ? "" : " " + sizes));
    }
  }
}

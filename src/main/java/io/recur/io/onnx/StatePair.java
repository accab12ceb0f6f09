package io.recur.io.onnx;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * A state that a graph takes as an input and gives as an output. In a Recur it is rows × batch: the
 * batch is the dimension whose size is open; without one it is a single column.
 *
 * @param input its port
 * @param in the number of the input
 * @param out the number of the output
 * @param axis the dimension of the batch; −1 for none
 */
record StatePair(Port input, int in, int out, int axis) {
  private static final int NONE = -1;

  /** What the exporter puts behind the name of an input. */
  private static final String EXPORTED = ".next";

  /** Names of states without what makes them inputs or outputs. */
  private static final Set<String> SHORT = Set.of("h", "c", "hx", "cx", "hc", "s");

  private static final List<String> LONG = List.of("state", "hidden", "cell", "cache", "memory");

  private static final List<String> IN_FRONT =
      List.of("input_", "in_", "past_", "prev_", "previous_", "initial_", "init_");
  private static final List<String> IN_BEHIND = List.of("_in", "_prev", "_0", "0", "_init");
  private static final List<String> OUT_FRONT =
      List.of("output_", "out_", "present_", "next_", "new_", "updated_", "final_");
  private static final List<String> OUT_BEHIND =
      List.of("_out", "out", "_next", "next", "_new", "_n", "n", "_final", "_last");

  /**
   * A pair that a user names.
   *
   * @throws IllegalArgumentException if they do not fit each other
   */
  static StatePair of(List<Port> inputs, List<Port> outputs, String input, String output) {
    int in = number(inputs, input);
    int out = number(outputs, output);
    if (in < 0 || out < 0) {
      throw new IllegalArgumentException(
          "onnx: carry(%s, %s): need an input of %s and an output of %s"
              .formatted(Wire.shown(input), Wire.shown(output), inputs, outputs));
    }
    Port from = inputs.get(in);
    long open = open(from);
    if (!from.type().isFloat() || !from.isShaped() || open > 1 || !fits(from, outputs.get(out))) {
      throw new IllegalArgumentException(
          "onnx: carry: input %s, output %s; need floats of equal sizes, at most one of them open"
              .formatted(from, outputs.get(out)));
    }
    return new StatePair(from, in, out, axis(from));
  }

  /** The pairs that names tell, where each has one partner, and others than states remain. */
  static List<StatePair> found(List<Port> inputs, List<Port> outputs) {
    Map<String, Set<Integer>> byName = new HashMap<>();
    for (int o = 0; o < outputs.size(); o++) {
      for (String name : bases(outputs.get(o).name(), OUT_FRONT, OUT_BEHIND)) {
        byName.computeIfAbsent(name, key -> new TreeSet<>()).add(o);
      }
    }
    List<Set<Integer>> partners = new ArrayList<>();
    Map<Set<Integer>, Integer> suitors = new HashMap<>();
    for (Port input : inputs) {
      Set<Integer> its = partners(input, outputs, byName);
      partners.add(its);
      suitors.merge(its, 1, Integer::sum);
    }
    List<StatePair> pairs = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      Set<Integer> its = partners.get(i);
      if (its.size() == 1 && suitors.get(its) == 1) {
        Port input = inputs.get(i);
        pairs.add(new StatePair(input, i, its.iterator().next(), axis(input)));
      }
    }
    boolean isAll = pairs.size() == inputs.size() || pairs.size() == outputs.size();
    return isAll || isMixed(pairs) ? List.of() : List.copyOf(pairs);
  }

  /** The outputs that may give the next value of an input. */
  private static Set<Integer> partners(
      Port input, List<Port> outputs, Map<String, Set<Integer>> byName) {
    Set<Integer> found = new TreeSet<>();
    if (input.type().isFloat() && input.isShaped() && open(input) <= 1) {
      for (String name : bases(input.name(), IN_FRONT, IN_BEHIND)) {
        if (isState(name)) {
          found.addAll(byName.getOrDefault(name, Set.of()));
        }
      }
      found.addAll(byName.getOrDefault(input.name().toLowerCase(Locale.ROOT) + EXPORTED, Set.of()));
      found.removeIf(o -> !fits(input, outputs.get(o)));
    }
    return found;
  }

  /** Whether some have a batch and others none: one Recur does not hold both. */
  static boolean isMixed(List<StatePair> pairs) {
    return pairs.stream().map(pair -> pair.axis < 0).distinct().count() > 1;
  }

  private static boolean isState(String name) {
    String last = name.substring(1 + Math.max(name.lastIndexOf('.'), name.lastIndexOf('/')));
    return SHORT.contains(last) || LONG.stream().anyMatch(name::contains);
  }

  /** A name, and what is left of it. */
  private static Set<String> bases(String name, List<String> front, List<String> behind) {
    String lower = name.toLowerCase(Locale.ROOT);
    Set<String> bases = new HashSet<>(Set.of(lower));
    for (String part : front) {
      if (lower.startsWith(part)) {
        bases.add(lower.substring(part.length()));
      }
    }
    for (String part : behind) {
      if (lower.endsWith(part)) {
        bases.add(lower.substring(0, lower.length() - part.length()));
      }
    }
    return bases;
  }

  private static int number(List<Port> ports, String name) {
    return IntStream.range(0, ports.size())
        .filter(i -> ports.get(i).name().equals(name))
        .findFirst()
        .orElse(NONE);
  }

  private static long open(Port port) {
    return IntStream.range(0, port.sizes().size()).filter(port::isOpen).count();
  }

  private static int axis(Port port) {
    return IntStream.range(0, port.sizes().size()).filter(port::isOpen).findFirst().orElse(NONE);
  }

  private static boolean fits(Port input, Port output) {
    if (input.type() != output.type()) {
      return false;
    }
    boolean fits = !output.isShaped() || output.sizes().size() == input.sizes().size();
    for (int i = 0; fits && output.isShaped() && i < input.sizes().size(); i++) {
      fits =
          input.isOpen(i) || output.isOpen(i) || input.sizes().get(i).equals(output.sizes().get(i));
    }
    return fits;
  }

  // Its values.

  /** The values of one sequence. */
  int rows() {
    double rows = 1;
    for (int i = 0; i < input.sizes().size(); i++) {
      rows *= i == axis ? 1 : Double.parseDouble(input.sizes().get(i));
    }
    if (rows < 1 || rows > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "onnx: state %s has %.0f values per sequence; need 1 to %d"
              .formatted(input, rows, Integer.MAX_VALUE));
    }
    return (int) rows;
  }

  /** The dimensions for a batch. */
  Dims dims(int batch) {
    return Dims.of(
        IntStream.range(0, input.sizes().size())
            .map(i -> i == axis ? batch : Integer.parseInt(input.sizes().get(i)))
            .toArray());
  }

  /** The order of dimensions in a Recur: the batch first. */
  private int[] order() {
    return IntStream.concat(
            IntStream.of(axis), IntStream.range(0, input.sizes().size()).filter(i -> i != axis))
        .filter(i -> i >= 0)
        .toArray();
  }

  /** What the graph takes, of a part of the state of a Recur. */
  Value given(Tensor part) {
    return new Value.OnTape(dims(part.shape().columns()), order(), part);
  }

  /** What the graph gives, as a part of the state of a Recur. */
  Tensor kept(Value value, int batch) {
    Dims wanted = dims(batch);
    if (!(value instanceof Value.OnTape on) || !on.dims().equals(wanted)) {
      throw new IllegalArgumentException(
          "onnx: state %s: the graph gives %s; need floats %s"
              .formatted(input, value.dims(), wanted));
    }
    return Order.arranged(on, order()).reshape(Shape.of(rows(), axis < 0 ? 1 : batch));
  }

  /** The batch of a value of this state. */
  int batchOf(Dims dims) {
    return axis < 0 ? 1 : dims.size(axis);
  }

  /**
   * The batch of other inputs: of the dimension with the same name, else the first of two, else the
   * only open one; −1 where nothing tells.
   */
  int batch(Map<Port, Dims> given) {
    String name = input.sizes().get(axis);
    int first = NONE;
    for (Map.Entry<Port, Dims> other : given.entrySet()) {
      List<String> sizes = other.getKey().sizes();
      for (int i = 0; i < sizes.size(); i++) {
        if (!name.equals(Port.OPEN) && sizes.get(i).equals(name)) {
          return other.getValue().size(i);
        }
      }
      Dims dims = other.getValue();
      if (first < 0 && dims.rank() == 2) {
        first = dims.size(0);
      } else if (first < 0 && dims.rank() > 2 && open(other.getKey()) == 1) {
        first = dims.size(axis(other.getKey()));
      }
    }
    return first;
  }
}

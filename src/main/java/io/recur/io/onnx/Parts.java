package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the nodes of a graph add to the model, in their order. */
final class Parts {
  private final List<Parameter> parameters = new ArrayList<>();
  private final List<Recur> recurs = new ArrayList<>();

  /** How many values nodes may still compute while the model is read. */
  private long left;

  private final List<String> notes = new ArrayList<>();

  /** Of each constant the inputs of nodes that read it, less those that are parameters for it. */
  private final Map<Value, Integer> readers = new IdentityHashMap<>();

  /**
   * Begins empty.
   *
   * @param given how many values all initialisers have; nodes may compute four times as many, and
   *     some millions more
   */
  Parts(long given) {
    this.left = (1 << 22) + 4 * given;
  }

  /** Counts the values that a node has computed, and returns whether they are not too many. */
  boolean allows(List<Value> made) {
    for (Value value : made) {
      left -= value.dims().count();
    }
    return left >= 0;
  }

  /** Notes that something reads a constant. */
  void read(Value constant) {
    readers.merge(constant, 1, Integer::sum);
  }

  /** Notes that what reads a constant has a parameter for it, and is made of its size alone. */
  void replace(Value constant) {
    readers.merge(constant, -1, Integer::sum);
  }

  /** The constants of floats whose readers all have parameters for them. */
  Set<Value> replaced() {
    Set<Value> replaced = Collections.newSetFromMap(new IdentityHashMap<>());
    readers.forEach(
        (value, left) -> {
          if (left == 0 && value instanceof Value.Reals) {
            replaced.add(value);
          }
        });
    return replaced;
  }

  /** Notes what a node has become. */
  void note(Node node, String what) {
    notes.add(node + " -> " + what);
  }

  List<String> notes() {
    return List.copyOf(notes);
  }

  void add(Parameter parameter) {
    parameters.add(parameter);
  }

  /** Adds a Recur; returns its number. */
  int add(Recur recur) {
    recurs.add(recur);
    return recurs.size() - 1;
  }

  List<Parameter> parameters() {
    return List.copyOf(parameters);
  }

  List<Recur> recurs() {
    return List.copyOf(recurs);
  }
}

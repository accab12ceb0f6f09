package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.List;

/** What the nodes of a graph add to the model, in order. */
final class Parts {
  private final List<Parameter> parameters = new ArrayList<>();
  private final List<Recur> recurs = new ArrayList<>();

  /** The values that nodes may still make where the model is read. */
  private long left;

  private final List<String> notes = new ArrayList<>();

  /**
   * Nothing at first.
   *
   * @param given the values of all initialisers: what is computed when the model is read is not
   *     many times that
   */
  Parts(long given) {
    this.left = (1 << 22) + 4 * given;
  }

  /** Takes the values that a node has made from what is left; false where there is too little. */
  boolean isLeft(List<Value> made) {
    for (Value value : made) {
      left -= value.dims().count();
    }
    return left >= 0;
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

package io.recur.io.onnx;

import org.jspecify.annotations.Nullable;

/**
 * The values of a graph while it runs.
 *
 * @param values by number; null before they are computed
 * @param outer those of the graph around it, which its nodes see too
 */
record Scope(@Nullable Value[] values, @Nullable Scope outer) {
  /**
   * Where a value is.
   *
   * @param up graphs outwards
   * @param number in that graph
   */
  record Place(int up, int number) {}

  Value at(Place place) {
    Scope scope = this;
    for (int i = 0; i < place.up; i++) {
      scope = scope.outer;
    }
    return scope.values[place.number];
  }
}

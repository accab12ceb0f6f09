package io.recur.grad;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The parameters that a trace names. A matrix with dropped values has a place of its own. */
final class TracedParameters {
  private final List<Parameter> all = new ArrayList<>();
  private final List<Graph.Dropped> dropped = new ArrayList<>();

  private final Map<DroppedWeights.Weight, Integer> places = new HashMap<>();
  private final Map<TensorData, Integer> matrices = new IdentityHashMap<>();

  /** The graph of these nodes, which name these parameters. */
  Graph graph(List<Graph.Node> nodes, int draws, List<Integer> states, int y) {
    return new Graph(
        List.copyOf(nodes), List.copyOf(all), List.copyOf(dropped), draws, List.copyOf(states), y);
  }

  int place(Parameter parameter) {
    return place(new DroppedWeights.Weight(parameter, 0));
  }

  private int place(DroppedWeights.Weight weight) {
    return places.computeIfAbsent(
        weight,
        fresh -> {
          all.add(weight.matrix());
          return all.size() - 1;
        });
  }

  /** Notes a matrix with dropped values. */
  void drop(Tensor y, Parameter matrix, float rate) {
    int before = all.size();
    int place = place(new DroppedWeights.Weight(matrix, rate));
    if (place == before) {
      dropped.add(new Graph.Dropped(place, rate));
    }
    matrices.put(y.data, place);
  }

  /** The place of a parameter as a whole, or of one with dropped values; −1 for all else. */
  int matrix(Tensor w) {
    TensorData root = w.data.root;
    Shape whole = root.shape;
    if (whole.rows() != w.shape().rows() || whole.columns() != w.shape().columns()) {
      return -1;
    }
    return root.tensor instanceof Parameter parameter
        ? place(parameter)
        : matrices.getOrDefault(root, -1);
  }
}

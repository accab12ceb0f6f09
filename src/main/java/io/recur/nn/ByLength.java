package io.recur.nn;

import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs a layer that knows no lengths: sequences of one length at a time, or each alone where the
 * columns of the layer depend on each other. The states inside are those of these sequences
 * meanwhile, and are joined at the end.
 */
final class ByLength {
  /** Runs the sequences of one length: a fork, so that a call that fails has changed no state. */
  private final Layer layer;

  private final List<Recur> recurs;
  private final List<Recur> forks;
  private final Padded x;
  private final Tape tape;
  private final int batch;

  private ByLength(Layer layer, List<Recur> recurs, Padded x) {
    this.layer = layer;
    this.recurs = recurs;
    this.forks = layer.recurs();
    this.x = x;
    this.tape = x.tape();
    this.batch = x.shape().batch();
  }

  static Padded apply(Layer layer, Padded x) {
    List<Recur> recurs = layer.recurs();
    if (recurs.isEmpty()) {
      try (var _ = x.enter()) {
        return new ByLength(layer, recurs, x).run();
      }
    }
    Layer fork = layer.fork();
    Together.enter(recurs);
    try (var _ = x.enter()) {
      return new ByLength(fork, recurs, x).run();
    } finally {
      Together.leave(recurs);
      fork.close();
    }
  }

  private Padded run() {
    List<State> starts =
        recurs.stream().map(recur -> recur.held().before(tape, batch, false)).toList();
    List<int[]> groups = groups();
    List<Tensor> outputs = new ArrayList<>();
    List<List<State>> ends = new ArrayList<>();
    for (int[] group : groups) {
      for (int i = 0; i < forks.size(); i++) {
        forks.get(i).held().after(tape, starts.get(i).take(group));
      }
      if (x.length(group[0]) > 0) {
        outputs.add(output(group));
      }
      ends.add(forks.stream().map(fork -> fork.held().shown()).toList());
    }
    Tensor joined =
        outputs.size() == 1 ? outputs.getFirst() : Concat.columns(outputs.toArray(Tensor[]::new));
    int[] back = inverse(validOf(groups));
    Padded y = x.map(valid -> joined.take(back));
    int[] order = inverse(groups.stream().flatMapToInt(Arrays::stream).toArray());
    for (int i = 0; i < recurs.size(); i++) {
      int number = i;
      State[] parts = ends.stream().map(states -> states.get(number)).toArray(State[]::new);
      recurs.get(i).held().after(tape, State.join(parts).take(order));
    }
    return y;
  }

  /** The columns of each length, the longest first; or each column. */
  private List<int[]> groups() {
    int[] order = x.order();
    List<int[]> groups = new ArrayList<>();
    for (int from = 0; from < order.length; ) {
      int to = from + 1;
      while (layer.columnsAreIndependent()
          && to < order.length
          && x.length(order[to]) == x.length(order[from])) {
        to++;
      }
      groups.add(Arrays.copyOfRange(order, from, to));
      from = to;
    }
    return groups;
  }

  /** The outputs of some sequences of one length, as columns. */
  private Tensor output(int[] group) {
    int steps = x.length(group[0]);
    Shape shape = Shape.of(x.shape().rows(), group.length, steps);
    Tensor y = layer.apply(x.valid().take(validOf(List.of(group))).reshape(shape));
    if (y.shape().batch() != group.length || y.shape().time() != steps) {
      throw new ShapeException(
          "%s: x=%s, y=%s; need as many sequences and steps in y where they have lengths"
              .formatted(layer.describe(), shape, y.shape()));
    }
    return y.reshape(Shape.of(y.shape().rows(), y.shape().columns()));
  }

  /** The valid column of each step of these sequences, group by group. */
  private int[] validOf(List<int[]> groups) {
    int[] valid = new int[batch * x.shape().time()];
    int[] places = x.places();
    for (int j = 0; j < places.length; j++) {
      valid[places[j]] = j;
    }
    int[] columns = new int[places.length];
    int n = 0;
    for (int[] group : groups) {
      for (int t = 0; t < x.length(group[0]); t++) {
        for (int b : group) {
          columns[n++] = valid[t * batch + b];
        }
      }
    }
    return Arrays.copyOf(columns, n);
  }

  private static int[] inverse(int[] permutation) {
    int[] inverse = new int[permutation.length];
    for (int j = 0; j < inverse.length; j++) {
      inverse[permutation[j]] = j;
    }
    return inverse;
  }
}

package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Carries the states that a graph takes and gives: a {@link Recur} whose cell is the graph. It is
 * used by one thread at a time, which the model sees to.
 */
final class Carrier {
  private final List<StatePair> pairs;
  private final GraphCell cell;
  private final Recur recur;

  /** A cell that runs the graph: its step is given for each call. */
  private static final class GraphCell implements Cell {
    private final List<Parameter> state0;
    private @Nullable UnaryOperator<State> now;

    GraphCell(List<Parameter> state0) {
      this.state0 = state0;
    }

    @Override
    public Step step(State state, Tensor x) {
      if (now == null) {
        throw new IllegalStateException("onnx: the states of a graph move with its model alone");
      }
      return new Step(now.apply(state), x);
    }

    @Override
    public Step run(State state, Tensor x) {
      return step(state, x);
    }

    @Override
    public List<Parameter> state0() {
      return state0;
    }

    @Override
    public List<Parameter> parameters() {
      return state0;
    }

    @Override
    public String toString() {
      return "states of ONNX " + state0.stream().map(p -> p.name() + " " + p.shape()).toList();
    }
  }

  /** The states that names tell, with the values that the graph has for them; null without any. */
  static @Nullable Carrier of(Body body, Graph graph) {
    List<StatePair> pairs = StatePair.found(body.ports(), graph.outputs());
    List<Parameter> state0 =
        pairs.stream()
            .map(pair -> state0(pair, graph.initialisers().get(pair.input().name())))
            .toList();
    return pairs.isEmpty() ? null : new Carrier(pairs, state0);
  }

  /** States that begin with parameters, one for each. */
  Carrier(List<StatePair> pairs, List<Parameter> state0) {
    this(pairs, new GraphCell(state0));
  }

  private Carrier(List<StatePair> pairs, GraphCell cell) {
    this.pairs = pairs;
    this.cell = cell;
    this.recur = new Recur(cell);
  }

  /** Zeros, or the values that the graph has for an input which is not given. */
  static Parameter state0(StatePair pair, @Nullable Value initial) {
    Shape shape = Shape.of(pair.rows(), 1);
    if (initial == null) {
      return Parameter.fixed(shape, (values, random) -> {}).named(pair.input().name());
    }
    if (!(initial instanceof Value.Reals reals) || reals.dims().count() != shape.count()) {
      throw new IllegalArgumentException(
          "onnx: state %s begins with %s; need the values of one sequence, %d"
              .formatted(pair.input(), initial.dims(), shape.count()));
    }
    return Parameter.of(shape, reals.values()).named(pair.input().name());
  }

  List<Parameter> state0() {
    return cell.state0;
  }

  List<StatePair> pairs() {
    return pairs;
  }

  Recur recur() {
    return recur;
  }

  /** The same states in memory of their own. */
  Carrier fork() {
    Carrier fork = new Carrier(pairs, new GraphCell(cell.state0));
    fork.recur.restore(recur.save());
    return fork;
  }

  /** The batch of a call: what the inputs tell, else that of the state which is held. */
  int batch(Map<Port, Dims> others) {
    for (StatePair pair : pairs) {
      if (pair.axis() >= 0) {
        int batch = pair.batch(others);
        if (batch < 0 && recur.isFresh()) {
          throw new IllegalArgumentException(
              """
              onnx: run: no name of a size tells the batch of state %s from %s; give the states in \
              the first call after a reset, such as zeros"""
                  .formatted(pair.input(), others.keySet()));
        }
        return batch < 0 ? recur.state().batch() : batch;
      }
    }
    return 1;
  }

  /**
   * Runs the graph from the state that is held, and keeps the next one.
   *
   * @param tape of the run
   * @param batch its sequences
   * @param graph from the state to the next state
   */
  void run(Tape tape, int batch, UnaryOperator<State> graph) {
    cell.now = graph;
    try {
      recur.apply(tape.input(Shape.of(1, batch), new float[batch]));
    } finally {
      cell.now = null;
    }
  }

  /** Keeps a state that the graph has computed from one that the caller has given. */
  void keep(State state) {
    recur.state(state);
  }
}

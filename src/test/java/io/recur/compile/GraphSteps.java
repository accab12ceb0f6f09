package io.recur.compile;

import io.recur.Reference;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import java.util.ArrayList;
import java.util.List;

/** Runs a graph step by step in double precision, as its nodes say: what a program must compute. */
final class GraphSteps {
  private final Graph graph;
  private final int batch;
  final double[][] parameters;
  final double[][] states;
  final List<double[]> outputs = new ArrayList<>();

  /** For each step a list of x, in × batch. */
  private final double[][] x;

  GraphSteps(Graph graph, int batch, double[][] parameters, double[][] states, double[][] x) {
    this.graph = graph;
    this.batch = batch;
    this.parameters = parameters;
    this.states = states.clone();
    this.x = x;
  }

  GraphSteps run() {
    for (double[] input : x) {
      double[][] values = new double[graph.nodes().size()][];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(graph.node(i), values, input);
      }
      for (int i = 0; i < states.length; i++) {
        states[i] = values[graph.states().get(i)];
      }
      outputs.add(values[graph.y()]);
    }
    return this;
  }

  private interface Value {
    double at(int i, int j);
  }

  private double[] value(Node node, double[][] values, double[] input) {
    int rows = node.rows();
    return switch (node) {
      case Node.Input _ -> input;
      case Node.State n -> states[n.part()];
      case Node.Vector n -> of(rows, (i, j) -> parameters[n.parameter()][i]);
      case Node.Constant n -> of(1, (i, j) -> n.number());
      case Node.Product n -> {
        double[] w = parameters[n.parameter()];
        double[] operand = values[n.operand()];
        int terms = graph.node(n.operand()).rows();
        yield of(
            rows,
            (i, j) -> {
              double sum = 0;
              for (int k = 0; k < terms; k++) {
                sum += w[k * rows + i] * operand[j * terms + k];
              }
              return sum;
            });
      }
      case Node.BandProduct n -> of(rows, (i, j) -> band(n, values, i, j));
      case Node.Map n -> of(rows, (i, j) -> Reference.value(n.f(), at(values, n.a(), i, j)));
      case Node.Affine n -> of(rows, (i, j) -> n.factor() * at(values, n.a(), i, j) + n.constant());
      case Node.Combine n ->
          of(
              rows,
              (i, j) -> Reference.value(n.f(), at(values, n.a(), i, j), at(values, n.b(), i, j)));
      case Node.Rows n -> of(rows, (i, j) -> at(values, n.a(), n.from() + i, j));
      case Node.Concat n -> {
        double[] all = new double[rows * batch];
        int from = 0;
        for (int part : n.parts()) {
          int height = graph.node(part).rows();
          for (int k = 0; k < height * batch; k++) {
            all[k / height * rows + from + k % height] = at(values, part, k % height, k / height);
          }
          from += height;
        }
        yield all;
      }
      case Node.Reduce n -> of(1, (i, j) -> reduce(n, values, j));
      case Node.Drop n -> values[n.a()];
    };
  }

  /** Row i of a band product: the values of all diagonals are counted until it is reached. */
  private double band(Node.BandProduct n, double[][] values, int i, int j) {
    int columns = graph.node(n.operand()).rows();
    double sum = 0;
    int stored = 0;
    for (int top = 0; top <= i; top += columns) {
      for (int d = -n.bandwidth(); d <= n.bandwidth(); d++) {
        for (int k = Math.max(-d, 0); k < columns - Math.max(d, 0); k++, stored++) {
          if (top + k == i) {
            sum += parameters[n.parameter()][stored] * at(values, n.operand(), k + d, j);
          }
        }
      }
    }
    return sum;
  }

  private double[] of(int rows, Value value) {
    double[] all = new double[rows * batch];
    for (int k = 0; k < all.length; k++) {
      all[k] = value.at(k % rows, k / rows);
    }
    return all;
  }

  /** A row repeats. */
  private double at(double[][] values, int node, int i, int j) {
    int rows = graph.node(node).rows();
    double[] value = values[node];
    return value.length == 1 && rows == 1 ? value[0] : value[j * rows + (rows == 1 ? 0 : i)];
  }

  private double reduce(Node.Reduce n, double[][] values, int j) {
    int rows = graph.node(n.a()).rows();
    double sum = 0;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < rows; i++) {
      sum += at(values, n.a(), i, j);
      most = Math.max(most, at(values, n.a(), i, j));
    }
    double squares = 0;
    for (int i = 0; i < rows; i++) {
      squares += Math.pow(at(values, n.a(), i, j) - sum / rows, 2);
    }
    return switch (n.kind()) {
      case SUM -> sum;
      case MEAN -> sum / rows;
      case MAX -> most;
      case VARIANCE -> squares / rows;
    };
  }
}

package io.recur.grad;

import static io.recur.Reference.doubles;

import io.recur.Reference;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph.Node;
import java.util.ArrayList;
import java.util.List;

/** Runs a graph in double precision: the values of its nodes, column by column. */
public final class GraphReference {
  private final Graph graph;
  private final int batch;
  private final double[][] values;

  private GraphReference(Graph graph, int batch) {
    this.graph = graph;
    this.batch = batch;
    this.values = new double[graph.nodes().size()][];
  }

  /**
   * Runs one step.
   *
   * @return the parts of the new state, then the output, rows × batch each
   */
  public static List<double[]> run(Graph graph, int batch, double[] x, List<double[]> state) {
    GraphReference run = new GraphReference(graph, batch);
    for (int i = 0; i < run.values.length; i++) {
      run.values[i] = run.value(graph.node(i), x, state);
    }
    List<double[]> results = new ArrayList<>();
    graph.states().forEach(number -> results.add(run.values[number]));
    results.add(run.values[graph.y()]);
    return results;
  }

  private double[] value(Node node, double[] x, List<double[]> state) {
    return switch (node) {
      case Node.Input _ -> x;
      case Node.State(int part, int _) -> state.get(part);
      case Node.Vector(int p, int rows) -> repeated(parameter(p), rows);
      case Node.Constant(float number) -> repeated(new double[] {number}, 1);
      case Node.Product(int p, int rows, int a) ->
          Reference.matmul(rows, graph.node(a).rows(), parameter(p), values[a]);
      case Node.BandProduct(int p, int bandwidth, int rows, int a) ->
          band(parameter(p), bandwidth, rows, graph.node(a).rows(), values[a]);
      case Node.Map(var f, int _, int a) ->
          Reference.map(values[a], value -> Reference.value(f, value));
      case Node.Affine(int _, int a, float factor, float constant) ->
          Reference.map(values[a], value -> factor * value + constant);
      case Node.Combine(Binary f, int rows, int a, int b) ->
          Reference.zip(wide(a, rows), wide(b, rows), (u, v) -> Reference.value(f, u, v));
      case Node.Rows(int rows, int a, int from) ->
          Reference.rows(values[a], graph.node(a).rows(), from, from + rows);
      case Node.Concat(int _, List<Integer> parts) -> {
        double[] all = new double[0];
        for (int part : parts) {
          all = Reference.stack(all, values[part], batch);
        }
        yield all;
      }
      case Node.Reduce(Reduction kind, int a) -> reduced(kind, values[a]);
      case Node.Drop(int _, int a, float rate, int _) -> {
        throw new IllegalArgumentException("node " + a + " is dropped at random, rate " + rate);
      }
    };
  }

  private double[] parameter(int number) {
    return doubles(graph.parameters().get(number).toArray());
  }

  private double[] repeated(double[] column, int rows) {
    double[] all = new double[rows * batch];
    for (int i = 0; i < all.length; i++) {
      all[i] = column[i % rows];
    }
    return all;
  }

  /** A value of one row, over all rows. */
  private double[] wide(int number, int rows) {
    if (graph.node(number).rows() == rows) {
      return values[number];
    }
    double[] all = new double[rows * batch];
    for (int i = 0; i < all.length; i++) {
      all[i] = values[number][i / rows];
    }
    return all;
  }

  private static double[] band(double[] stored, int bandwidth, int rows, int columns, double[] x) {
    double[] w = new double[rows * columns];
    int at = 0;
    for (int top = 0; top < rows; top += columns) {
      for (int d = -bandwidth; d <= bandwidth; d++) {
        for (int row = Math.max(-d, 0); row < columns - Math.max(d, 0); row++) {
          w[top + row + (row + d) * rows] = stored[at++];
        }
      }
    }
    return Reference.matmul(rows, columns, w, x);
  }

  private double[] reduced(Reduction kind, double[] x) {
    int rows = x.length / batch;
    double[] y = new double[batch];
    for (int j = 0; j < batch; j++) {
      double[] column = Reference.slice(x, j * rows, (j + 1) * rows);
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      for (double value : column) {
        sum += value;
        largest = Math.max(largest, value);
      }
      double squares = 0;
      for (double value : column) {
        squares += (value - sum / rows) * (value - sum / rows);
      }
      y[j] =
          switch (kind) {
            case SUM -> sum;
            case MEAN -> sum / rows;
            case MAX -> largest;
            case VARIANCE -> squares / rows;
          };
    }
    return y;
  }
}

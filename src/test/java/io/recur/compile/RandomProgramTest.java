package io.recur.compile;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random steps, compiled, in double precision: values against the graph's own steps, gradients
 * against finite differences of these.
 */
@Tag(Devices.CPU)
class RandomProgramTest {
  private static final int CELLS = 1500;

  @Test
  void programsComputeWhatTheirGraphsSay() {
    for (long seed = 0; seed < CELLS; seed++) {
      new Run(seed, RandomGraph.of(seed)).check();
    }
  }

  /** Their gradients have the same values, but where the shorter parameter ends. */
  @Test
  void bandsOfUnequalLengthsMayGiveTheSameGradients() {
    List<Node> nodes =
        List.of(
            new Node.Input(3, false),
            new Node.State(0, 3),
            new Node.BandProduct(0, 1, 6, 1),
            new Node.Rows(3, 2, 0),
            new Node.BandProduct(1, 1, 3, 1),
            new Node.Combine(Binary.ADD, 3, 3, 4));
    List<Parameter> bands = List.of(Parameter.zeros(Shape.of(14)), Parameter.zeros(Shape.of(7)));
    new Run(1, new Graph(nodes, bands, 0, List.of(5), 5)).check();
  }

  /** The sum passes one number to all rows, and the row that they repeat gets it from each. */
  @Test
  void aRepeatedRowGetsTheGradientOfASumFromEveryRow() {
    for (Binary f : List.of(Binary.ADD, Binary.SUBTRACT)) {
      for (Reduction kind : Reduction.values()) {
        List<Node> nodes =
            List.of(
                new Node.Input(3, false),
                new Node.State(0, 4),
                new Node.Vector(0, 1),
                new Node.Combine(f, 4, 1, 2),
                new Node.Reduce(kind, 3),
                new Node.Combine(f, 4, 4, 1));
        List<Parameter> row = List.of(Parameter.zeros(Shape.of(1)));
        new Run(2, new Graph(nodes, row, 0, List.of(5), 5)).check();
      }
    }
  }

  /** One cell with random values. */
  private static final class Run {
    private final long seed;
    private final Graph graph;
    private final Random random;
    private final int batch;
    private final double[][] parameters;
    private final double[][] states;
    private final double[][] x;
    private final double[][] dy;
    private final double[][] dstates;

    Run(long seed, Graph graph) {
      this.seed = seed;
      this.graph = graph;
      this.random = new Random(~seed);
      this.batch = 1 + random.nextInt(3);
      int time = 1 + random.nextInt(4);
      parameters = new double[graph.parameters().size()][];
      for (int i = 0; i < parameters.length; i++) {
        parameters[i] = values(graph.parameters().get(i).shape().count());
      }
      states = new double[graph.states().size()][];
      dstates = new double[states.length][];
      for (int i = 0; i < states.length; i++) {
        int rows = graph.node(graph.states().get(i)).rows();
        states[i] = values(rows * batch);
        dstates[i] = values(rows * batch);
      }
      x = new double[time][];
      dy = new double[time][];
      for (int t = 0; t < time; t++) {
        x[t] = values(graph.node(0).rows() * batch);
        dy[t] = values(graph.node(graph.y()).rows() * batch);
      }
    }

    private double[] values(int count) {
      return random.doubles(count, -0.9, 0.9).toArray();
    }

    private double loss() {
      GraphSteps steps = new GraphSteps(graph, batch, parameters, states, x).run();
      double sum = 0;
      for (int t = 0; t < x.length; t++) {
        sum += dot(steps.outputs.get(t), dy[t]);
      }
      for (int i = 0; i < states.length; i++) {
        sum += dot(steps.states[i], dstates[i]);
      }
      return sum;
    }

    /** A constant output has one value. */
    private double dot(double[] a, double[] b) {
      double sum = 0;
      for (int i = 0; i < b.length; i++) {
        sum += a[a.length == 1 ? 0 : i] * b[i];
      }
      return sum;
    }

    void check() {
      Compiler.Compiled cell = Compiler.compile(graph, graph.node(0).rows(), true);
      ProgramSteps program = new ProgramSteps(cell, batch, states, x);
      List<Integer> matrices = numbers(cell.matrices());
      List<Integer> vectors = numbers(cell.vectors());
      program.parameters(parameters, matrices, vectors);
      program.run.forward();
      GraphSteps steps = new GraphSteps(graph, batch, parameters, states, x).run();
      for (int t = 0; t < x.length; t++) {
        near("y at " + t, steps.outputs.get(t), program.output(t), 1e-9);
      }
      for (int i = 0; i < states.length; i++) {
        near("state " + i, steps.states[i], program.state(i), 1e-9);
      }
      program.backward(dy, dstates);
      for (int i = 0; i < matrices.size(); i++) {
        gradient("matrix " + i, parameters[matrices.get(i)], program.run.matrixGradients[i]);
      }
      for (int i = 0; i < vectors.size(); i++) {
        gradient("vector " + i, parameters[vectors.get(i)], program.run.vectorGradients[i]);
      }
      for (int i = 0; i < states.length; i++) {
        gradient("state " + i, states[i], program.stateGradient(i));
      }
      for (int t = 0; t < x.length; t++) {
        gradient("x at " + t, x[t], program.inputGradient(t));
      }
    }

    private List<Integer> numbers(List<Parameter> all) {
      List<Integer> numbers = new ArrayList<>();
      all.forEach(parameter -> numbers.add(graph.parameters().indexOf(parameter)));
      return numbers;
    }

    /**
     * Each derivative is that from the left or that from the right, or one between them at a kink.
     */
    private void gradient(String what, double[] values, double[] actual) {
      double step = 1e-6;
      for (int i = 0; i < values.length; i++) {
        double old = values[i];
        double middle = loss();
        values[i] = old + step;
        double right = (loss() - middle) / step;
        values[i] = old - step;
        double left = (middle - loss()) / step;
        values[i] = old;
        double scale = 1e-3 * (1 + Math.abs(left) + Math.abs(right));
        boolean fits =
            actual[i] >= Math.min(left, right) - scale
                && actual[i] <= Math.max(left, right) + scale;
        assertTrue(
            fits || Math.abs(left) > 1e4 || Math.abs(right) > 1e4,
            () ->
                "cell %d, gradient of %s: %s, differences %s and %s; %s"
                    .formatted(seed, what, Arrays.toString(actual), left, right, graph));
      }
    }

    private void near(String what, double[] expected, double[] actual, double tolerance) {
      for (int i = 0; i < actual.length; i++) {
        double e = expected[expected.length == 1 ? 0 : i];
        int at = i;
        assertTrue(
            Math.abs(e - actual[i]) <= tolerance * (1 + Math.abs(e)),
            () ->
                "cell %d, %s, value %d: %s, expected %s; %s"
                    .formatted(
                        seed, what, at, Arrays.toString(actual), Arrays.toString(expected), graph));
      }
    }
  }
}

package io.recur.compile;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Graph;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Random steps on every device: values and gradients against double precision. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class CompiledCellTest {
  private final Device device;

  CompiledCellTest(Device device) {
    this.device = device;
  }

  @Test
  void aCompiledCellEqualsDoublePrecision() {
    for (long seed = 0; seed < Devices.rounds(300); seed++) {
      new Run(seed).check();
    }
  }

  @Test
  void aTapeThatDoesNotRecordGivesTheSame() {
    for (long seed = 0; seed < Devices.rounds(100); seed++) {
      Run run = new Run(seed);
      double[] recorded = run.outputs(Tape.on(device));
      run.near("inference", recorded, run.floats(run.outputs(Tape.inference(device))), 0);
    }
  }

  /** One cell with random values, in float and in double. */
  private final class Run {
    private final long seed;
    private final Graph graph;
    private final Random random;
    private final int batch;
    private final int time;
    private final int in;
    private final double[][] parameters;
    private final double[][] states;
    private final double[][] x;
    private final CompiledCell cell;
    private final CompiledCell forward;

    Run(long seed) {
      this.seed = seed;
      this.graph = RandomGraph.of(seed);
      this.random = new Random(seed + 1);
      this.batch = 1 + random.nextInt(seed % 5 == 0 ? 70 : 5); // now and then several tiles
      this.time = 1 + random.nextInt(5);
      this.in = graph.node(0).rows();
      parameters = new double[graph.parameters().size()][];
      for (int i = 0; i < parameters.length; i++) {
        Parameter parameter = graph.parameters().get(i).on(device);
        parameters[i] = values(parameter.shape().count());
        parameter.value().write(floats(parameters[i]));
      }
      states = new double[graph.states().size()][];
      for (int i = 0; i < states.length; i++) {
        states[i] = values(rows(graph.states().get(i)) * batch);
      }
      x = new double[time][];
      for (int t = 0; t < time; t++) {
        x[t] = values(in * batch);
      }
      this.cell = CompiledCell.of(graph, in, true, device);
      this.forward = CompiledCell.of(graph, in, false, device);
    }

    private int rows(int node) {
      return graph.node(node).rows();
    }

    /** Random floats. */
    private double[] values(int count) {
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = 1.8f * random.nextFloat() - 0.9f;
      }
      return values;
    }

    private float[] floats(double[]... parts) {
      int count = 0;
      for (double[] part : parts) {
        count += part.length;
      }
      float[] all = new float[count];
      int at = 0;
      for (double[] part : parts) {
        for (double value : part) {
          all[at++] = (float) value;
        }
      }
      return all;
    }

    private double[] outputs(Tape tape) {
      try (tape) {
        Tensor input = tape.input(Shape.of(in, batch, time), floats(x));
        List<Double> values = new ArrayList<>();
        CompiledCell.Result result = run(tape, input, states(tape));
        List<Tensor> all = new ArrayList<>(result.states());
        all.add(result.y());
        for (Tensor tensor : all) {
          for (float value : tensor.toArray()) {
            values.add((double) value);
          }
        }
        return values.stream().mapToDouble(Double::doubleValue).toArray();
      }
    }

    private List<Tensor> states(Tape tape) {
      List<Tensor> tensors = new ArrayList<>();
      for (int i = 0; i < states.length; i++) {
        Shape shape = Shape.of(rows(graph.states().get(i)), batch);
        tensors.add(tape.variable(shape, floats(states[i])));
      }
      return tensors;
    }

    private CompiledCell.Result run(Tape tape, Tensor input, List<Tensor> before) {
      try (OpContext context = OpContext.of("compiled", input)) {
        graph.parameters().forEach(parameter -> context.accept("compiled", parameter));
        return (tape.isRecording() ? cell : forward).run(context, before, input);
      }
    }

    void check() {
      Compiler.Compiled whole = Compiler.compile(graph, in, true); // what is invariant, too
      ProgramSteps exact = new ProgramSteps(whole, batch, states, x);
      exact.parameters(parameters, numbers(whole.matrices()), numbers(whole.vectors()));
      exact.run.forward();
      double[][] dy = new double[time][];
      double[][] dstates = new double[states.length][];
      for (int t = 0; t < time; t++) {
        dy[t] = values(rows(graph.y()) * batch);
      }
      for (int i = 0; i < states.length; i++) {
        dstates[i] = values(states[i].length);
      }
      exact.backward(dy, dstates);
      try (Tape tape = Tape.on(device)) {
        Tensor input = tape.variable(Shape.of(in, batch, time), floats(x));
        List<Tensor> before = states(tape);
        CompiledCell.Result result = run(tape, input, before);
        Tensor loss = dot(tape, result.y(), dy);
        for (int i = 0; i < states.length; i++) {
          near("state " + i, exact.state(i), result.states().get(i).toArray(), 0);
          loss = loss.add(dot(tape, result.states().get(i), dstates[i]));
        }
        for (int t = 0; t < time; t++) {
          near("y at " + t, exact.output(t), result.y().time(t).toArray(), 0);
        }
        tape.backward(loss);
        for (int i = 0; i < states.length; i++) {
          near("dstate " + i, exact.stateGradient(i), before.get(i).gradientArray(), 1);
        }
        float[] dx = input.gradientArray();
        for (int t = 0; t < time; t++) {
          float[] step = Arrays.copyOfRange(dx, t * in * batch, (t + 1) * in * batch);
          near("dx at " + t, exact.inputGradient(t), step, 1);
        }
        gradients("matrix ", whole.matrices(), exact.run.matrixGradients);
        gradients("vector ", whole.vectors(), exact.run.vectorGradients);
      }
    }

    private Tensor dot(Tape tape, Tensor y, double[]... weights) {
      return y.mul(tape.input(y.shape(), floats(weights))).sum();
    }

    private List<Integer> numbers(List<Parameter> all) {
      List<Integer> numbers = new ArrayList<>();
      all.forEach(parameter -> numbers.add(graph.parameters().indexOf(parameter)));
      return numbers;
    }

    private void gradients(String what, List<Parameter> all, double[][] expected) {
      for (int i = 0; i < all.size(); i++) {
        near("d" + what + i, expected[i], all.get(i).gradientArray(), 1);
      }
    }

    /**
     * Steps of exponentials, quotients and squares enlarge roundings; gradients more than values.
     */
    private void near(String what, double[] expected, float[] actual, int order) {
      double largest = 1;
      for (double value : expected) {
        largest = Math.max(largest, Math.abs(value));
      }
      double tolerance = (order == 0 ? 1e-4 : 1e-3) * largest;
      for (int i = 0; i < expected.length; i++) {
        int at = i;
        assertTrue(
            Math.abs(expected[i] - actual[i]) <= tolerance,
            () ->
                "%s, cell %d, %s, value %d: %s, expected %s; %s"
                    .formatted(device.name(), seed, what, at, actual[at], expected[at], graph));
      }
    }
  }
}

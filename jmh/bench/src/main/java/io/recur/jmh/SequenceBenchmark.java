package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A whole sequence forward, and forward and backward of the sum of its outputs. */
@org.openjdk.jmh.annotations.State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class SequenceBenchmark {
  @Param({"lstm", "gru", "rnn"})
  String cell;

  /** batch x time x in x hidden. */
  @Param({"1x64x64x64", "1x100x256x256", "32x64x128x256", "64x50x512x512"})
  String shape;

  private Device device;
  private Tape recording;
  private Tape inference;
  private Recur layer;
  private Shape size;
  private float[] x;

  @Setup
  public void setUp() {
    String[] sizes = shape.split("x");
    int batch = Integer.parseInt(sizes[0]);
    int time = Integer.parseInt(sizes[1]);
    int in = Integer.parseInt(sizes[2]);
    int hidden = Integer.parseInt(sizes[3]);
    device = Device.cpu();
    recording = Tape.on(device);
    inference = Tape.inference(device);
    layer =
        switch (cell) {
          case "lstm" -> Layers.lstm(in, hidden);
          case "gru" -> Layers.gru(in, hidden);
          default -> Layers.rnn(in, hidden);
        };
    layer.on(device, 1);
    size = Shape.of(in, batch, time);
    x = Check.random(size.count(), 3);
    checkOutputs();
    checkGradients();
  }

  /** The whole-sequence run against the cell's plain step. */
  private void checkOutputs() {
    float[] whole = forward();
    Check.close("outputs of " + cell + " " + shape, whole, Check.widen(stepped(inference)), 1e-4);
    inference.clear();
  }

  private float[] stepped(Tape tape) {
    return loop(tape).toArray();
  }

  private Tensor loop(Tape tape) {
    Tensor input = tape.input(size, x);
    List<Tensor> outputs = new ArrayList<>();
    Cell plain = layer.cell();
    State state =
        new State(
            plain.state0().stream()
                .map(
                    p ->
                        tape.input(
                            Shape.of(p.shape().rows(), size.batch()),
                            new float[p.shape().rows() * size.batch()]))
                .toList());
    for (int t = 0; t < size.time(); t++) {
      Step step = plain.step(state, input.time(t));
      outputs.add(step.y());
      state = step.state();
    }
    return Concat.time(outputs);
  }

  private void checkGradients() {
    recording.backward(loop(recording).sum());
    recording.clear();
    List<float[]> expected = gradients();
    layer.parameters().zeroGradients();
    trained();
    List<float[]> actual = gradients();
    for (int i = 0; i < expected.size(); i++) {
      Check.close("gradient " + i, actual.get(i), Check.widen(expected.get(i)), 1e-3);
    }
    layer.parameters().zeroGradients();
  }

  /** Of all parameters but the initial state, which the loop does not use. */
  private List<float[]> gradients() {
    List<float[]> gradients = new ArrayList<>();
    for (Parameter parameter : layer.parameters()) {
      if (!layer.cell().state0().contains(parameter)) {
        gradients.add(parameter.gradientArray());
      }
    }
    return gradients;
  }

  @Benchmark
  public float[] forward() {
    layer.reset();
    float[] y = layer.apply(inference.input(size, x)).toArray();
    inference.clear();
    return y;
  }

  @Benchmark
  public float train() {
    float loss = trained();
    layer.parameters().zeroGradients();
    return loss;
  }

  private float trained() {
    layer.reset();
    Tensor loss = layer.apply(recording.input(size, x)).sum();
    recording.backward(loss);
    float value = loss.scalar();
    layer.reset();
    recording.clear();
    return value;
  }

  @TearDown
  public void tearDown() {
    recording.close();
    inference.close();
    device.close();
  }
}

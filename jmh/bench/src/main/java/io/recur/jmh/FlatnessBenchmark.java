package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A step costs the same in a short sequence and in a long one: an LSTM over 8 192 steps, in
 * sequences of so many each, with the gradient through the whole of each. The figure is the time of
 * one step.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
public class FlatnessBenchmark {
  private static final int TOTAL = 8192;
  private static final int PIECES = 8;

  @Param({"forward", "train"})
  String pass;

  /** batch x in x hidden. */
  @Param({"1x64x64", "32x128x256"})
  String shape;

  /** Of one sequence. */
  @Param({"64", "1024", "8192"})
  int steps;

  private Device device;
  private Tape tape;
  private Recur layer;
  private Shape size;
  private float[] x;

  @Setup
  public void setUp() {
    String[] sizes = shape.split("x");
    int in = Integer.parseInt(sizes[1]);
    device = Device.cpu();
    tape = pass.equals("train") ? Tape.on(device) : Tape.inference(device);
    layer = Layers.lstm(in, Integer.parseInt(sizes[2])).on(device, 1);
    size = Shape.of(in, Integer.parseInt(sizes[0]), steps);
    x = Check.random(size.count(), 3);
    check();
  }

  /** The sequence in one call against the same in pieces, outputs or gradients. */
  private void check() {
    List<float[]> expected = results(PIECES);
    List<float[]> actual = results(1);
    for (int i = 0; i < expected.size(); i++) {
      Check.close(pass + " " + i, actual.get(i), Check.widen(expected.get(i)), 1e-3);
    }
  }

  /** The last output, and where there is one, the gradient of every parameter. */
  private List<float[]> results(int pieces) {
    List<float[]> results = new ArrayList<>();
    int length = steps / pieces;
    int floats = x.length / pieces;
    Tensor y = null;
    Tensor sum = null;
    for (int i = 0; i < pieces; i++) {
      float[] piece = Arrays.copyOfRange(x, i * floats, (i + 1) * floats);
      y = layer.apply(tape.input(Shape.of(size.rows(), size.batch(), length), piece));
      sum = sum == null ? y.sum() : sum.add(y.sum());
    }
    results.add(y.time(length - 1).toArray());
    if (tape.isRecording()) {
      tape.backward(sum);
      for (Parameter parameter : layer.parameters()) {
        results.add(parameter.gradientArray());
      }
      layer.parameters().zeroGradients();
    }
    layer.reset();
    tape.clear();
    return results;
  }

  @Benchmark
  @OperationsPerInvocation(TOTAL)
  public float step() {
    float last = 0;
    for (int done = 0; done < TOTAL; done += steps) {
      Tensor sum = layer.apply(tape.input(size, x)).sum();
      if (tape.isRecording()) {
        tape.backward(sum);
      }
      last = sum.scalar();
      layer.reset();
      tape.clear();
    }
    layer.parameters().zeroGradients();
    return last;
  }

  @TearDown
  public void tearDown() {
    tape.close();
    device.close();
  }
}

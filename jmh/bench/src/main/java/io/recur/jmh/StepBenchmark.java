package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
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
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One LSTM step at a time, batch 1, as a server answers a stream. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StepBenchmark {
  private static final int STEPS = 8;

  @Param({"64", "256", "512"})
  int hidden;

  private Device device;
  private Tape tape;
  private Recur lstm;
  private float[] x;

  @Setup
  public void setUp() {
    device = Device.cpu();
    tape = Tape.inference(device);
    lstm = Layers.lstm(hidden, hidden).on(device, 1);
    x = Check.random(hidden, 3);
    float[] last = {};
    for (int t = 0; t < STEPS; t++) {
      last = step();
    }
    float[] repeated = new float[hidden * STEPS];
    for (int t = 0; t < STEPS; t++) {
      System.arraycopy(x, 0, repeated, t * hidden, hidden);
    }
    lstm.reset();
    Tensor whole = lstm.apply(tape.input(Shape.of(hidden, 1, STEPS), repeated));
    Check.close("step " + STEPS, last, Check.widen(whole.time(STEPS - 1).toArray()), 1e-4);
    tape.clear();
  }

  @Benchmark
  public float[] step() {
    float[] y = lstm.apply(tape.input(x)).toArray();
    tape.clear();
    return y;
  }

  @TearDown
  public void tearDown() {
    tape.close();
    device.close();
  }
}

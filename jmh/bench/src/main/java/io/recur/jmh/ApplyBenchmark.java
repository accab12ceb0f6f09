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
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What {@code Recur.apply} costs beyond its arithmetic, of which four units have next to none: one
 * RNN step on a tape for inference, {@code clear} included. Run it with two jars to see what a
 * change costs per call.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(10)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ApplyBenchmark {
  private static final int UNITS = 4;
  private static final int STEPS = 50;

  private Device device;
  private Tape tape;
  private Recur rnn;
  private final float[] x = Check.random(UNITS, 3);

  /** Opens a device of one thread and checks the answer: the same steps as one sequence. */
  @Setup(Level.Trial)
  public void setUp() {
    device = Device.cpu(1);
    tape = Tape.inference(device);
    rnn = Layers.rnn(UNITS, UNITS).on(device, 1);
    float[] last = {};
    for (int i = 0; i < STEPS; i++) {
      last = apply().toArray();
    }
    float[] all = new float[UNITS * STEPS];
    for (int i = 0; i < STEPS; i++) {
      System.arraycopy(x, 0, all, UNITS * i, UNITS);
    }
    rnn.reset();
    Tensor whole = rnn.apply(tape.input(Shape.of(UNITS, 1, STEPS), all));
    Check.close("step", last, Check.widen(whole.time(STEPS - 1).toArray()), 1e-5);
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    tape.close();
    device.close();
  }

  /**
   * One step.
   *
   * @return the output
   */
  @Benchmark
  public Tensor apply() {
    tape.clear();
    return rnn.apply(tape.input(x));
  }
}

package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Forks of one LSTM-256 on one and on two Java threads, each with its own state and tape and no
 * lock: the figure is what all of them do in a second. Two are to do 1.8 times what one does on a
 * device of one thread, and no less on a device of two threads than on one of one.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ForksBenchmark {
  private static final int UNITS = 256;

  /** What the forks share: the device and the weights. */
  @State(Scope.Benchmark)
  public static class Model {
    /** Of the device. */
    @Param({"1", "2"})
    int threads;

    /** batch x time: one step of a stream, and a sequence. */
    @Param({"1x1", "32x64"})
    String shape;

    private Device device;
    private Recur layer;
    private Shape size;
    private float[] x;
    private double[] expected;

    @Setup
    public void setUp() {
      String[] sizes = shape.split("x");
      size = Shape.of(UNITS, Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]));
      device = Device.cpu(threads);
      layer = Layers.lstm(UNITS, UNITS).on(device, 1);
      x = Check.random(size.count(), 3);
      expected = Check.widen(alone());
    }

    /** Every step by itself, on this thread alone. */
    private float[] alone() {
      float[] y = new float[size.count()];
      int columns = UNITS * size.batch();
      try (Tape tape = Tape.inference(device)) {
        for (int t = 0; t < size.time(); t++) {
          float[] now = Arrays.copyOfRange(x, t * columns, (t + 1) * columns);
          float[] then = layer.apply(tape.input(Shape.of(UNITS, size.batch()), now)).toArray();
          System.arraycopy(then, 0, y, t * columns, columns);
          tape.clear();
        }
      }
      layer.reset();
      return y;
    }

    @TearDown
    public void tearDown() {
      device.close();
    }
  }

  /** One thread's own. */
  @State(Scope.Thread)
  public static class Stream {
    private Model model;
    private Recur fork;
    private Tape tape;

    @Setup
    public void setUp(Model model) {
      this.model = model;
      fork = model.layer.fork();
      tape = Tape.inference(model.device);
    }

    /** All threads at once, before each iteration. */
    @Setup(Level.Iteration)
    public void check() {
      for (int i = 0; i < 4; i++) {
        fork.reset();
        Check.close("fork " + model.shape, run(), model.expected, 1e-4);
      }
    }

    float[] run() {
      float[] y = fork.apply(tape.input(model.size, model.x)).toArray();
      tape.clear();
      return y;
    }

    @TearDown
    public void tearDown() {
      tape.close();
    }
  }

  @Benchmark
  @Threads(1)
  public float[] one(Stream stream) {
    return stream.run();
  }

  @Benchmark
  @Threads(2)
  public float[] two(Stream stream) {
    return stream.run();
  }
}

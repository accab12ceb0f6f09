package io.recur.jmh;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.train.Adam;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a step in the steady state leaves on the Java heap: run with {@code -prof gc} and read
 * {@code gc.alloc.rate.norm}, bytes a step. A training step is that of {@link
 * CharacterModelBenchmark}; a streaming step is a character through LSTM-256 and the head without
 * gradients, the scores read into an array.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 4)
@Measurement(iterations = 5, time = 4)
public class AllocationBenchmark {
  private static final int CLASSES = 107;
  private static final int HIDDEN = 256;
  private static final int BATCH = 32;
  private static final int STEPS = 64;
  private static final int CHUNKS = 4;

  /** A model in training. */
  @State(Scope.Benchmark)
  public static class Training {
    private final Device device = Device.cpu();
    private final Tape tape = Tape.on(device);
    private Trainer trainer;
    private Trainer.Loss loss;
    private float last;

    @Setup
    public void setUp() {
      Chain model = chain(lstm(CLASSES, HIDDEN), dense(HIDDEN, CLASSES)).on(device, 1);
      Random random = new Random(1);
      int[] text = new int[BATCH * (CHUNKS * STEPS + 1)];
      for (int i = 1; i < text.length; i++) {
        text[i] = (text[i - 1] + 1 + random.nextInt(2)) % CLASSES; // one bit a character
      }
      Streams streams = new Streams(text, CLASSES, BATCH, STEPS);
      loss = i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
      trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
      trainer.onStep(
          step -> {
            last = step.loss();
            return true;
          });
      for (int i = 0; i < 80; i++) {
        pass();
      }
      if (!(last < 1.2)) { // the text's entropy is 0.69 nats, an untrained model's loss 4.7
        throw new IllegalStateException(
            "loss=" + last + " after 320 steps; it should be below 1.2");
      }
    }

    float pass() {
      trainer.pass(0, CHUNKS, loss);
      return last;
    }

    @TearDown
    public void tearDown() {
      tape.close();
      device.close();
    }
  }

  /** A model that answers a stream. */
  @State(Scope.Benchmark)
  public static class Streaming {
    private final Device device = Device.cpu();
    private final Tape tape = Tape.inference(device);
    private final float[] x = new float[CLASSES];
    private final float[] y = new float[CLASSES];
    private Chain model;

    /** Some steps one by one against the same as a sequence. */
    @Setup
    public void setUp() {
      model = chain(lstm(CLASSES, HIDDEN), dense(HIDDEN, CLASSES)).on(device, 1);
      x[3] = 1;
      int steps = 8;
      float[] repeated = new float[steps * CLASSES];
      for (int t = 0; t < steps; t++) {
        step();
        System.arraycopy(x, 0, repeated, t * CLASSES, CLASSES);
      }
      model.reset();
      Tensor whole = model.apply(tape.input(Shape.of(CLASSES, 1, steps), repeated));
      Check.close("step " + steps, y, Check.widen(whole.time(steps - 1).toArray()), 1e-4);
      tape.clear();
    }

    float[] step() {
      model.apply(tape.input(x)).value().read(y);
      tape.clear();
      return y;
    }

    @TearDown
    public void tearDown() {
      tape.close();
      device.close();
    }
  }

  /**
   * In long iterations: JMH itself allocates some 7 KB in each, which the figure has a share of.
   */
  @Benchmark
  @OperationsPerInvocation(CHUNKS)
  @Measurement(iterations = 3, time = 20)
  public float training(Training training) {
    return training.pass();
  }

  @Benchmark
  public float[] streaming(Streaming streaming) {
    return streaming.step();
  }
}

package io.recur.jmh;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.grad.Tape;
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
 * Whole training steps of the character model: LSTM-256, batch 32, 64 steps, 107 characters
 * one-hot, Adam, clipping. The figure is characters a second.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class CharacterModelBenchmark {
  private static final int CLASSES = 107;
  private static final int BATCH = 32;
  private static final int STEPS = 64;
  private static final int CHUNKS = 4;

  private Device device;
  private Tape tape;
  private Chain model;
  private Streams streams;
  private Trainer trainer;
  private float last;

  @Setup
  public void setUp() {
    device = Device.cpu();
    tape = Tape.on(device);
    model = chain(lstm(CLASSES, 256), dense(256, CLASSES)).on(device, 1);
    Random random = new Random(1);
    int[] text = new int[BATCH * (CHUNKS * STEPS + 1)];
    for (int i = 1; i < text.length; i++) {
      text[i] = (text[i - 1] + 1 + random.nextInt(2)) % CLASSES; // one bit a character
    }
    streams = new Streams(text, CLASSES, BATCH, STEPS);
    trainer = new Trainer(model, new Adam(0.002f), tape).clipNorm(5);
    trainer.onStep(
        step -> {
          last = step.loss();
          return true;
        });
    for (int i = 0; i < 80; i++) {
      characters();
    }
    if (!(last < 1.2)) { // the text's entropy is 0.69 nats, an untrained model's loss 4.7
      throw new IllegalStateException("loss=" + last + " after 320 steps; it should be below 1.2");
    }
  }

  @Benchmark
  @OperationsPerInvocation(CHUNKS * BATCH * STEPS)
  public float characters() {
    model.reset();
    trainer.pass(
        0, CHUNKS, i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i)));
    return last;
  }

  @TearDown
  public void tearDown() {
    tape.close();
    device.close();
  }
}

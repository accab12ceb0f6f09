package io.recur;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.CrossEntropy;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import io.recur.nn.Step;
import io.recur.train.Adam;
import io.recur.train.Clip;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Four threads call all public operations on the same objects. A child JVM runs this program.
 * Status 0 means that the JVM lived, that only documented exceptions were thrown, that forks on
 * their own tapes gave the right bits, and that all objects can be used afterwards.
 */
final class ThreadStorm {
  private static final int THREADS = 4;
  private static final int IN = 5;
  private static final int MOST_BATCH = 40;
  private static final int MOST_TIME = 20;
  private static final int TENSORS = 16;

  /** Every n-th use closes what others are using. */
  private static final int CLOSES = 60;

  private final Device device = Devices.opened();
  private final AtomicReference<Tape> recording = new AtomicReference<>(Tape.on(device));
  private final AtomicReference<Tape> inference = new AtomicReference<>(Tape.inference(device));
  private final AtomicReferenceArray<Tensor> tensors = new AtomicReferenceArray<>(TENSORS);
  private final AtomicReference<Snapshot> snapshot = new AtomicReference<>();
  private final Recur own =
      new Recur(
          (h, x) -> {
            Tensor next = Functions.tanh(h.add(x));
            return Step.step(next, next);
          },
          Parameter.fixed(Shape.of(6, 1), new float[6]));
  private final Chain model =
      chain(lstm(IN, 12), gru(12, 6), own, dropout(0.1f), dense(6, IN)).on(device, 1);
  private final AtomicReference<Chain> fork = new AtomicReference<>(model.fork());
  private final Adam adam = new Adam(0.001f);
  private final Streams streams = new Streams(text(), IN, 3, 4);
  private final AtomicReference<Trainer> trainer = new AtomicReference<>();

  /** No thread trains this model, so its forks always give the same answer. */
  private final Chain served = chain(lstm(IN, 70), gru(70, 6), dense(6, IN)).on(device, 2);

  private final float[] right = answer();

  private final AtomicInteger done = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger answers = new AtomicInteger();
  private final Map<String, String> wrong = new ConcurrentSkipListMap<>();

  private ThreadStorm() {
    trainer.set(new Trainer(model, adam, recording.get()).clipNorm(1));
  }

  /** Arguments: seconds. */
  public static void main(String[] arguments) throws InterruptedException {
    new ThreadStorm().run(Integer.parseInt(arguments[0]));
  }

  private static int[] text() {
    int[] text = new int[200];
    for (int i = 0; i < text.length; i++) {
      text[i] = i * i % IN;
    }
    return text;
  }

  private void run(int seconds) throws InterruptedException {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    Thread[] threads = new Thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
      Random random = new Random(i);
      Thread.Builder kind = i == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
      threads[i] =
          kind.start(
              () -> {
                while (System.nanoTime() < end) {
                  attempt(random);
                }
              });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    afterwards();
    System.out.printf(
        "calls=%d refused=%d answers=%d wrong=%s%n",
        done.get(), refused.get(), answers.get(), wrong);
    System.exit(wrong.isEmpty() ? 0 : 1);
  }

  private void attempt(Random random) {
    int use = random.nextInt(24);
    try {
      use(use, random);
      done.incrementAndGet();
    } catch (IllegalStateException e) {
      if (e.getMessage().contains("one thread at a time")) {
        refused.incrementAndGet();
      }
    } catch (ShapeException | ArithmeticException e) {
      done.incrementAndGet(); // another thread's batch or weights
    } catch (Throwable e) {
      wrong.putIfAbsent("use " + use + ": " + e, Arrays.toString(e.getStackTrace()));
    }
  }

  private void use(int use, Random random) {
    Tape tape = random.nextBoolean() ? recording.get() : inference.get();
    Tensor known = tensors.get(random.nextInt(TENSORS));
    switch (use) {
      case 0, 1, 2 -> keep(random, model.apply(input(tape, random)));
      case 3, 4 -> keep(random, model.fork().apply(input(tape, random)));
      case 5 -> keep(random, fork.get().apply(input(tape, random)));
      case 6 -> fork.getAndSet(model.fork()).close();
      case 7 -> backward(model.apply(input(tape, random)).sum());
      case 8 -> backward(known == null ? tape.use(served.parameters().iterator().next()) : known);
      case 9 -> operations(known == null ? input(tape, random) : known, random);
      case 10 -> read(known);
      case 11 -> {
        model.reset();
        tape.clear();
      }
      case 12 -> model.truncate();
      case 13 -> snapshot.set(model.save());
      case 14 -> restore();
      case 15 -> trainer.get().pass(0, 2, this::loss);
      case 16 -> step();
      case 17 -> memory(random);
      case 18 -> close(random);
      case 19 -> own.apply(tape.input(Shape.of(6, 1 + random.nextInt(3)), floats(random)));
      case 20 -> tape.withoutGradient(() -> model.apply(input(tape, random)));
      case 21 -> System.identityHashCode(own.state().h().toArray());
      case 22 -> tape.clear();
      default -> check();
    }
  }

  private void keep(Random random, Tensor tensor) {
    tensors.set(random.nextInt(TENSORS), tensor);
  }

  private static float[] floats(Random random) {
    return new float[6 * (1 + random.nextInt(3))];
  }

  private static Tensor input(Tape tape, Random random) {
    int batch = 1 + random.nextInt(random.nextBoolean() ? 2 : MOST_BATCH);
    int time = 1 + random.nextInt(MOST_TIME);
    if (random.nextInt(4) == 0) {
      return tape.oneHot(Shape.of(IN, batch, time), new int[batch * time]);
    }
    return tape.input(Shape.of(IN, batch, time), new float[IN * batch * time]);
  }

  private static void backward(Tensor y) {
    Tape tape = y.tape();
    if (tape != null) {
      tape.backward(y, new float[y.shape().count()]);
    }
  }

  private void operations(Tensor x, Random random) {
    Tensor y = Functions.tanh(x).mul(x).add(x).sub(x.scale(2));
    keep(random, Concat.rows(y, x).rows(0, 1));
    keep(random, CrossEntropy.crossEntropy(y, x));
    keep(random, x.reshape(Shape.of(x.shape().count())));
    keep(random, x.times(0, 1));
  }

  private static void read(Tensor known) {
    if (known != null) {
      known.toArray();
      known.toString();
      known.value().read();
      if (known.isDifferentiable()) {
        known.gradientArray();
      }
    }
  }

  private void restore() {
    Snapshot taken = snapshot.get();
    if (taken != null) {
      model.restore(Snapshot.of(taken.toBytes()));
    }
  }

  private Tensor loss(int chunk) {
    Tape tape = recording.get();
    return CrossEntropy.crossEntropy(
        model.apply(streams.input(tape, chunk)), streams.target(tape, chunk));
  }

  private void step() {
    Clip.norm(model.parameters(), 1);
    adam.step(model.parameters());
    model.parameters().zeroGradients();
    adam.save(model.parameters());
  }

  /** Uses memory of the calling thread alone. */
  private void memory(Random random) {
    float[] values = new float[1 + random.nextInt(1000)];
    Arrays.fill(values, 1);
    var buffer = device.allocate(values.length);
    buffer.write(values);
    device.pointwise().scale(2, buffer, buffer, buffer.floats());
    if (buffer.read()[0] != 2) {
      throw new AssertionError("memory of its own");
    }
  }

  private void close(Random random) {
    if (random.nextInt(CLOSES) != 0) {
      return;
    }
    Tape old = recording.getAndSet(Tape.on(device));
    trainer.set(new Trainer(model, adam, recording.get()).clipNorm(1));
    old.close();
    inference.getAndSet(Tape.inference(device)).close();
  }

  private void check() {
    if (!Arrays.equals(right, answer())) {
      throw new AssertionError("another answer of a fork on a tape of its own");
    }
    answers.incrementAndGet();
  }

  private float[] answer() {
    try (Tape tape = Tape.inference(device)) {
      Chain session = served.fork();
      float[] y = {};
      for (int i = 0; i < 4; i++) {
        float[] x = new float[IN * 3 * (1 + i)];
        Arrays.fill(x, 0.1f * i);
        y = session.apply(tape.input(Shape.of(IN, 3, 1 + i), x)).toArray();
        tape.clear();
      }
      return y;
    }
  }

  /** After all threads have left, every shared object can be used, and a new tape trains. */
  private void afterwards() {
    model.reset();
    fork.get().reset();
    for (Tape tape : List.of(recording.get(), inference.get())) {
      tape.close();
    }
    check();
    model.parameters().zeroGradients();
    recording.set(Tape.on(device));
    new Trainer(model, new Adam(0.001f), recording.get()).pass(0, 3, this::loss);
    adam.step(model.parameters());
    recording.get().close();
    device.close();
  }
}

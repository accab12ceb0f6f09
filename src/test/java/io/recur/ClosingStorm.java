package io.recur;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.train.Sgd;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads compute while another one closes the tape whose memory they read and write, and then
 * their device. A child JVM runs this program. Status 0 means that the JVM lived, that every error
 * was an {@link IllegalStateException} in this library's words, and that a new device computes.
 */
final class ClosingStorm {
  private static final int THREADS = 4;
  private static final int SIDE = 128;

  /** The uses by a thread after it found its device closed. They must not end the JVM either. */
  private static final int USES_AFTERWARDS = 30;

  private static final int MOST_NANOS = 4_000_000;

  private static final AtomicInteger DONE = new AtomicInteger();
  private static final AtomicInteger WITHOUT_MEMORY = new AtomicInteger();
  private static final AtomicInteger WITHOUT_DEVICE = new AtomicInteger();
  private static final Map<String, String> WRONG = new ConcurrentSkipListMap<>();

  private final Device device = Devices.opened();
  private final Tape shared = Tape.inference(device);
  private final Buffer memory = values(SIDE * SIDE);
  private final Buffer indexes = values(SIDE);
  private final Chain served = chain(lstm(SIDE, 40), dense(40, 5)).on(device, 1);

  private ClosingStorm() {}

  /** Memory of the shared tape. */
  private Buffer values(int count) {
    return shared.input(new float[count]).value();
  }

  /** Arguments: rounds. */
  public static void main(String[] arguments) throws InterruptedException {
    Random random = new Random(7);
    for (int round = 0; round < Integer.parseInt(arguments[0]); round++) {
      new ClosingStorm().run(random);
    }
    try (Device fresh = Devices.opened();
        Tape tape = Tape.inference(fresh)) {
      float sum = tape.input(1, 2, 3).sum().scalar();
      if (sum != 6) {
        WRONG.put("afterwards", "sum=" + sum);
      }
    }
    System.out.printf(
        "done=%d without-memory=%d without-device=%d wrong=%s%n",
        DONE.get(), WITHOUT_MEMORY.get(), WITHOUT_DEVICE.get(), WRONG);
    System.exit(WRONG.isEmpty() ? 0 : 1);
  }

  private void run(Random random) throws InterruptedException {
    memory.write(new float[SIDE * SIDE]);
    indexes.writeIndexes(new int[SIDE]);
    Thread[] threads = new Thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
      Random its = new Random(random.nextLong());
      threads[i] = Thread.ofPlatform().start(() -> work(its));
    }
    LockSupport.parkNanos(random.nextInt(MOST_NANOS));
    while (!isClosed(shared)) {
      Thread.onSpinWait();
    }
    LockSupport.parkNanos(random.nextInt(MOST_NANOS));
    device.close();
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** Closes the tape. Returns false while a native call of another thread uses the memory. */
  private static boolean isClosed(Tape tape) {
    try {
      tape.close();
      return true;
    } catch (IllegalStateException e) {
      judge("close", e);
      return false;
    }
  }

  private void work(Random random) {
    int afterwards = 0;
    while (afterwards < USES_AFTERWARDS) {
      int use = random.nextInt(14);
      try {
        use(use, random);
        DONE.incrementAndGet();
      } catch (Throwable e) {
        judge("use " + use, e);
      }
      try {
        device.checkOpen();
      } catch (IllegalStateException e) {
        afterwards++;
      }
    }
  }

  /** Fails unless the exception's class is documented and its message is not the JVM's. */
  private static void judge(String where, Throwable thrown) {
    StackTraceElement[] trace = thrown.getStackTrace();
    boolean ours = trace.length > 0 && trace[0].getClassName().startsWith("io.recur.");
    String words = "" + thrown.getMessage();
    if (thrown.getClass() != IllegalStateException.class || !ours) {
      WRONG.putIfAbsent(where + ": " + thrown, Arrays.toString(trace));
    } else if (words.contains("back")) {
      WITHOUT_MEMORY.incrementAndGet();
    } else if (words.startsWith("device: ")) {
      WITHOUT_DEVICE.incrementAndGet();
    }
  }

  private void use(int use, Random random) {
    switch (use) {
      case 0 -> device.pointwise().scale(0.5f, memory, memory, memory.floats());
      case 1 -> device.pointwise().sumOfSquares(memory, memory.floats());
      case 2 -> device.pointwise().map(Elementwise.TANH, memory, memory, memory.floats());
      case 3 -> device.columns().softmax(SIDE, SIDE, false, memory, memory);
      case 4 -> device.columns().scatterAdd(SIDE, SIDE, memory, indexes, device.allocate(SIDE));
      case 5 -> memory.read();
      case 6 -> memory.write(new float[SIDE * SIDE]);
      case 7 -> memory.slice(random.nextInt(SIDE), SIDE).read(new float[SIDE]);
      case 8 -> device.pointwise().copy(memory, device.allocate(SIDE * SIDE), SIDE * SIDE);
      case 9, 10 -> product(1 + random.nextInt(SIDE));
      case 11 -> answer();
      case 12 -> step();
      default -> snapshot();
    }
  }

  /** Multiplies on a tape of this thread, with a constant in memory of the tape that is closed. */
  private void product(int columns) {
    try (Tape tape = Tape.inference(device)) {
      Tensor matrix = Tensor.constant(Shape.of(SIDE, SIDE), memory);
      Tensor x = tape.input(Shape.of(SIDE, columns), new float[SIDE * columns]);
      matrix.matmul(x).add(x).toArray();
    }
  }

  private void answer() {
    try (Tape tape = Tape.inference(device);
        Chain fork = served.fork()) {
      for (int i = 0; i < 3; i++) {
        fork.apply(tape.input(Shape.of(SIDE, 2, 4), new float[SIDE * 8])).toArray();
        tape.clear();
      }
    }
  }

  private void step() {
    try (Tape tape = Tape.on(device)) {
      Chain own = chain(rnn(3, 20), dense(20, 2)).on(device, 2);
      Sgd sgd = new Sgd(0.1f);
      for (int i = 0; i < 3; i++) {
        tape.backward(own.apply(tape.input(Shape.of(3, 4, 5), new float[60])).sum());
        sgd.step(own.parameters());
        own.truncate();
        tape.clear();
      }
    }
  }

  private void snapshot() {
    try (Chain fork = served.fork()) {
      fork.restore(fork.save());
      device.allocate(100).write(new float[100]);
    }
  }
}

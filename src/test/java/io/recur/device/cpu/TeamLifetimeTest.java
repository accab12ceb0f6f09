package io.recur.device.cpu;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.ChildJvm;
import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.Pointwise;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.train.Adam;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The threads that a device starts: how many there may be, and when they end. */
@Tag(Devices.CPU)
class TeamLifetimeTest {
  private static final Path TASKS = Path.of("/proc/self/task");

  /** Enough for the team to be woken. */
  private static final int LARGE = 1 << 20;

  /** The system's threads of this name: a thread of C bears the name of the one that started it. */
  private static int threads(String name) {
    try (Stream<Path> tasks = Files.list(TASKS)) {
      return (int) tasks.filter(task -> nameOf(task).equals(name)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The name of a thread, empty where it ended meanwhile. */
  private static String nameOf(Path task) {
    try {
      return Files.readString(task.resolve("comm")).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /** Runs something on a thread of this name; gives what it gave. */
  private static int on(String name, IntSupplier body) throws InterruptedException {
    AtomicInteger result = new AtomicInteger(-1);
    Thread thread = new Thread(() -> result.set(body.getAsInt()), name);
    thread.start();
    thread.join();
    return result.get();
  }

  private static Buffer work(Device device) {
    Buffer x = device.allocate(LARGE);
    device.pointwise().fill(0.5f, x, LARGE);
    device.pointwise().map(Elementwise.TANH, x, x, LARGE);
    return x;
  }

  @Test
  void closeEndsTheThreads() throws InterruptedException {
    assumeTrue(Files.isDirectory(TASKS), "counts threads in /proc");
    assumeTrue(Kernels.preferred() != Kernels.InstructionSet.JAVA, "only C kernels have a team");
    Device.cpu(1).close(); // OpenBLAS starts a thread of its own when it is loaded
    int whileOpen =
        on(
            "team-open",
            () -> {
              try (Device device = Device.cpu(4)) {
                work(device);
                return threads("team-open");
              }
            });
    assertEquals(4, whileOpen); // the caller and three workers
    int afterClose =
        on(
            "team-closed",
            () -> {
              for (int i = 0; i < 20; i++) {
                try (Device device = Device.cpu(4)) {
                  work(device);
                }
              }
              return threads("team-closed");
            });
    assertEquals(1, afterClose);
  }

  /** A call that passed the check of its device before the close. */
  @Test
  void aCallAfterCloseRunsOnItsCallersThreadWithTheSameBits() throws InterruptedException {
    assumeTrue(Kernels.preferred() != Kernels.InstructionSet.JAVA, "only C kernels have a team");
    try (Device device = Device.cpu(3)) {
      float[] expected = work(device).read();
      Buffer x = device.allocate(LARGE);
      Kernels kernels = Kernels.open(Kernels.preferred(), 3);
      Pointwise pointwise = new NativePointwise(kernels);
      pointwise.fill(0, x, LARGE); // starts the team
      kernels.rest();
      int threads =
          on(
              "after-close",
              () -> {
                pointwise.fill(0.5f, x, LARGE);
                pointwise.map(Elementwise.TANH, x, x, LARGE);
                return Files.isDirectory(TASKS) ? threads("after-close") : 1;
              });
      assertEquals(1, threads);
      assertArrayEquals(expected, x.read());
    }
  }

  /** The case CloseWhileRunning: close waits for the call that has the team, no later one. */
  @Test
  void closeWhileACallRunsLetsItEnd() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      Device device = Device.cpu(4);
      Buffer x = work(device);
      Buffer y = device.allocate(LARGE);
      CountDownLatch running = new CountDownLatch(1);
      AtomicReference<String> end = new AtomicReference<>();
      Thread caller =
          new Thread(
              () -> {
                try {
                  while (true) {
                    device.pointwise().copy(x, y, LARGE);
                    running.countDown();
                  }
                } catch (IllegalStateException e) {
                  end.set(e.getMessage());
                }
              });
      caller.start();
      running.await();
      device.close();
      caller.join();
      assertTrue(end.get().contains("is closed; open it before"), end.get());
      try (Device other = Device.cpu(1)) {
        assertArrayEquals(work(other).read(), y.read());
      }
    }
  }

  @Test
  void moreThreadsThanAnyMachineHasAreRefused() {
    for (int threads : new int[] {0, -1, 1025, 8000, Integer.MAX_VALUE}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Device.cpu(threads),
          "cpu: threads=" + threads + "; need 1 to 1024");
    }
  }

  /** The memory that grows with the threads is elsewhere: the claims of 8 192 take a MiB. */
  @Test
  void aStackOf256KilobytesIsEnoughForAnyNumberOfThreads() throws Exception {
    for (String how : List.of("2 train", "64 train", "8192 step")) {
      String printed = ChildJvm.run(SmallStack.class, List.of("-Xmx256m"), how.split(" "));
      assertTrue(printed.endsWith(how.endsWith("train") ? "131072 values" : "4 values"), printed);
    }
  }

  static final class SmallStack {
    private SmallStack() {}

    public static void main(String[] arguments) throws InterruptedException {
      int threads = Integer.parseInt(arguments[0]);
      Thread small =
          new Thread(null, () -> run(threads, arguments[1].equals("train")), "small", 256 << 10);
      small.start();
      small.join();
    }

    /** A training of which the team works, or so small a step that it is not woken. */
    private static void run(int threads, boolean trains) {
      try (Device device = new CpuDevice(Kernels.preferred(), threads);
          Tape tape = trains ? Tape.on(device) : Tape.inference(device)) {
        int units = trains ? 512 : 4;
        Shape shape = trains ? Shape.of(units, 64, 4) : Shape.of(units);
        Chain model = chain(lstm(units, units)).on(device, 1);
        Tensor y = model.apply(tape.input(shape, new float[shape.count()]));
        if (trains) {
          tape.backward(y.mean());
          new Adam(0.1f).step(model.parameters());
        }
        System.out.println(y.toArray().length + " values");
      }
    }
  }
}

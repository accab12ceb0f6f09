package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Devices;
import io.recur.device.memory.Pressure;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The memory of a GPU that nobody closes: the law of {@code HostMemoryTest} on its double. */
class MemoryTest {
  private static final Pattern MOST = Pattern.compile("counted=(\\d+) taken=(\\d+)$");

  @BeforeEach
  void onlyOnTheDouble() {
    CpuDouble.assumeHere();
  }

  /**
   * 640 MB in buffers, in tapes and in the states of forks, in a JVM whose heap alone would not
   * cause a collection.
   */
  @Test
  void whatNobodyClosesDoesNotPileUp() throws Exception {
    Matcher most = MOST.matcher(ChildJvm.run(Drop.class, List.of("-Xmx1g")));
    assertTrue(most.find());
    for (int i = 1; i <= 2; i++) {
      long bytes = Long.parseLong(most.group(i));
      assertTrue(
          bytes <= 8 * Pressure.LEAST_BYTES, most.group()); // twice, where no cleaner is late
    }
  }

  static final class Drop {
    private static final int ROUNDS = 640;
    private static final int FLOATS = 1 << 18;

    private final CudaDevice device = (CudaDevice) Devices.opened();
    private long counted;
    private long taken;

    private Drop() {}

    public static void main(String[] arguments) {
      new Drop().run();
    }

    private void look() {
      counted = Math.max(counted, device.queue().memory().pressure().held());
      synchronized (device.queue()) {
        taken = Math.max(taken, device.queue().memory().held());
      }
    }

    private void run() {
      float[] values = new float[FLOATS];
      try (Tape tape = Tape.inference(device)) {
        for (int i = 0; i < ROUNDS; i++) {
          device.allocate(FLOATS);
          look();
        }
        for (int i = 0; i < ROUNDS; i++) {
          Tape.inference(device).input(Shape.of(FLOATS), values);
          look();
        }
        Parameter state0 = Parameter.fixed(Shape.of(FLOATS, 1), values);
        Recur model = new Recur((h, x) -> Step.step(h, x), state0).on(device, 1);
        model.apply(tape.input(1, 2, 3));
        for (int i = 0; i < ROUNDS; i++) {
          model.fork();
          look();
        }
      }
      device.close();
      System.out.printf("counted=%d taken=%d%n", counted, taken);
    }
  }
}

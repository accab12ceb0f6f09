package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.memory.Pressure;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The memory of the processor: what nobody closes, and what the JVM does not give. */
@Tag(Devices.CPU)
class HostMemoryTest {
  private static final long LEAST = Pressure.LEAST_BYTES;

  /**
   * 2 GB in buffers, 2 GB in tapes and 2 GB in the states of forks that nobody closes, in a JVM
   * that would not hurry: the cases Memory and BigSessions.
   */
  @Test
  void whatNobodyClosesDoesNotPileUp() throws Exception {
    String printed = ChildJvm.run(Drop.class, List.of("-Xmx1g"));
    long most = Long.parseLong(printed.substring(printed.indexOf('=') + 1));
    assertTrue(most <= 8 * LEAST, printed); // twice, where no cleaner is late
  }

  @Test
  void whereNothingCanBeCollectedTheMemoryGrows() throws Exception {
    String printed = ChildJvm.run(Drop.class, List.of("-Xmx4g", "-XX:+DisableExplicitGC"));
    assertTrue(printed.startsWith("most="), printed);
  }

  static final class Drop {
    private Drop() {}

    public static void main(String[] arguments) {
      long most = 0;
      try (Device device = Device.cpu(1);
          Tape tape = Tape.inference(device)) {
        for (int i = 0; i < 2048; i++) {
          device.allocate(1 << 18);
          most = Math.max(most, HostMemory.PRESSURE.held());
        }
        float[] values = new float[1 << 18];
        for (int i = 0; i < 2048; i++) {
          Tape.inference(device).input(Shape.of(1 << 18), values);
          most = Math.max(most, HostMemory.PRESSURE.held());
        }
        Parameter state0 = Parameter.fixed(Shape.of(1 << 18, 1), values).named("h0");
        Recur model = new Recur((h, x) -> Step.step(h, x), state0).on(device, 1);
        model.apply(tape.input(1, 2, 3));
        for (int i = 0; i < 2048; i++) {
          model.fork();
          most = Math.max(most, HostMemory.PRESSURE.held());
        }
      }
      System.out.println("most=" + most);
    }
  }

  /** The case SmallHeap: the error names the flag that helps. */
  @Test
  void theLimitOfTheJvmIsNamed() throws Exception {
    String printed = ChildJvm.run(Limit.class, List.of("-Xmx64m"));
    assertTrue(
        printed.startsWith("cpu: asked for 134217728 bytes of native memory, 4096 are held, the"),
        printed);
    assertTrue(printed.contains("limit is 67108864;"), printed);
    assertTrue(printed.contains("-XX:MaxDirectMemorySize=SIZE"), printed);
    assertEquals(
        "allocated", ChildJvm.run(Limit.class, List.of("-Xmx64m", "-XX:MaxDirectMemorySize=200m")));
  }

  static final class Limit {
    private Limit() {}

    public static void main(String[] arguments) {
      try (Device device = Device.cpu(1)) {
        Buffer small = device.allocate(1 << 10);
        try {
          device.allocate(1 << 25);
          System.out.println("allocated");
        } catch (DeviceException e) {
          System.out.println(e.getMessage());
        }
        small.slice(0, 1).write(1);
      }
    }
  }
}

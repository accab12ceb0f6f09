package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The memory of a process that meets many shapes. */
@Tag(Devices.CPU)
class CompiledShapesTest {
  private static final int UNITS = 4;
  private static final int SIDE = 100;

  /** What a plan keeps for its program: its tables and a packed copy of its matrix. */
  private static final long BYTES_PER_PLAN = 16 << 10;

  private static final int PLANS = 512;

  /** The programs of all shapes would need more than this heap. */
  @Test
  void programsOfTenThousandShapesHoldMemoryFlat() throws Exception {
    String printed = ChildJvm.run(Shapes.class, List.of("-Xmx64m"));
    Matcher found = Pattern.compile("plans=(\\d+) programs=(\\d+) held=(\\d+)").matcher(printed);
    assertTrue(found.find(), printed);
    assertEquals(PLANS, Integer.parseInt(found.group(1)), printed);
    assertEquals(SIDE * SIDE, Integer.parseInt(found.group(2)), printed);
    assertTrue(Long.parseLong(found.group(3)) <= PLANS * BYTES_PER_PLAN, printed);
  }

  /** Each width and each batch has a program of its own. */
  static final class Shapes {
    private Shapes() {}

    public static void main(String[] arguments) throws InterruptedException {
      int[] traces = {0};
      Parameter w = Parameter.glorot(UNITS, UNITS);
      try (Device device = Device.cpu(1);
          Tape tape = Tape.inference(device)) {
        Recur recur =
            new Recur(
                    (h, x) -> {
                      traces[0] += x.tape().isTracing() ? 1 : 0;
                      float share = 1f / (SIDE * x.shape().rows() + x.shape().batch());
                      Tensor next = Functions.tanh(w.matmul(h).add(x.rows(0, 1).scale(share)));
                      return Step.step(next, next);
                    },
                    Parameter.zeros(Shape.of(UNITS, 1)),
                    w)
                .on(device, 1)
                .requireCompiled();
        for (int i = 0; i < SIDE * SIDE; i++) {
          Shape shape = Shape.of(1 + i / SIDE, 1 + i % SIDE);
          recur.reset();
          recur.apply(tape.input(shape, new float[shape.count()]));
          tape.clear();
        }
        recur.reset();
        long held = heldByPlans(tape.bytes());
        long plans = recur.explain().lines().count() - 1;
        System.out.printf("plans=%d programs=%d held=%d%n", plans, traces[0] / 2, held);
      }
    }

    /** The bytes besides those of the tape, once the cleaners rest. */
    private static long heldByPlans(long ofTape) throws InterruptedException {
      long held = HostMemory.PRESSURE.held();
      for (int wait = 0; wait < 25; wait++) {
        System.gc();
        Thread.sleep(20);
        held = Math.min(held, HostMemory.PRESSURE.held());
      }
      return held - ofTape;
    }
  }

  /** A state per batch would need 100 MB. */
  @Test
  void statesOfTenThousandBatchesHoldMemoryFlat() throws Exception {
    String printed = ChildJvm.run(Batches.class, List.of("-Xmx40m", "-XX:MaxDirectMemorySize=16m"));
    assertEquals("done", printed);
  }

  static final class Batches {
    private Batches() {}

    public static void main(String[] arguments) {
      try (Device device = Device.cpu(1);
          Tape tape = Tape.inference(device)) {
        Recur recur = Layers.rnn(1, 1).on(device, 1);
        for (int batch = 1; batch <= SIDE * SIDE / 2; batch++) {
          recur.reset();
          recur.apply(tape.input(Shape.of(1, 2 * batch), new float[2 * batch]));
          tape.clear();
        }
      }
      System.out.println("done");
    }
  }
}

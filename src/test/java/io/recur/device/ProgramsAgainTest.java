package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Programs;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Programs that run again and again in the same memory, as in a training loop. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ProgramsAgainTest {
  private static final int IN = 5;
  private static final int UNITS = 19;
  private static final int BATCH = 3;
  private static final int TIME = 4;

  /** As much as a step of a model may take from the heap. */
  private static final long MOST_BYTES_PER_STEP = 256;

  private final Device device;

  ProgramsAgainTest(Device device) {
    this.device = device;
  }

  /** A run without the tests' guards: its buffers are the same objects every time. */
  private final class Loop {
    final CellProgram program;
    final Programs.Execution execution;
    final Buffer[] arrays;
    final int[] steps;
    final Buffer[] vectors;
    final Buffer[] matrices;
    final Buffer[] gradients;
    final Buffer index;
    final Buffer description;
    final long[] seeds;
    final @Nullable Buffer forward;
    final @Nullable Buffer backward;

    Loop(Sample sample) {
      program = sample.program();
      Programs.Compiled compiled = ProgramRun.compile(device, sample);
      execution = compiled.execution();
      arrays = new Buffer[program.arrays().size()];
      steps = new int[arrays.length];
      for (int i = 0; i < arrays.length; i++) {
        steps[i] = sample.roles().get(i).steps(TIME, TIME);
        arrays[i] = filled(compiled.floats(i, BATCH, steps[i]));
      }
      vectors = program.vectors().stream().map(n -> filled(n)).toArray(Buffer[]::new);
      matrices =
          program.matrices().stream()
              .map(m -> filled((long) m.rows() * m.columns()))
              .toArray(Buffer[]::new);
      gradients =
          program.matrices().stream()
              .map(m -> filled((long) m.rows() * m.columns()))
              .toArray(Buffer[]::new);
      index = device.allocate(BATCH * TIME);
      index.writeIndexes(new int[BATCH * TIME]);
      description = device.allocate(Math.max(1, compiled.descriptionFloats()));
      seeds = new long[program.draws() * TIME];
      forward = scratch(compiled.forwardScratch(BATCH, TIME));
      backward = scratch(compiled.backwardScratch(BATCH, TIME));
    }

    private Buffer filled(long n) {
      Buffer buffer = device.allocate(n);
      device.pointwise().fill(0.1f, buffer, n);
      return buffer;
    }

    private @Nullable Buffer scratch(long n) {
      return n == 0 ? null : device.allocate(n);
    }

    void run() {
      execution.begin(description, BATCH, TIME);
      for (int i = 0; i < arrays.length; i++) {
        execution.array(i, arrays[i], steps[i]);
      }
      for (int i = 0; i < vectors.length; i++) {
        execution.vector(i, vectors[i], null);
      }
      for (int i = 0; i < matrices.length; i++) {
        execution.matrix(i, matrices[i], gradients[i]);
      }
      execution.index(index).seeds(seeds);
      execution.forward(forward);
      execution.backward(backward);
    }
  }

  @Test
  void theSteadyStateTakesNextToNothingFromTheHeap() {
    Devices.onlyOnCpu("a GPU's driver calls take as much as the JIT compiler leaves of them");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (Sample sample : SamplePrograms.all(IN, UNITS)) {
      Loop loop = new Loop(sample);
      for (int i = 0; i < 500; i++) { // the compiler removes what never leaves a method
        loop.run();
      }
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 5; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 10; i++) {
          loop.run();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertTrue(
          least <= 10 * 2 * TIME * MOST_BYTES_PER_STEP,
          "%s %s: %d bytes in 10 runs of 2×%d steps".formatted(device, sample, least, TIME));
    }
  }

  @Test
  void theSameStatesComeOutEveryTime() {
    for (Sample sample : SamplePrograms.all(IN, UNITS)) {
      if (sample.roles().contains(ProgramSketch.Role.CARRIED)) {
        continue; // each run goes on from the last one's
      }
      Loop loop = new Loop(sample);
      loop.run();
      float[][] first = results(loop);
      for (int i = 0; i < 5; i++) {
        loop.run();
      }
      float[][] last = results(loop);
      for (int i = 0; i < first.length; i++) {
        for (int k = 0; k < first[i].length; k++) {
          assertEquals(first[i][k], last[i][k], sample + " array " + i + " value " + k);
        }
      }
    }
  }

  private static float[][] results(Loop loop) {
    float[][] results = new float[loop.arrays.length][];
    for (int i = 0; i < results.length; i++) {
      results[i] = loop.arrays[i].read();
    }
    return results;
  }
}

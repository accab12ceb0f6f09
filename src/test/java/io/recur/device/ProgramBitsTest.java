package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.ProgramSketch.Sample;
import io.recur.device.cpu.CpuDevice;
import io.recur.device.cpu.Kernels;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.device.kernels.Programs;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the bits of a program's results do not depend on, with the C kernels. */
@Tag(Devices.CPU)
class ProgramBitsTest {
  private static final int TIME = 5;

  private static List<InstructionSet> sets() {
    List<InstructionSet> sets =
        Kernels.present().stream().filter(set -> set != InstructionSet.JAVA).toList();
    assumeTrue(!sets.isEmpty(), "this build has no C kernels: make native, with a C compiler");
    return sets;
  }

  private static void assertSame(String what, List<float[]> expected, List<float[]> found) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), what + " result " + i);
    }
  }

  private static List<float[]> results(InstructionSet set, int threads, Sample its, int batch) {
    try (Device device = new CpuDevice(set, threads)) {
      Programs.Compiled compiled = ProgramRun.compile(device, its);
      return new ProgramRun(device, compiled, its, batch, TIME, true, false).run().results();
    }
  }

  @Test
  void theNumberOfThreadsDoesNotShow() {
    for (InstructionSet set : sets()) {
      for (Sample its : SamplePrograms.all(7, 130)) {
        for (int batch : new int[] {1, 9, 65}) {
          List<float[]> expected = results(set, 1, its, batch);
          assertSame(set + " " + its, expected, results(set, 2, its, batch));
          assertSame(set + " " + its, expected, results(set, 3, its, batch));
        }
      }
    }
  }

  @Test
  void aColumnsBitsDependNeitherOnTheBatchNorOnItsPlace() {
    for (InstructionSet set : sets()) {
      try (Device device = new CpuDevice(set, 2)) {
        for (Sample its : SamplePrograms.all(7, 67)) {
          if (its.program().draws() > 0) {
            continue; // a coin is that of its place
          }
          Programs.Compiled compiled = ProgramRun.compile(device, its);
          for (int batch : new int[] {2, 3, 7, 17, 49, 65}) {
            ProgramRun whole = new ProgramRun(device, compiled, its, batch, TIME, false, false);
            whole.run();
            for (int column : new int[] {0, batch / 2, batch - 1}) {
              ProgramRun one = new ProgramRun(device, compiled, its, 1, TIME, false, false);
              one.runColumn(whole, column);
              assertSame(set + " " + its + " " + batch, whole.resultsOf(column), one.resultsOf(0));
            }
          }
        }
      }
    }
  }
}

package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.ProgramSketch.Sample;
import io.recur.device.cuda.CpuDouble;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.ProductSchedule;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A step of a program is one kernel per phase and one product per call, counted on the double. */
class ProgramLaunchesTest {
  private static final String GRAPHS = "io.recur.cuda.graphs";
  private static final int FEW = 4;
  private static final int MANY = 9;

  @BeforeEach
  void onlyPieceByPiece() {
    CpuDouble.assumeHere();
    System.setProperty(GRAPHS, "false");
  }

  @AfterEach
  void withGraphs() {
    System.clearProperty(GRAPHS);
  }

  /** Kernels, and products. */
  private static long[] calls() {
    return new long[] {
      CpuDouble.count("cuLaunchKernel"),
      CpuDouble.count("cublasGemmEx_64") + CpuDouble.count("cublasSgemv_v2_64")
    };
  }

  private static long[] calls(Device device, Sample sample, int time) {
    ProgramRun run =
        new ProgramRun(device, ProgramRun.compile(device, sample), sample, 3, time, true, false);
    long[] before = calls();
    run.run();
    long[] after = calls();
    return new long[] {after[0] - before[0], after[1] - before[1]};
  }

  private static long products(CellProgram.Pass pass) {
    return pass.phases().stream()
        .flatMap(phase -> phase.sections().stream())
        .flatMap(section -> section.instructions().stream())
        .filter(Instruction.Product.class::isInstance)
        .count();
  }

  @Test
  void everyStepIsOneKernelPerPhaseAndOneProductPerCall() {
    try (Device device = Devices.opened()) {
      for (Sample sample : SamplePrograms.all(5, 16)) {
        ProductSchedule schedule = ProductSchedule.of(sample.program());
        long kernels = 0;
        long products = 0;
        for (ProductSchedule.Pass pass : List.of(schedule.forward(), schedule.backward())) {
          for (ProductSchedule.Phase phase : pass.phases()) {
            kernels += phase.sections().isEmpty() ? 0 : 1;
            products += phase.calls().stream().filter(call -> !call.sinks()).count();
          }
        }
        long[] few = calls(device, sample, FEW);
        long[] many = calls(device, sample, MANY);
        long steps = MANY - FEW;
        assertEquals(kernels * steps, many[0] - few[0], sample + " kernels");
        assertEquals(products * steps, many[1] - few[1], sample + " products");
        CellProgram program = sample.program();
        long phases = program.forward().phases().size() + program.backward().phases().size();
        assertTrue(kernels <= phases, sample + " phases");
        assertTrue(
            products <= products(program.forward()) + products(program.backward()),
            sample + " products of the program");
      }
    }
  }
}

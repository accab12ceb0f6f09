package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_packed;
import static io.recur.bindings.kernels.recur_h.recur_run_scratch;

import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Programs;

/** Programs of cells that an interpreter in C runs, see {@code native/recur.h}. */
final class NativePrograms implements Programs {
  private final Device device;
  private final Kernels kernels;

  NativePrograms(Device device, Kernels kernels) {
    this.device = device;
    this.kernels = kernels;
  }

  @Override
  public Compiled compile(CellProgram program) {
    int width = Math.toIntExact(recur_packed(kernels.context(), 1, 1, 1));
    Tables tables = Assembly.of(program, width);
    return new Assembled(tables, new RunTables(device, kernels, tables));
  }

  /** A program in memory of its own, which is freed with it. */
  private record Assembled(Tables tables, RunTables run) implements Compiled {
    @Override
    public Execution execution() {
      return new NativeRun(run);
    }

    @Override
    public long descriptionFloats() {
      return (run.end + Float.BYTES - 1) / Float.BYTES;
    }

    @Override
    public long floats(int array, int batch, int steps) {
      return run.rows[array] * batch * steps;
    }

    @Override
    public boolean readsGradients(int array) {
      return run.reads[array];
    }

    @Override
    public int gradientSteps(int batch, int time) {
      return Math.min(2, time);
    }

    @Override
    public long forwardScratch(int batch, int time) {
      return recur_run_scratch(run.kernels.context(), run.tables.segment(), batch, time, 0);
    }

    @Override
    public long backwardScratch(int batch, int time) {
      return recur_run_scratch(run.kernels.context(), run.tables.segment(), batch, time, 1);
    }
  }
}

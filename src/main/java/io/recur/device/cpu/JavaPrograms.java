package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Indexes;
import io.recur.device.kernels.Places;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.Programs;
import io.recur.device.kernels.ScheduledExecution;
import java.util.ArrayList;
import java.util.List;

/**
 * The programs of cells in Java: products by OpenBLAS, sections as loops over heap arrays. All
 * arrays are column-major.
 */
final class JavaPrograms implements Programs {
  private final Device device;
  private final ThreadLocal<Workspace> workspaces;

  JavaPrograms(Device device, ThreadLocal<Workspace> workspaces) {
    this.device = device;
    this.workspaces = workspaces;
  }

  @Override
  public Compiled compile(CellProgram program) {
    return new JavaProgram(ProductSchedule.of(program));
  }

  /** A schedule, and its sections as loops, by the number of their phase. */
  private final class JavaProgram implements Compiled {
    private final ProductSchedule schedule;
    private final List<List<JavaSection>> phases = new ArrayList<>();

    JavaProgram(ProductSchedule schedule) {
      this.schedule = schedule;
      for (ProductSchedule.Pass pass : List.of(schedule.forward(), schedule.backward())) {
        pass.phases().forEach(phase -> add(pass, phase));
        pass.end().forEach(phase -> add(pass, phase));
      }
    }

    private void add(ProductSchedule.Pass pass, ProductSchedule.Phase phase) {
      List<JavaSection> sections = new ArrayList<>();
      phase.sections().forEach(s -> sections.add(new JavaSection(schedule, pass, s)));
      phases.add(List.copyOf(sections));
    }

    @Override
    public Execution execution() {
      return new JavaExecution();
    }

    @Override
    public long descriptionFloats() {
      return 0;
    }

    @Override
    public long floats(int array, int batch, int steps) {
      return (long) schedule.program().arrays().get(array).rows() * batch * steps;
    }

    @Override
    public int gradientSteps(int batch, int time) {
      return time;
    }

    @Override
    public long forwardScratch(int batch, int time) {
      return Places.scratch(schedule.forward(), batch, time);
    }

    @Override
    public long backwardScratch(int batch, int time) {
      return Places.scratch(schedule.backward(), batch, time);
    }

    private final class JavaExecution extends ScheduledExecution {
      private final JavaTile tile = new JavaTile();

      JavaExecution() {
        super(JavaProgram.this.schedule, device);
      }

      @Override
      protected void check(Buffer index, int classes) {
        long all = (long) places().batch() * places().time();
        Indexes.check("gather", index, all, classes);
      }

      @Override
      protected void sections(ProductSchedule.Phase phase, int t) {
        List<JavaSection> sections = phases.get(phase.number());
        for (int i = 0; i < sections.size(); i++) {
          sections.get(i).run(this, tile, workspaces.get(), t);
        }
      }
    }
  }
}

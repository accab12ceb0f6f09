package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Places;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.Programs;
import io.recur.device.kernels.ScheduledExecution;
import io.recur.device.memory.Slices;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The programs of cells: one kernel per phase, written by {@link PhaseSource}, and cuBLAS for the
 * products. Equal sources are compiled once per device.
 */
final class ProgramKernels implements Programs {
  private final Device device;
  private final Queue queue;

  /** The first kernel of each source. */
  private final Map<String, Integer> loaded = new HashMap<>();

  ProgramKernels(Device device, Queue queue) {
    this.device = device;
    this.queue = queue;
  }

  @Override
  public Compiled compile(CellProgram program) {
    ProductSchedule schedule = ProductSchedule.of(program);
    List<PhaseSource> phases = phases(schedule);
    return new CudaProgram(schedule, phases, load(phases));
  }

  /** {@return the kernels of all phases that have sections} */
  static List<PhaseSource> phases(ProductSchedule schedule) {
    List<PhaseSource> phases = new ArrayList<>();
    for (ProductSchedule.Pass pass : List.of(schedule.forward(), schedule.backward())) {
      for (List<ProductSchedule.Phase> some : List.of(pass.phases(), pass.end())) {
        for (ProductSchedule.Phase phase : some) {
          if (!phase.sections().isEmpty()) {
            phases.add(new PhaseSource(schedule, pass, phase));
          }
        }
      }
    }
    return phases;
  }

  /** {@return the text that the compiler gets} */
  static String source(List<PhaseSource> phases) {
    StringBuilder text = new StringBuilder(Source.words()).append("#line 1 \"program.cu\"\n");
    phases.forEach(phase -> text.append(phase.text()));
    return text.toString();
  }

  private synchronized int load(List<PhaseSource> phases) {
    if (phases.isEmpty()) {
      return 0;
    }
    String source = source(phases);
    Integer known = loaded.get(source);
    if (known == null) {
      known = queue.load(source, phases.stream().map(PhaseSource::symbol).toList());
      loaded.put(source, known);
    }
    return known;
  }

  /** A schedule, and the kernels of its phases. */
  private final class CudaProgram implements Compiled {
    private final ProductSchedule schedule;
    private final PhaseKernel[] kernels;

    CudaProgram(ProductSchedule schedule, List<PhaseSource> phases, int first) {
      this.schedule = schedule;
      this.kernels = new PhaseKernel[schedule.phases()];
      for (int i = 0; i < phases.size(); i++) {
        kernels[phases.get(i).number()] = new PhaseKernel(queue, phases.get(i), first + i);
      }
    }

    @Override
    public Execution execution() {
      return new CudaExecution();
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
      return Places.scratch(schedule.forward(), batch, time) + seedWords(time);
    }

    @Override
    public long backwardScratch(int batch, int time) {
      return Places.scratch(schedule.backward(), batch, time) + seedWords(time);
    }

    /** The seeds of all steps follow the spaces in scratch memory. */
    private long seedWords(int time) {
      return 2L * schedule.program().draws() * time;
    }

    private final class CudaExecution extends ScheduledExecution {
      private final Slices forwardSeeds = new Slices();
      private final Slices backwardSeeds = new Slices();
      private Slices seeds = forwardSeeds;
      private int[] halves = {};

      CudaExecution() {
        super(CudaProgram.this.schedule, device);
      }

      @Override
      protected void begin(ProductSchedule.Pass pass, @Nullable Buffer scratch) {
        int words = (int) seedWords(places().time());
        if (words > 0) {
          seeds = pass == schedule.forward() ? forwardSeeds : backwardSeeds;
          long first = Places.scratch(pass, places().batch(), places().time());
          seeds.of(Objects.requireNonNull(scratch), first, words, words);
          write(seeds.at(0), words);
        }
      }

      private void write(Buffer target, int words) {
        if (halves.length < words) {
          halves = new int[words];
        }
        for (int i = 0; i < words; i += 2) {
          halves[i] = (int) seeds()[i / 2];
          halves[i + 1] = (int) (seeds()[i / 2] >>> Integer.SIZE);
        }
        queue.write(halves, ValueLayout.JAVA_INT, 0, words, target);
      }

      @Override
      protected void check(Buffer index, int classes) {
        long all = (long) places().batch() * places().time();
        queue
            .kernel(Kernel.CHECK_INDEXES)
            .integer(all)
            .integer(classes)
            .pointer(index.segment(all))
            .pointer(queue.indexes().address())
            .over(all);
      }

      @Override
      protected void sections(ProductSchedule.Phase phase, int t) {
        MemorySegment words =
            schedule.program().draws() == 0 ? MemorySegment.NULL : seeds.at(0).segment();
        kernels[phase.number()].launch(this, words, t);
      }
    }
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The means that come with a variance: what blocks of rows leave for the variance of a value has
 * the mean in it, so that the value need not be reduced twice.
 */
final class Moments {
  private final CellProgram program;

  /** Per mean the variance of the same value. */
  private final Map<Integer, Integer> variances = new HashMap<>();

  Moments(CellProgram program) {
    this.program = program;
    List<CellProgram.Phase> phases = new ArrayList<>(program.forward().phases());
    phases.addAll(program.backward().phases());
    for (CellProgram.Phase phase : phases) {
      phase.sections().forEach(this::find);
    }
  }

  private void find(CellProgram.Section section) {
    Map<Integer, Integer> found = new HashMap<>(); // by value
    for (Instruction instruction : section.instructions()) {
      if (instruction instanceof Instruction.Reduce i && kind(i) == Reduction.VARIANCE) {
        found.put(i.value(), i.reduction());
      }
    }
    for (Instruction instruction : section.instructions()) {
      if (instruction instanceof Instruction.Reduce i
          && kind(i) == Reduction.MEAN
          && found.containsKey(i.value())) {
        variances.put(i.reduction(), found.get(i.value()));
      }
    }
  }

  private Reduction kind(Instruction.Reduce reduce) {
    return program.reductions().get(reduce.reduction()).kind();
  }

  /** Whether a reduction comes with another one: nothing is then left for it. */
  boolean has(int reduction) {
    return variances.containsKey(reduction);
  }

  /** The reduction whose numbers one is made of: as a rule itself. */
  int source(int reduction) {
    return variances.getOrDefault(reduction, reduction);
  }

  /** What a section computes, without the reductions that come with others. */
  CellProgram.Section left(CellProgram.Section section) {
    List<Instruction> all = new ArrayList<>(section.instructions());
    all.removeIf(instruction -> instruction instanceof Instruction.Reduce i && has(i.reduction()));
    return new CellProgram.Section(section.rows(), all);
  }
}

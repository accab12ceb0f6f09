package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * The forward pass for steps of few columns. What depends on inputs alone is computed before the
 * first step, that of several steps at once, and waits in hidden arrays. Sections that no step
 * waits for are computed after the last step, several steps at once too.
 */
final class FewColumns {
  private final CellProgram program;
  private final Tables tables;
  private final List<CellProgram.Phase> begin = new ArrayList<>();
  private final List<CellProgram.Phase> phases = new ArrayList<>();
  private final List<CellProgram.Phase> late = new ArrayList<>();

  /** Splits a pass; hidden arrays are added to the tables. */
  FewColumns(CellProgram program, Tables tables) {
    this.program = program;
    this.tables = tables;
    phases.addAll(program.forward().phases());
    Set<Integer> stored = stored(CellProgram.Pass.instructions(phases), lag -> lag == 0);
    postpone(stored);
    Set<Integer> ofAllSteps = read(CellProgram.Pass.instructions(late));
    ofAllSteps.retainAll(stored);
    if (!Freedom.of(phases)) {
      EarlyValues early = new EarlyValues(program, tables, phases, late);
      begin.addAll(early.begin);
      phases.clear();
      phases.addAll(early.phases);
      ofAllSteps.addAll(early.stored);
    }
    ofAllSteps.retainAll(readForward());
    ofAllSteps.removeAll(readBack()); // they are kept for all steps
    ofAllSteps.forEach(array -> tables.keepAll(array, false));
  }

  /** {@return whether anything is computed before the first step or after the last one} */
  boolean isSplit() {
    return !begin.isEmpty() || !late.isEmpty();
  }

  /** {@return the phases before the first step} */
  List<CellProgram.Phase> begin() {
    return begin;
  }

  /** {@return the phases of a step} */
  List<CellProgram.Phase> phases() {
    return phases;
  }

  /** {@return the phases after the last step, for all steps} */
  List<CellProgram.Phase> late() {
    return late;
  }

  // After the last step.

  /** Takes sections that no step waits for out of the last phases. */
  private void postpone(Set<Integer> stored) {
    for (int i = phases.size() - 1; i > 0; i--) {
      List<CellProgram.Section> kept = new ArrayList<>(phases.get(i).sections());
      List<CellProgram.Section> postponed = new ArrayList<>();
      for (CellProgram.Section section : phases.get(i).sections()) {
        if (isLate(section, stored)) {
          kept.remove(section);
          postponed.add(section);
        }
      }
      if (!postponed.isEmpty()) {
        late.addFirst(new CellProgram.Phase(postponed));
        phases.set(i, new CellProgram.Phase(kept));
      }
      if (kept.isEmpty()) {
        phases.remove(i);
      }
    }
  }

  /** The arrays that the parts of the forward pass read. */
  private Set<Integer> readForward() {
    Set<Integer> arrays = read(CellProgram.Pass.instructions(begin));
    arrays.addAll(read(CellProgram.Pass.instructions(phases)));
    arrays.addAll(read(CellProgram.Pass.instructions(late)));
    return arrays;
  }

  /** The arrays that the backward pass reads. */
  private Set<Integer> readBack() {
    Set<Integer> arrays = read(program.backward().instructions());
    arrays.addAll(read(CellProgram.Pass.instructions(program.backward().end())));
    for (CellProgram.WeightGradient gradient : program.weightGradients()) {
      arrays.add(gradient.operand());
    }
    return arrays;
  }

  /**
   * Whether a section can wait until all steps are done: what is left of the phases reads nothing
   * of it, and it reads what each step stores for itself, and inputs.
   */
  private boolean isLate(CellProgram.Section section, Set<Integer> stored) {
    Set<Integer> written = stored(section.instructions(), _ -> true);
    Set<Integer> read = read(section.instructions());
    boolean isLate = Freedom.of(List.of(new CellProgram.Phase(List.of(section))));
    for (int array : read) {
      isLate &= program.arrays().get(array).isInput() || stored.contains(array);
      isLate &= !written.contains(array);
    }
    for (CellProgram.Phase phase : phases) {
      for (CellProgram.Section other : phase.sections()) {
        isLate &= Collections.disjoint(read(other.instructions()), written);
      }
    }
    return isLate;
  }

  private static Set<Integer> read(List<Instruction> instructions) {
    Set<Integer> arrays = new HashSet<>();
    for (Instruction instruction : instructions) {
      arrays.add(instruction.arrayRead());
    }
    arrays.remove(Instruction.NONE);
    return arrays;
  }

  /** The arrays that some instructions write with such a lag. */
  private static Set<Integer> stored(List<Instruction> instructions, IntPredicate lag) {
    Set<Integer> arrays = new HashSet<>();
    for (Instruction instruction : instructions) {
      if (instruction instanceof Instruction.Store store && lag.test(store.lag())) {
        arrays.add(store.array());
      }
    }
    return arrays;
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * The forward pass for steps of few columns. Products with inputs are computed before the first
 * step, those of several steps at once, and wait in hidden arrays. Sections that no step waits for
 * are computed after the last step, several steps at once too.
 */
final class FewColumns {
  private final CellProgram program;
  private final Tables tables;
  private final List<CellProgram.Section> begin = new ArrayList<>();
  private final List<CellProgram.Phase> phases = new ArrayList<>();
  private final List<CellProgram.Phase> late = new ArrayList<>();

  /** Splits a pass; hidden arrays are added to the tables. */
  FewColumns(CellProgram program, Tables tables) {
    this.program = program;
    this.tables = tables;
    phases.addAll(program.forward().phases());
    postpone();
    if (!isFree()) {
      for (int i = 0; i < phases.size(); i++) {
        List<CellProgram.Section> sections = new ArrayList<>();
        for (CellProgram.Section section : phases.get(i).sections()) {
          sections.add(split(section));
        }
        phases.set(i, new CellProgram.Phase(sections));
      }
    }
  }

  /** {@return whether anything is computed before the first step or after the last one} */
  boolean isSplit() {
    return !begin.isEmpty() || !late.isEmpty();
  }

  /** {@return the phases before the first step} */
  List<CellProgram.Phase> begin() {
    return begin.isEmpty() ? List.of() : List.of(new CellProgram.Phase(begin));
  }

  /** {@return the phases of a step} */
  List<CellProgram.Phase> phases() {
    return phases;
  }

  /** {@return the phases after the last step, for all steps} */
  List<CellProgram.Phase> late() {
    return late;
  }

  private boolean isFree() {
    return Freedom.of(phases);
  }

  // After the last step.

  /** Takes sections that no step waits for out of the last phases. */
  private void postpone() {
    Set<Integer> stored = stored(CellProgram.Pass.instructions(phases), lag -> lag == 0);
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
    Set<Integer> read = read(CellProgram.Pass.instructions(late));
    read.retainAll(stored);
    read.removeAll(readBack()); // they are kept for all steps
    read.forEach(tables::keepAll);
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

  // Before the first step.

  private boolean isEarly(Instruction instruction, Set<Integer> early) {
    return instruction instanceof Instruction.LoadVector
        || instruction instanceof Instruction.LoadScalar
        || instruction instanceof Instruction.Constant
        || instruction instanceof Instruction.Product product
            && program.arrays().get(product.operand()).isInput()
            && !product.skipsFirst()
            && (product.sum() == Instruction.NONE || early.contains(product.sum()));
  }

  private CellProgram.Section split(CellProgram.Section section) {
    Set<Integer> early = new HashSet<>();
    Map<Integer, Instruction.Product> products = new HashMap<>();
    Set<Integer> wanted = new HashSet<>(); // products that something later reads
    List<Instruction> before = new ArrayList<>();
    for (Instruction instruction : section.instructions()) {
      if (isEarly(instruction, early)) {
        before.add(instruction);
        early.add(instruction.to());
        if (instruction instanceof Instruction.Product p) {
          products.put(p.to(), p);
        }
      } else {
        wanted.addAll(instruction.reads());
      }
    }
    wanted.retainAll(products.keySet());
    if (wanted.isEmpty()) {
      return section;
    }
    List<Instruction> after = new ArrayList<>();
    for (Instruction instruction : section.instructions()) {
      if (!(instruction instanceof Instruction.Product p) || !products.containsKey(p.to())) {
        after.add(instruction);
      } else if (wanted.contains(p.to())) {
        int hidden = tables.hide(section.rows());
        before.add(new Instruction.Store(p.to(), hidden, 0, 0));
        after.add(new Instruction.Load(p.to(), hidden, 0, 0));
      }
    }
    begin.add(new CellProgram.Section(section.rows(), before));
    return new CellProgram.Section(section.rows(), after);
  }
}

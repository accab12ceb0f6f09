package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a step computes of inputs and vectors alone, such as a normalised product with x: taken out
 * of its phases, so that it is computed for all steps before the first one. What the rest of the
 * step reads of it waits in arrays that have all steps.
 */
final class EarlyValues {
  private final CellProgram program;
  private final Tables tables;

  /** The phases before the first step. */
  final List<Phase> begin = new ArrayList<>();

  /** What is left of the phases of a step. */
  final List<Phase> phases = new ArrayList<>();

  /** The arrays that are written before the first step. */
  final Set<Integer> stored = new HashSet<>();

  /** Per array, the stores that no earlier phase has made before the first step. */
  private final Map<Integer, Integer> missing = new HashMap<>();

  private final Set<Integer> reductions = new HashSet<>();

  /**
   * Splits a step. Hidden arrays are added to the tables.
   *
   * @param step its phases
   * @param late phases after the last step
   */
  EarlyValues(CellProgram program, Tables tables, List<Phase> step, List<Phase> late) {
    this.program = program;
    this.tables = tables;
    countStores(step);
    countStores(late);
    for (Phase phase : step) {
      List<Section> before = new ArrayList<>();
      List<Section> rest = new ArrayList<>();
      for (Section section : phase.sections()) {
        split(section).addTo(before, rest);
      }
      for (Instruction instruction : CellProgram.Pass.instructions(List.of(new Phase(before)))) {
        take(instruction);
      }
      SectionSplit.addPhase(begin, before);
      SectionSplit.addPhase(phases, rest);
    }
  }

  private void countStores(List<Phase> of) {
    for (Instruction instruction : CellProgram.Pass.instructions(of)) {
      if (instruction instanceof Instruction.Store store) {
        missing.merge(store.array(), 1, Integer::sum);
      }
    }
  }

  /** What an instruction before the first step writes, later phases find. */
  private void take(Instruction instruction) {
    if (instruction instanceof Instruction.Store store && !tables.isHidden(store.array())) {
      missing.merge(store.array(), -1, Integer::sum);
      stored.add(store.array());
    } else if (instruction instanceof Instruction.Reduce reduce) {
      reductions.add(reduce.reduction());
    }
  }

  private SectionSplit split(Section section) {
    Set<Integer> early = findEarly(section);
    return new SectionSplit(
        tables,
        section,
        its -> its.to() != Instruction.NONE ? early.contains(its.to()) : isEarly(its, early),
        its -> its instanceof Instruction.Load || its instanceof Instruction.LoadRow,
        false);
  }

  /** Finds the values of a section that can be computed before the first step. */
  private Set<Integer> findEarly(Section section) {
    Set<Integer> early = new HashSet<>();
    for (Instruction instruction : section.instructions()) {
      if (instruction.to() != Instruction.NONE && isEarly(instruction, early)) {
        early.add(instruction.to());
      }
    }
    for (Node node : Node.of(section.instructions(), _ -> false)) {
      if (!early.contains(node.to())) { // what is rounded once with it stays with it
        List<Integer> apart = new ArrayList<>(node.its().reads());
        apart.removeAll(node.reads());
        early.removeAll(apart);
      }
    }
    return early;
  }

  private boolean isEarly(Instruction instruction, Set<Integer> early) {
    for (int value : instruction.reads()) {
      if (value != Instruction.NONE && !early.contains(value)) {
        return false;
      }
    }
    return switch (instruction) {
      case Instruction.Load i -> isWritten(i.array(), i.lag());
      case Instruction.LoadRow i -> isWritten(i.array(), i.lag());
      case Instruction.Product i -> isWritten(i.operand(), i.lag()) && !i.skipsFirst();
      case Instruction.Reduced i -> reductions.contains(i.reduction());
      case Instruction.Store i -> i.lag() == 0;
      case Instruction.Drop _, Instruction.Scatter _ -> false;
      default -> true;
    };
  }

  /** Whether an array is written before the first step. */
  private boolean isWritten(int array, int lag) {
    boolean isInput = program.arrays().get(array).isInput();
    return lag == 0 && (isInput || missing.getOrDefault(array, 1) == 0);
  }
}

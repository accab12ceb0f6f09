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
 * The backward pass for steps of few columns: reductions that no step waits for, and what depends
 * on them, such as the gradients of a normalised product with x, are computed after a run of steps,
 * for several of these at once.
 */
final class LateGradients {
  /** What is left of the phases of a step. */
  final List<Phase> phases = new ArrayList<>();

  /** The phases after a run of steps. */
  final List<Phase> late = new ArrayList<>();

  /** The lags with which steps write an array. */
  private final Map<Integer, Set<Integer>> stores = new HashMap<>();

  /** The arrays that another step reads, or what follows the last one. */
  private final Set<Integer> carried = new HashSet<>();

  /** What is known of a section. */
  private static final class Part {
    final Section section;
    final Set<Instruction> needed = new HashSet<>();
    final Set<Instruction> late = new HashSet<>();

    Part(Section section) {
      this.section = section;
    }
  }

  /** The arrays and reductions that steps need; then those that come late. */
  private final Set<Integer> arrays = new HashSet<>();

  private final Set<Integer> reductions = new HashSet<>();
  private final Set<Integer> lateArrays = new HashSet<>();

  /** Splits the backward pass. Hidden arrays are added to the tables. */
  LateGradients(CellProgram program, Tables tables) {
    CellProgram.Pass backward = program.backward();
    if (Freedom.of(backward.phases())) {
      return;
    }
    findCarried(backward);
    List<List<Part>> parts = new ArrayList<>();
    for (Phase phase : backward.phases()) {
      parts.add(phase.sections().stream().map(Part::new).toList());
    }
    for (List<Part> phase : parts.reversed()) {
      phase.forEach(this::findNeeded);
    }
    for (boolean isMore = true; isMore; ) {
      isMore = false;
      for (List<Part> phase : parts) {
        for (Part part : phase) {
          isMore |= findLate(part);
        }
      }
    }
    for (List<Part> phase : parts) {
      List<Section> now = new ArrayList<>();
      List<Section> then = new ArrayList<>();
      for (Part part : phase) {
        new SectionSplit(tables, part.section, i -> !part.late.contains(i), this::isAtHand, true)
            .addTo(now, then);
      }
      SectionSplit.addPhase(phases, now);
      SectionSplit.addPhase(late, then);
    }
    Set<Integer> read = new HashSet<>();
    for (Instruction instruction : CellProgram.Pass.instructions(late)) {
      read.add(instruction.arrayRead());
    }
    read.retainAll(stores.keySet());
    read.forEach(array -> tables.keepAll(array, true));
  }

  private void findCarried(CellProgram.Pass backward) {
    for (Instruction instruction : backward.instructions()) {
      if (instruction instanceof Instruction.Store i) {
        stores.computeIfAbsent(i.array(), _ -> new HashSet<>()).add(i.lag());
      }
    }
    stores.forEach(
        (array, lags) -> {
          if (!lags.equals(Set.of(0))) {
            carried.add(array);
          }
        });
    for (Instruction instruction : backward.instructions()) {
      if (lagRead(instruction) != 0) {
        carried.add(instruction.arrayRead());
      }
    }
    for (Instruction instruction : CellProgram.Pass.instructions(backward.end())) {
      carried.add(instruction.arrayRead());
    }
  }

  private static int lagRead(Instruction instruction) {
    return switch (instruction) {
      case Instruction.Load i -> i.lag();
      case Instruction.LoadRow i -> i.lag();
      case Instruction.Product i -> i.lag();
      default -> 0;
    };
  }

  /** Whether what an instruction reads of arrays is still there after the steps. */
  private boolean isAtHand(Instruction instruction) {
    int array = instruction.arrayRead();
    return array != Instruction.NONE && (!stores.containsKey(array) || !carried.contains(array));
  }

  /** Whether an instruction has to run in its step. */
  private boolean isOfStep(Instruction instruction) {
    return switch (instruction) {
      case Instruction.Drop _ -> true;
      case Instruction.Product i -> i.skipsFirst() || !isAtHand(i);
      case Instruction.Load i -> !isAtHand(i);
      case Instruction.LoadRow i -> !isAtHand(i);
      case Instruction.Store i -> carried.contains(i.array()) || arrays.contains(i.array());
      case Instruction.Reduce i -> reductions.contains(i.reduction());
      default -> false;
    };
  }

  /** Finds what the steps need of a section, once that is known of all later phases. */
  private void findNeeded(Part part) {
    Set<Integer> values = new HashSet<>();
    for (Instruction instruction : part.section.instructions().reversed()) {
      if (values.contains(instruction.to()) || isOfStep(instruction)) {
        part.needed.add(instruction);
        values.addAll(instruction.reads());
        values.remove(Instruction.NONE);
      }
    }
    for (Instruction instruction : part.needed) {
      arrays.add(instruction.arrayRead());
      if (instruction instanceof Instruction.Reduced i) {
        reductions.add(i.reduction());
      }
    }
  }

  /** Finds what comes late of a section. Returns whether there was more than was known. */
  private boolean findLate(Part part) {
    Set<Integer> values = new HashSet<>(); // that late instructions write or read
    int before = part.late.size();
    for (Instruction instruction : part.late) {
      values.add(instruction.to());
      values.addAll(instruction.reads());
    }
    values.remove(Instruction.NONE);
    for (Instruction instruction : part.section.instructions()) {
      if (!part.needed.contains(instruction) && isLate(instruction, part, values)) {
        part.late.add(instruction);
        if (instruction instanceof Instruction.Store i) {
          lateArrays.add(i.array());
        }
      }
    }
    return part.late.size() > before;
  }

  private boolean isLate(Instruction instruction, Part part, Set<Integer> values) {
    if (instruction instanceof Instruction.Reduced i && reductions.contains(i.reduction())) {
      return false; // its numbers are those of the step
    }
    boolean isReduction =
        instruction instanceof Instruction.Reduce || instruction instanceof Instruction.Reduced;
    boolean readsLate = false;
    for (Instruction other : part.late) {
      readsLate |= other.to() != Instruction.NONE && instruction.reads().contains(other.to());
    }
    return isReduction
        || readsLate
        || values.contains(instruction.to())
        || lateArrays.contains(instruction.arrayRead());
  }
}

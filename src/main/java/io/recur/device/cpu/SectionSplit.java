package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A section in two, of which the second is run once the first is done for all steps, or the other
 * way round. What the second reads of the first waits in arrays of all steps.
 */
final class SectionSplit {
  private final Section section;
  private final List<Instruction> first = new ArrayList<>();
  private final List<Instruction> second = new ArrayList<>();

  /** The arrays in tiles in which the first leaves values. */
  private final Map<Integer, Integer> arrays = new HashMap<>();

  /**
   * Splits a section. Hidden arrays are added to the tables.
   *
   * @param isFirst which instructions come first: they read nothing of the others
   * @param isAtHand which loads find the same when the second part runs
   */
  SectionSplit(
      Tables tables,
      Section section,
      Predicate<Instruction> isFirst,
      Predicate<Instruction> isAtHand,
      boolean isBackward) {
    this.section = section;
    Set<Integer> wanted = new HashSet<>(); // what the second part reads
    for (Instruction instruction : section.instructions()) {
      if (isFirst.test(instruction)) {
        first.add(instruction);
        if (instruction instanceof Instruction.Store i
            && tables.isInTiles(i.array())
            && tables.arrays.get(i.array()).rows() == section.rows()
            && isAtHand.test(new Instruction.Load(i.value(), i.array(), i.row(), i.lag()))) {
          arrays.put(i.value(), i.array());
        }
      } else {
        wanted.addAll(instruction.reads());
      }
    }
    wanted.remove(Instruction.NONE);
    for (Instruction instruction : section.instructions()) {
      if (!isFirst.test(instruction)) {
        second.add(instruction);
      } else if (wanted.contains(instruction.to())) {
        boolean isRepeated = isConstant(instruction) || isAtHand.test(instruction);
        second.add(isRepeated ? instruction : passed(tables, instruction.to(), isBackward));
      }
    }
  }

  /** A load of a value of the first part. */
  private Instruction passed(Tables tables, int value, boolean isBackward) {
    Integer array = arrays.get(value);
    if (array == null) {
      array = tables.hide(section.rows(), isBackward);
      first.add(new Instruction.Store(value, array, 0, 0));
    }
    return new Instruction.Load(value, array, 0, 0);
  }

  private static boolean isConstant(Instruction instruction) {
    return instruction instanceof Instruction.LoadVector
        || instruction instanceof Instruction.LoadScalar
        || instruction instanceof Instruction.Constant;
  }

  /** Adds the parts to sections of their kind: the whole section, where one part does nothing. */
  void addTo(List<Section> firsts, List<Section> seconds) {
    if (!hasEffect(second)) {
      firsts.add(section);
    } else if (!hasEffect(first)) {
      seconds.add(section);
    } else {
      firsts.add(new Section(section.rows(), first));
      seconds.add(new Section(section.rows(), second));
    }
  }

  private static boolean hasEffect(List<Instruction> part) {
    return part.stream().anyMatch(instruction -> instruction.to() == Instruction.NONE);
  }

  /** Adds a phase of these sections, if there are any. */
  static void addPhase(List<CellProgram.Phase> phases, List<Section> sections) {
    if (!sections.isEmpty()) {
      phases.add(new CellProgram.Phase(sections));
    }
  }
}

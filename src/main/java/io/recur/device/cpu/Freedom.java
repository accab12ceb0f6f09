package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which passes are free: each block of rows needs, of all that the pass stores, its own rows only.
 */
final class Freedom {
  private Freedom() {}

  /** Whether the blocks of a pass can run all its steps on their own. */
  static boolean of(CellProgram.Pass pass) {
    if (pass.phases().size() != 1) {
      return false;
    }
    Map<Integer, CellProgram.Section> sections = new HashMap<>();
    Map<Integer, Integer> rows = new HashMap<>();
    for (CellProgram.Section section : pass.phases().getFirst().sections()) {
      for (Instruction instruction : section.instructions()) {
        if (instruction instanceof Instruction.Store i) {
          CellProgram.Section other = sections.put(i.array(), section);
          Integer row = rows.put(i.array(), i.row());
          if (other != null && other != section || row != null && row != i.row()) {
            rows.put(i.array(), Integer.MIN_VALUE);
          }
        }
      }
    }
    for (CellProgram.Section section : pass.phases().getFirst().sections()) {
      for (Instruction instruction : section.instructions()) {
        boolean isFree =
            switch (instruction) {
              case Instruction.Load i ->
                  !rows.containsKey(i.array())
                      || rows.get(i.array()) == i.row() && sections.get(i.array()) == section;
              case Instruction.LoadRow i -> !rows.containsKey(i.array());
              case Instruction.Product i -> !rows.containsKey(i.operand()) && !i.skipsFirst();
              case Instruction.Reduce i -> false;
              case Instruction.Reduced i -> false;
              case Instruction.Drop i -> false;
              default -> true;
            };
        if (!isFree) {
          return false;
        }
      }
    }
    return true;
  }

  /** The arrays that a section both reads and writes. */
  static Set<Integer> recurrent(CellProgram.Section section) {
    Set<Integer> loaded = new HashSet<>();
    Set<Integer> stored = new HashSet<>();
    for (Instruction instruction : section.instructions()) {
      switch (instruction) {
        case Instruction.Load i -> loaded.add(i.array());
        case Instruction.Store i -> stored.add(i.array());
        default -> {}
      }
    }
    loaded.retainAll(stored);
    return loaded;
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which passes are free: each block of rows needs, of all that the pass stores, its own rows only.
 */
final class Freedom {
  private Freedom() {}

  /** Whether the blocks of a pass of these phases can run all its steps on their own. */
  static boolean of(List<CellProgram.Phase> phases) {
    if (phases.size() != 1) {
      return false;
    }
    Map<Integer, CellProgram.Section> sections = new HashMap<>();
    Map<Integer, Integer> rows = new HashMap<>();
    for (CellProgram.Section section : phases.getFirst().sections()) {
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
    for (CellProgram.Section section : phases.getFirst().sections()) {
      for (Instruction instruction : section.instructions()) {
        boolean isOfOthers =
            rows.containsKey(instruction.arrayRead())
                && !(instruction instanceof Instruction.Load i
                    && rows.get(i.array()) == i.row()
                    && sections.get(i.array()) == section);
        if (isOfOthers || !isFree(instruction)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether an instruction needs neither another step, nor other rows, nor the batch. */
  private static boolean isFree(Instruction instruction) {
    return !(instruction instanceof Instruction.Product product && product.skipsFirst()
        || instruction instanceof Instruction.Reduce
        || instruction instanceof Instruction.Reduced
        || instruction instanceof Instruction.Drop);
  }

  /** The arrays that a section both reads and writes. */
  static Set<Integer> recurrent(CellProgram.Section section) {
    Set<Integer> loaded = new HashSet<>();
    Set<Integer> stored = new HashSet<>();
    for (Instruction instruction : section.instructions()) {
      if (instruction instanceof Instruction.Load load) {
        loaded.add(load.array());
      } else if (instruction instanceof Instruction.Store store) {
        stored.add(store.array());
      }
    }
    loaded.retainAll(stored);
    return loaded;
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.ScheduledExecution;
import io.recur.device.kernels.Values;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A section as loops over heap arrays, some columns at a time. A value takes an array from its
 * first instruction to the last that reads it, so that few arrays stay in the cache.
 */
final class JavaSection {
  /** The values of a tile, unless a single column has more. */
  private static final int TILE = 1024;

  private final int rows;
  private final int arrays;
  private final List<JavaInstruction> loops = new ArrayList<>();

  JavaSection(ProductSchedule schedule, ProductSchedule.Pass pass, CellProgram.Section section) {
    this.rows = section.rows();
    List<Instruction> instructions = section.instructions();
    int[] last = lastReads(instructions);
    int[] places = new int[last.length];
    Deque<Integer> free = new ArrayDeque<>();
    int used = 0;
    for (int i = 0; i < instructions.size(); i++) {
      Instruction instruction = instructions.get(i);
      int to = instruction.to();
      if (to != Instruction.NONE) { // never the array of a value that is read here
        places[to] = free.isEmpty() ? used++ : free.pop();
      }
      loops.add(JavaInstruction.of(schedule, pass, instruction, places));
      for (int value : instruction.reads().stream().distinct().toList()) {
        if (value != Instruction.NONE && last[value] == i) {
          free.push(places[value]);
        }
      }
    }
    this.arrays = used;
  }

  /** {@return for each value the last instruction that reads it} */
  private static int[] lastReads(List<Instruction> instructions) {
    int[] last = new int[Values.count(instructions)];
    for (int i = 0; i < instructions.size(); i++) {
      for (int value : instructions.get(i).reads()) {
        if (value != Instruction.NONE) {
          last[value] = i;
        }
      }
    }
    return last;
  }

  void run(ScheduledExecution execution, JavaTile tile, Workspace work, int t) {
    int batch = execution.places().batch();
    int columns = Math.min(batch, Math.max(1, TILE / rows));
    tile.begin(execution, work, rows, t);
    tile.take(arrays, columns);
    for (int first = 0; first < batch; first += columns) {
      tile.at(first, Math.min(columns, batch - first));
      for (int i = 0; i < loops.size(); i++) {
        loops.get(i).run(tile);
      }
    }
  }
}

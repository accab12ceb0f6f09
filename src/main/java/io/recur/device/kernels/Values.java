package io.recur.device.kernels;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The values that the instructions of a section write and read.
 *
 * <pre>{@code
 * List<Instruction> instructions =
 *     List.of(new Instruction.Load(0, 0, 0, 0), new Instruction.Map(1, Elementwise.TANH, 0));
 * int values = Values.count(instructions);                              // 2
 * List<Instruction> needed = Values.needed(instructions, 0);            // the first
 * }</pre>
 */
public final class Values {
  private Values() {}

  /**
   * Counts how often each value is read.
   *
   * @param instructions of one section
   * @return the number of reads per value
   */
  static int[] uses(List<Instruction> instructions) {
    int[] uses = new int[count(instructions)];
    for (Instruction instruction : instructions) {
      for (int value : instruction.reads()) {
        if (value != Instruction.NONE) {
          uses[value]++;
        }
      }
    }
    return uses;
  }

  /**
   * Counts the values of a section.
   *
   * @param instructions of one section
   * @return a number above those of all values
   */
  public static int count(List<Instruction> instructions) {
    int count = 0;
    for (Instruction instruction : instructions) {
      count = Math.max(count, instruction.to() + 1);
    }
    return count;
  }

  /**
   * Removes the instructions whose values nothing reads.
   *
   * @param instructions of one section
   * @return those that store, and those that these need
   */
  static List<Instruction> needed(List<Instruction> instructions) {
    return needed(instructions, new BitSet(), true);
  }

  /**
   * Finds what computes a value.
   *
   * @param instructions of one section
   * @param value one of its values
   * @return those that are needed for it, in order
   */
  public static List<Instruction> needed(List<Instruction> instructions, int value) {
    BitSet read = new BitSet();
    read.set(value);
    return needed(instructions, read, false);
  }

  private static List<Instruction> needed(
      List<Instruction> instructions, BitSet read, boolean stores) {
    List<Instruction> kept = new ArrayList<>();
    for (Instruction instruction : instructions.reversed()) {
      int to = instruction.to();
      if (to == Instruction.NONE ? stores : read.get(to)) {
        kept.add(instruction);
        for (int value : instruction.reads()) {
          if (value != Instruction.NONE) {
            read.set(value);
          }
        }
      }
    }
    return List.copyOf(kept.reversed());
  }
}

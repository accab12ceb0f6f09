package io.recur.device.kernels;

import io.recur.device.kernels.Instruction.Affine;
import io.recur.device.kernels.Instruction.Combine;
import io.recur.device.kernels.Instruction.Constant;
import io.recur.device.kernels.Instruction.Derivative;
import io.recur.device.kernels.Instruction.Drop;
import io.recur.device.kernels.Instruction.Gather;
import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.LoadRow;
import io.recur.device.kernels.Instruction.LoadScalar;
import io.recur.device.kernels.Instruction.LoadVector;
import io.recur.device.kernels.Instruction.Map;
import io.recur.device.kernels.Instruction.Product;
import io.recur.device.kernels.Instruction.Reduce;
import io.recur.device.kernels.Instruction.Reduced;
import io.recur.device.kernels.Instruction.Scatter;
import io.recur.device.kernels.Instruction.Store;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The values that instructions write and read.
 *
 * <pre>{@code
 * Instruction sum = new Instruction.Combine(2, Binary.ADD, 0, 1);
 * int written = Values.written(sum);                      // 2
 * int[] read = Values.read(sum);                          // 0 and 1
 * }</pre>
 */
public final class Values {
  private Values() {}

  /**
   * Returns the value that an instruction writes.
   *
   * @param instruction any instruction
   * @return its number, or {@link Instruction#NONE}
   */
  public static int written(Instruction instruction) {
    return switch (instruction) {
      case Load(int to, int array, int row, int lag) -> to;
      case LoadRow(int to, int array, int row, int lag) -> to;
      case LoadVector(int to, int vector, int row) -> to;
      case LoadScalar(int to, int vector, int row) -> to;
      case Constant(int to, float number) -> to;
      case Product product -> product.to();
      case Gather(int to, int sum, int weights) -> to;
      case Map map -> map.to();
      case Derivative derivative -> derivative.to();
      case Affine affine -> affine.to();
      case Combine combine -> combine.to();
      case Reduced(int to, int reduction) -> to;
      case Drop drop -> drop.to();
      case Store store -> Instruction.NONE;
      case Scatter scatter -> Instruction.NONE;
      case Reduce reduce -> Instruction.NONE;
    };
  }

  /**
   * Returns the values that an instruction reads.
   *
   * @param instruction any instruction
   * @return their numbers; some may be {@link Instruction#NONE}
   */
  public static int[] read(Instruction instruction) {
    return switch (instruction) {
      case Store store -> new int[] {store.value()};
      case Scatter scatter -> new int[] {scatter.value()};
      case Reduce reduce -> new int[] {reduce.value()};
      case Product product -> new int[] {product.sum()};
      case Gather gather -> new int[] {gather.sum()};
      case Map map -> new int[] {map.a()};
      case Derivative d -> new int[] {d.dy(), d.x(), d.y()};
      case Affine affine -> new int[] {affine.a()};
      case Combine combine -> new int[] {combine.a(), combine.b()};
      case Drop drop -> new int[] {drop.a()};
      case Load load -> new int[] {};
      case LoadRow load -> new int[] {};
      case LoadVector load -> new int[] {};
      case LoadScalar load -> new int[] {};
      case Constant constant -> new int[] {};
      case Reduced reduced -> new int[] {};
    };
  }

  /**
   * Counts how often each value is read.
   *
   * @param instructions of one section
   * @return the number of reads per value
   */
  static int[] uses(List<Instruction> instructions) {
    int[] uses = new int[count(instructions)];
    for (Instruction instruction : instructions) {
      for (int value : read(instruction)) {
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
      count = Math.max(count, written(instruction) + 1);
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
      int to = written(instruction);
      if (to == Instruction.NONE ? stores : read.get(to)) {
        kept.add(instruction);
        for (int value : read(instruction)) {
          if (value != Instruction.NONE) {
            read.set(value);
          }
        }
      }
    }
    return List.copyOf(kept.reversed());
  }
}

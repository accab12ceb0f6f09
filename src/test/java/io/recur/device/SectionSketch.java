package io.recur.device;

import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes the instructions of a section; a method returns the number of the value it makes. */
final class SectionSketch {
  private final int rows;
  private final List<Instruction> instructions = new ArrayList<>();
  private int next;

  SectionSketch(int rows) {
    this.rows = rows;
  }

  CellProgram.Section section() {
    return new CellProgram.Section(rows, List.copyOf(instructions));
  }

  /** A phase of some sections. */
  static CellProgram.Phase phase(SectionSketch... sections) {
    return new CellProgram.Phase(Arrays.stream(sections).map(SectionSketch::section).toList());
  }

  int load(int array, int row, int lag) {
    instructions.add(new Instruction.Load(next, array, row, lag));
    return next++;
  }

  int loadRow(int array, int row, int lag) {
    instructions.add(new Instruction.LoadRow(next, array, row, lag));
    return next++;
  }

  void store(int value, int array, int row, int lag) {
    instructions.add(new Instruction.Store(value, array, row, lag));
  }

  int vector(int vector, int row) {
    instructions.add(new Instruction.LoadVector(next, vector, row));
    return next++;
  }

  int scalar(int vector, int row) {
    instructions.add(new Instruction.LoadScalar(next, vector, row));
    return next++;
  }

  int constant(float number) {
    instructions.add(new Instruction.Constant(next, number));
    return next++;
  }

  int product(int sum, int weights, int operand, int lag) {
    instructions.add(new Instruction.Product(next, sum, weights, false, operand, lag, false));
    return next++;
  }

  /** sum + Wᵀ·(what the step before has stored in the operand). */
  int pull(int sum, int weights, int operand) {
    instructions.add(new Instruction.Product(next, sum, weights, true, operand, 1, true));
    return next++;
  }

  /** sum + Wᵀ·(what an earlier phase of this step has stored in the operand). */
  int transposed(int sum, int weights, int operand) {
    instructions.add(new Instruction.Product(next, sum, weights, true, operand, 0, false));
    return next++;
  }

  int gather(int sum, int weights) {
    instructions.add(new Instruction.Gather(next, sum, weights));
    return next++;
  }

  void scatter(int value, int weights) {
    instructions.add(new Instruction.Scatter(value, weights));
  }

  int map(Elementwise f, int a) {
    instructions.add(new Instruction.Map(next, f, a));
    return next++;
  }

  /** dy·f'(x) from y = f(x). */
  int derivative(Elementwise f, int dy, int y) {
    return derivative(f, dy, Instruction.NONE, y);
  }

  int derivative(Elementwise f, int dy, int x, int y) {
    instructions.add(new Instruction.Derivative(next, f, dy, x, y));
    return next++;
  }

  int affine(int a, float factor, float constant) {
    instructions.add(new Instruction.Affine(next, a, factor, constant));
    return next++;
  }

  int combine(Binary f, int a, int b) {
    instructions.add(new Instruction.Combine(next, f, a, b));
    return next++;
  }

  int add(int a, int b) {
    return combine(Binary.ADD, a, b);
  }

  int subtract(int a, int b) {
    return combine(Binary.SUBTRACT, a, b);
  }

  int multiply(int a, int b) {
    return combine(Binary.MULTIPLY, a, b);
  }

  void reduce(int value, int reduction) {
    instructions.add(new Instruction.Reduce(value, reduction));
  }

  int reduced(int reduction) {
    instructions.add(new Instruction.Reduced(next, reduction));
    return next++;
  }

  int drop(int a, float rate, int draw, int height, int row) {
    instructions.add(new Instruction.Drop(next, a, rate, draw, height, row));
    return next++;
  }
}

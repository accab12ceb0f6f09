package io.recur.compile;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;

/**
 * A value of one pass, before its place in a phase is known. Operands are numbers of earlier terms.
 * A term of one row stands for a row that is repeated wherever more rows are needed.
 */
sealed interface Term {
  int rows();

  /** The terms that it reads. */
  default int[] operands() {
    return new int[0];
  }

  /** Weights times something, which is a part of a sum. */
  sealed interface Product extends Term {
    /** The number of the weights. */
    int weights();
  }

  /** Rows of an array at step t + lag. */
  record Load(int rows, int array, int row, int lag) implements Term {}

  /** Values of a vector. */
  record Vector(int rows, int vector, int row) implements Term {}

  record Number(float number) implements Term {
    @Override
    public int rows() {
      return 1;
    }
  }

  /** {@code W·operand} or {@code Wᵀ·operand}. */
  record Times(int rows, int weights, boolean transposed, int operand, int lag, boolean skipsFirst)
      implements Product {}

  /** {@code W[:, index]}. */
  record Gathered(int rows, int weights) implements Product {}

  record Map(int rows, Elementwise f, int a) implements Term {
    @Override
    public int[] operands() {
      return new int[] {a};
    }
  }

  /** {@code dy·f'(x)}; x or y is {@link io.recur.device.kernels.Instruction#NONE} if not needed. */
  record Derivative(int rows, Elementwise f, int dy, int x, int y) implements Term {
    @Override
    public int[] operands() {
      if (x < 0) {
        return y < 0 ? new int[] {dy} : new int[] {dy, y};
      }
      return y < 0 ? new int[] {dy, x} : new int[] {dy, x, y};
    }
  }

  record Affine(int rows, int a, float factor, float constant) implements Term {
    @Override
    public int[] operands() {
      return new int[] {a};
    }
  }

  record Combine(int rows, Binary f, int a, int b) implements Term {
    @Override
    public int[] operands() {
      return new int[] {a, b};
    }
  }

  /** A reduction over the rows of a. */
  record Reduced(Reduction kind, int a) implements Term {
    @Override
    public int rows() {
      return 1;
    }

    @Override
    public int[] operands() {
      return new int[] {a};
    }
  }

  /** Rows {@code row} … of a dropout over {@code all} rows. */
  record Dropped(int rows, int a, float rate, int draw, int all, int row) implements Term {
    @Override
    public int[] operands() {
      return new int[] {a};
    }
  }
}

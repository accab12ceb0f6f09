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
      implements Term {}

  /** {@code W[:, index]}. */
  record Gathered(int rows, int weights) implements Term {}

  record Map(int rows, Elementwise f, int a) implements Term {}

  /** {@code dy·f'(x)}; x or y is {@link io.recur.device.kernels.Instruction#NONE} if not needed. */
  record Derivative(int rows, Elementwise f, int dy, int x, int y) implements Term {}

  record Affine(int rows, int a, float factor, float constant) implements Term {}

  record Combine(int rows, Binary f, int a, int b) implements Term {}

  /** A reduction over the rows of a. */
  record Reduced(Reduction kind, int a) implements Term {
    @Override
    public int rows() {
      return 1;
    }
  }

  /** Rows {@code row} … of a dropout over {@code all} rows. */
  record Dropped(int rows, int a, float rate, int draw, int all, int row) implements Term {}

  /** The operands of a term. */
  static int[] operands(Term term) {
    return switch (term) {
      case Load _, Vector _, Number _, Times _, Gathered _ -> new int[0];
      case Map t -> new int[] {t.a};
      case Affine t -> new int[] {t.a};
      case Reduced t -> new int[] {t.a};
      case Dropped t -> new int[] {t.a};
      case Combine t -> new int[] {t.a, t.b};
      case Derivative t -> derivativeOperands(t);
    };
  }

  private static int[] derivativeOperands(Derivative t) {
    if (t.x < 0) {
      return t.y < 0 ? new int[] {t.dy} : new int[] {t.dy, t.y};
    }
    return t.y < 0 ? new int[] {t.dy, t.x} : new int[] {t.dy, t.x, t.y};
  }
}

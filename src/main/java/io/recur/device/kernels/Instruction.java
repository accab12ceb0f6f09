package io.recur.device.kernels;

import io.recur.device.Elementwise;
import java.util.List;

/**
 * One operation of a {@link CellProgram} on all rows of its {@link CellProgram.Section} and on all
 * columns of the batch, at step t.
 *
 * <p>Values are numbered within a section from 0. An instruction writes the value {@code to} once;
 * later instructions of the same section read it. Other sections, phases and steps read what was
 * stored in an array. A value has as many rows as its section.
 *
 * <pre>{@code
 * List<Instruction> accumulate =
 *     List.of(
 *         new Instruction.Load(0, 0, 0, 0), // array 0 is the state: before step t
 *         new Instruction.Load(1, 1, 0, 0), // array 1 is x
 *         new Instruction.Combine(2, Binary.ADD, 0, 1),
 *         new Instruction.Store(2, 0, 0, 1)); // the state after step t
 * }</pre>
 */
public sealed interface Instruction {
  /** No value, or no array. */
  int NONE = -1;

  /** {@return the value that it writes, or {@link #NONE}} */
  default int to() {
    return NONE;
  }

  /** {@return the values that it reads; some may be {@link #NONE}} */
  default List<Integer> reads() {
    return List.of();
  }

  /** {@return the array that it reads, or {@link #NONE}} */
  default int arrayRead() {
    return NONE;
  }

  /**
   * Reads rows {@code row}, {@code row + 1} … of an array at step {@code t + lag}. Rows that the
   * array does not have are 0.
   */
  record Load(int to, int array, int row, int lag) implements Instruction {
    @Override
    public int arrayRead() {
      return array;
    }
  }

  /** Reads row {@code row} of an array at step {@code t + lag} and repeats it over all rows. */
  record LoadRow(int to, int array, int row, int lag) implements Instruction {
    @Override
    public int arrayRead() {
      return array;
    }
  }

  /**
   * Writes a value to rows {@code row} … of an array at step {@code t + lag}, but for rows that the
   * array does not have. Does nothing where the execution has no buffer for the array.
   */
  record Store(int value, int array, int row, int lag) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(value);
    }
  }

  /**
   * The values {@code row}, {@code row + 1} … of a vector, the same in every column. Values that
   * the vector does not have are 0.
   */
  record LoadVector(int to, int vector, int row) implements Instruction {}

  /** Value {@code row} of a vector, the same in every row and column. */
  record LoadScalar(int to, int vector, int row) implements Instruction {}

  /** A number, the same everywhere. */
  record Constant(int to, float number) implements Instruction {}

  /**
   * {@code to = sum + W·operand} or, transposed, {@code to = sum + Wᵀ·operand}, with the operand
   * array at step {@code t + lag}: all its rows. W, or its transpose, has as many rows as the
   * section. {@code sum} is {@link #NONE} for zeros. An instruction that skips the first step that
   * its pass executes gives {@code to = sum} there.
   */
  record Product(
      int to, int sum, int weights, boolean transposed, int operand, int lag, boolean skipsFirst)
      implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(sum);
    }

    @Override
    public int arrayRead() {
      return operand;
    }
  }

  /** {@code to = sum + W[:, index]} with the classes of step t; sum may be {@link #NONE}. */
  record Gather(int to, int sum, int weights) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(sum);
    }
  }

  /** {@code dW[:, index] += value} with the classes of step t, where the gradient is wanted. */
  record Scatter(int value, int weights) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(value);
    }
  }

  /** {@code to = f(a)}. */
  record Map(int to, Elementwise f, int a) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(a);
    }
  }

  /**
   * {@code to = dy·f'(x)}, where {@code y = f(x)}. x or y is {@link #NONE} where the derivative
   * does not need it.
   */
  record Derivative(int to, Elementwise f, int dy, int x, int y) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(dy, x, y);
    }
  }

  /** {@code to = factor·a + constant}. */
  record Affine(int to, int a, float factor, float constant) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(a);
    }
  }

  /** {@code to = f(a, b)}. */
  record Combine(int to, Binary f, int a, int b) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(a, b);
    }
  }

  /** Gives the rows of a value to a reduction, which a later phase of the step reads. */
  record Reduce(int value, int reduction) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(value);
    }
  }

  /** A reduction of each column, from an earlier phase of the step, repeated over all rows. */
  record Reduced(int to, int reduction) implements Instruction {}

  /**
   * Dropout: {@code to = a/(1 − rate)} where the coin keeps the value, else 0. The coin of row i
   * and column j is that of value {@code j·rows + row + i} under the seed number {@code draw} of
   * step t, see {@link io.recur.device.Pointwise#drop}.
   */
  record Drop(int to, int a, float rate, int draw, int rows, int row) implements Instruction {
    @Override
    public List<Integer> reads() {
      return List.of(a);
    }
  }
}

package io.recur.device;

import io.recur.Reference;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link CellProgram} in double precision, instruction by instruction and value by value:
 * what devices compute. It has no order of its own for sums and keeps no gradient of weights before
 * the end.
 */
public final class ReferencePrograms {
  private final CellProgram program;
  private final int batch;
  private final int time;

  /** For each array and step a matrix; null where the execution has no buffer. */
  public final double[][] @Nullable [] arrays;

  public final double[][] vectors;
  public final double[][] vectorGradients;
  public final double[][] matrices;
  public final double[][] matrixGradients;
  final int[] index;
  final long[] seeds;

  /** What reductions found at this step, by column. */
  private final double[][] reduced;

  public ReferencePrograms(CellProgram program, int batch, int time, int[] index, long[] seeds) {
    this.program = program;
    this.batch = batch;
    this.time = time;
    this.index = index;
    this.seeds = seeds;
    arrays = new double[program.arrays().size()][][];
    vectors = new double[program.vectors().size()][];
    vectorGradients = new double[vectors.length][];
    matrices = new double[program.matrices().size()][];
    matrixGradients = new double[matrices.length][];
    reduced = new double[program.reductions().size()][batch];
  }

  public void forward() {
    for (int t = 0; t < time; t++) {
      run(program.forward().phases(), t, t == 0);
    }
    run(program.forward().end(), time, false);
  }

  /** Arrays of gradients must have room for all steps. */
  public void backward() {
    for (int t = time - 1; t >= 0; t--) {
      run(program.backward().phases(), t, t == time - 1);
    }
    run(program.backward().end(), -1, false);
    for (int t = 0; t < time; t++) {
      for (CellProgram.WeightGradient g : program.weightGradients()) {
        addGradient(g, t);
      }
      for (CellProgram.VectorGradient g : program.vectorGradients()) {
        double[] d = at(g.array(), t);
        int rows = program.arrays().get(g.array()).rows();
        for (int k = 0; k < d.length; k++) {
          vectorGradients[g.vector()][g.row() + k % rows] += d[k];
        }
      }
    }
  }

  private void addGradient(CellProgram.WeightGradient g, int t) {
    CellProgram.Weights w = program.weights().get(g.weights());
    int ld = program.matrices().get(w.matrix()).rows();
    double[] d = at(g.array(), t);
    double[] operand = at(g.operand(), t + g.lag());
    for (int j = 0; j < batch; j++) {
      for (int k = 0; k < w.columns(); k++) {
        for (int i = 0; i < w.rows(); i++) {
          matrixGradients[w.matrix()][(w.column() + k) * ld + w.row() + i] +=
              d[j * w.rows() + i] * operand[j * w.columns() + k];
        }
      }
    }
  }

  private double[] at(int array, int t) {
    double[][] steps = arrays[array];
    return steps[Math.floorMod(t, steps.length)];
  }

  private void run(List<CellProgram.Phase> phases, int t, boolean isFirst) {
    for (CellProgram.Phase phase : phases) {
      for (CellProgram.Section section : phase.sections()) {
        new Step(section, t, isFirst).run();
      }
    }
  }

  /** A section at a step. */
  private final class Step {
    private final int rows;
    private final List<Instruction> instructions;
    private final int t;
    private final boolean isFirst;
    private final double[][] values;

    Step(CellProgram.Section section, int t, boolean isFirst) {
      this.rows = section.rows();
      this.instructions = section.instructions();
      this.t = t;
      this.isFirst = isFirst;
      this.values = new double[instructions.size()][];
    }

    void run() {
      for (Instruction instruction : instructions) {
        run(instruction);
      }
    }

    /** A value, row i and column j. */
    private interface Cell {
      double at(int i, int j);
    }

    private void set(int to, Cell cell) {
      double[] value = new double[rows * batch];
      for (int j = 0; j < batch; j++) {
        for (int i = 0; i < rows; i++) {
          value[j * rows + i] = cell.at(i, j);
        }
      }
      values[to] = value;
    }

    private double get(int value, int i, int j) {
      return value == Instruction.NONE ? 0 : values[value][j * rows + i];
    }

    private double get(double[] matrix, int height, int i, int j) {
      return i < 0 || i >= height ? 0 : matrix[j * height + i];
    }

    private int height(int array) {
      return program.arrays().get(array).rows();
    }

    private void run(Instruction instruction) {
      switch (instruction) {
        case Instruction.Load(int to, int array, int row, int lag) -> {
          double[] from = at(array, t + lag);
          set(to, (i, j) -> get(from, height(array), row + i, j));
        }
        case Instruction.LoadRow(int to, int array, int row, int lag) -> {
          double[] from = at(array, t + lag);
          set(to, (i, j) -> get(from, height(array), row, j));
        }
        case Instruction.Store(int value, int array, int row, int lag) -> {
          if (arrays[array] != null) {
            double[] to = at(array, t + lag);
            for (int k = 0; k < rows * batch; k++) {
              int at = row + k % rows;
              if (at >= 0 && at < height(array)) {
                to[k / rows * height(array) + at] = values[value][k];
              }
            }
          }
        }
        case Instruction.LoadVector(int to, int vector, int row) ->
            set(to, (i, j) -> get(vectors[vector], vectors[vector].length, row + i, 0));
        case Instruction.LoadScalar(int to, int vector, int row) ->
            set(to, (i, j) -> vectors[vector][row]);
        case Instruction.Constant(int to, float number) -> set(to, (i, j) -> number);
        case Instruction.Product p -> multiply(p);
        case Instruction.Gather(int to, int sum, int weights) ->
            set(to, (i, j) -> get(sum, i, j) + matrixOf(weights)[place(weights, i, taken(j))]);
        case Instruction.Scatter(int value, int weights) -> {
          for (int j = 0; j < batch; j++) {
            for (int i = 0; i < rows; i++) {
              gradientOf(weights)[place(weights, i, taken(j))] += get(value, i, j);
            }
          }
        }
        case Instruction.Map(int to, Elementwise f, int a) ->
            set(to, (i, j) -> Reference.value(f, get(a, i, j)));
        case Instruction.Derivative(int to, Elementwise f, int dy, int x, int y) ->
            set(
                to,
                (i, j) ->
                    get(dy, i, j)
                        * (x == Instruction.NONE
                            ? derivative(f, get(y, i, j))
                            : Reference.derivative(f, get(x, i, j))));
        case Instruction.Affine(int to, int a, float factor, float constant) ->
            set(to, (i, j) -> factor * get(a, i, j) + constant);
        case Instruction.Combine(int to, Binary f, int a, int b) ->
            set(to, (i, j) -> Reference.value(f, get(a, i, j), get(b, i, j)));
        case Instruction.Reduce(int value, int reduction) -> {
          for (int j = 0; j < batch; j++) {
            reduced[reduction][j] = reduce(program.reductions().get(reduction).kind(), value, j);
          }
        }
        case Instruction.Reduced(int to, int reduction) -> {
          double[] now = reduced[reduction].clone();
          set(to, (i, j) -> now[j]);
        }
        case Instruction.Drop(int to, int a, float rate, int draw, int height, int row) -> {
          long seed = seeds[t * program.draws() + draw];
          set(
              to,
              (i, j) ->
                  coin(seed, (long) j * height + row + i) < (int) (rate * (1 << 24))
                      ? 0
                      : get(a, i, j) / (1 - rate));
        }
      }
    }

    private void multiply(Instruction.Product p) {
      if (p.skipsFirst() && isFirst) {
        set(p.to(), (i, j) -> get(p.sum(), i, j));
        return;
      }
      double[] w = matrixOf(p.weights());
      double[] x = at(p.operand(), t + p.lag());
      int terms = height(p.operand());
      set(
          p.to(),
          (i, j) -> {
            double sum = get(p.sum(), i, j);
            for (int k = 0; k < terms; k++) {
              int place = p.transposed() ? place(p.weights(), k, i) : place(p.weights(), i, k);
              sum += w[place] * x[j * terms + k];
            }
            return sum;
          });
    }

    private int taken(int j) {
      return index[t * batch + j];
    }

    private double reduce(Reduction kind, int value, int j) {
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      double squares = 0;
      for (int i = 0; i < rows; i++) {
        sum += get(value, i, j);
        largest = Math.max(largest, get(value, i, j));
      }
      for (int i = 0; i < rows; i++) {
        double distance = get(value, i, j) - sum / rows;
        squares += distance * distance;
      }
      return switch (kind) {
        case SUM -> sum;
        case MEAN -> sum / rows;
        case MAX -> largest;
        case VARIANCE -> squares / rows;
      };
    }
  }

  private double[] matrixOf(int weights) {
    return matrices[program.weights().get(weights).matrix()];
  }

  private double[] gradientOf(int weights) {
    return matrixGradients[program.weights().get(weights).matrix()];
  }

  /** Where element (i, k) of weights is in their matrix. */
  private int place(int weights, int i, int k) {
    CellProgram.Weights w = program.weights().get(weights);
    return (w.column() + k) * program.matrices().get(w.matrix()).rows() + w.row() + i;
  }

  /** f'(x) from y = f(x). */
  private static double derivative(Elementwise f, double y) {
    return switch (f) {
      case TANH -> 1 - y * y;
      case SIGMOID -> y * (1 - y);
      case EXP -> y;
      case SQRT -> 0.5 / y;
      case RECIPROCAL -> -y * y;
      default -> throw new IllegalArgumentException(f + " has no derivative from y");
    };
  }

  /** 24 bits from a seed and a counter: the finaliser of SplitMix64. */
  private static int coin(long seed, long i) {
    long z = seed + (i + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (int) ((z ^ (z >>> 31)) >>> 40);
  }
}

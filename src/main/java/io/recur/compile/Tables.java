package io.recur.compile;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The arrays, weights and parameters that both passes of a program name. */
final class Tables {
  /** What an array is for, which decides who gives it memory and how much. */
  enum Purpose {
    /** x of every step. */
    INPUT,
    /** A part of the state before every step and after the last. */
    STATE,
    /** The output of every step. */
    OUTPUT,
    /** What a product or a reduction of the same step reads. */
    OPERAND,
    /** A value that backward reads. */
    KEPT,
    /** A value that only a later phase of the same step reads. */
    WAITING,
    /** The gradient of the output, of every step. */
    OUTPUT_GRADIENT,
    /** A gradient of which those of parameters are made. */
    GRADIENT,
    /** What a step adds to the gradient of the state before it: of this step and the next. */
    CARRY,
    /** A gradient that a later phase of the same step reads. */
    PASSING,
    /** The gradient of x of every step, but for products. */
    INPUT_GRADIENT,
    /** The gradient of a part of the state before the first step. */
    STATE_GRADIENT
  }

  /** An array; {@code part} is the number of a part of the state. */
  record Entry(CellProgram.Array array, Purpose purpose, int part) {}

  final List<Entry> arrays = new ArrayList<>();
  final List<Weights> weights = new ArrayList<>();

  /** The numbers of parameters that are matrices, and of those that are vectors. */
  final List<Integer> matrices = new ArrayList<>();

  final List<Integer> vectors = new ArrayList<>();
  private final Map<Weights, Integer> known = new HashMap<>();

  int array(int rows, Layout layout, Purpose purpose, int part) {
    boolean given = purpose == Purpose.INPUT || purpose == Purpose.OUTPUT_GRADIENT;
    arrays.add(new Entry(new CellProgram.Array(rows, layout, given), purpose, part));
    return arrays.size() - 1;
  }

  int matrix(int rows, Purpose purpose) {
    return array(rows, Layout.MATRIX, purpose, 0);
  }

  Purpose purpose(int array) {
    return arrays.get(array).purpose();
  }

  int weights(int matrix, int row, int rows, int column, int columns) {
    Weights part = new Weights(matrix, row, rows, column, columns);
    return known.computeIfAbsent(
        part,
        fresh -> {
          weights.add(fresh);
          return weights.size() - 1;
        });
  }

  static int numberOf(List<Integer> parameters, int parameter) {
    int found = parameters.indexOf(parameter);
    if (found < 0) {
      parameters.add(parameter);
      return parameters.size() - 1;
    }
    return found;
  }
}

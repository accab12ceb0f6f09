package io.recur.device;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.Reduction;
import java.util.ArrayList;
import java.util.List;

/** A program with what a caller does with its arrays. */
final class ProgramSketch {
  /** How many steps an array has, and who writes them. */
  enum Role {
    /** T steps that the caller writes. */
    INPUT,
    /** The gradients of the first states, which is an input of backward. */
    DY,
    /** T + 1 steps, the first from the caller, the others from forward. */
    STATES,
    /** T steps from a pass, which a later one or the caller reads. */
    KEPT,
    /** T + 1 steps, the last one zeros from the caller, the others from backward. */
    ENDED,
    /** T steps, or as many as the device asks for, from backward. */
    GRADIENT,
    /** One step, from the caller and then from backward. */
    CARRIED,
    /** One step from a pass. */
    LAST;

    /** The steps of an array. */
    int steps(int time, int gradientSteps) {
      return switch (this) {
        case INPUT, DY, KEPT -> time;
        case STATES, ENDED -> time + 1;
        case GRADIENT -> gradientSteps;
        case CARRIED, LAST -> 1;
      };
    }

    /** How many of them the caller writes. */
    int given(int time) {
      return switch (this) {
        case INPUT, DY -> time;
        case STATES, CARRIED -> 1;
        case KEPT, ENDED, GRADIENT, LAST -> 0;
      };
    }
  }

  /**
   * A finished program.
   *
   * @param roles of its arrays
   * @param classes the columns of what is gathered, 0 for none
   */
  record Sample(String name, CellProgram program, List<Role> roles, int classes) {
    @Override
    public String toString() {
      return name;
    }
  }

  private final List<CellProgram.Array> arrays = new ArrayList<>();
  private final List<Role> roles = new ArrayList<>();
  private final List<Integer> vectors = new ArrayList<>();
  private final List<CellProgram.Matrix> matrices = new ArrayList<>();
  private final List<CellProgram.Weights> weights = new ArrayList<>();
  private final List<CellProgram.RowReduction> reductions = new ArrayList<>();
  private final List<CellProgram.Phase> forward = new ArrayList<>();
  private final List<CellProgram.Phase> backward = new ArrayList<>();
  private final List<CellProgram.Phase> forwardEnd = new ArrayList<>();
  private final List<CellProgram.Phase> end = new ArrayList<>();
  private final List<CellProgram.WeightGradient> weightGradients = new ArrayList<>();
  private final List<CellProgram.VectorGradient> vectorGradients = new ArrayList<>();
  private int draws;
  private int classes;

  int array(int rows, Role role) {
    return array(rows, Layout.MATRIX, role);
  }

  int tiles(int rows, Role role) {
    return array(rows, Layout.TILES, role);
  }

  private int array(int rows, Layout layout, Role role) {
    arrays.add(new CellProgram.Array(rows, layout, role == Role.INPUT || role == Role.DY));
    roles.add(role);
    return arrays.size() - 1;
  }

  int vector(int length) {
    vectors.add(length);
    return vectors.size() - 1;
  }

  int matrix(int rows, int columns) {
    matrices.add(new CellProgram.Matrix(rows, columns));
    return matrices.size() - 1;
  }

  /** All of a new matrix. */
  int whole(int rows, int columns) {
    return rows(matrix(rows, columns), 0, rows);
  }

  /** Some rows of a matrix. */
  int rows(int matrix, int row, int rows) {
    weights.add(new CellProgram.Weights(matrix, row, rows, 0, matrices.get(matrix).columns()));
    return weights.size() - 1;
  }

  int table(int rows, int columns) {
    classes = columns;
    return whole(rows, columns);
  }

  int reduction(Reduction kind, int rows) {
    reductions.add(new CellProgram.RowReduction(kind, rows));
    return reductions.size() - 1;
  }

  int draw() {
    return draws++;
  }

  ProgramSketch forward(SectionSketch... sections) {
    forward.add(SectionSketch.phase(sections));
    return this;
  }

  ProgramSketch backward(SectionSketch... sections) {
    backward.add(SectionSketch.phase(sections));
    return this;
  }

  ProgramSketch forwardEnd(SectionSketch... sections) {
    forwardEnd.add(SectionSketch.phase(sections));
    return this;
  }

  ProgramSketch end(SectionSketch... sections) {
    end.add(SectionSketch.phase(sections));
    return this;
  }

  ProgramSketch gradient(int weights, int array, int operand) {
    weightGradients.add(new CellProgram.WeightGradient(weights, array, operand, 0));
    return this;
  }

  ProgramSketch vectorGradient(int vector, int row, int array) {
    vectorGradients.add(new CellProgram.VectorGradient(vector, row, array));
    return this;
  }

  Sample named(String name) {
    CellProgram program =
        new CellProgram(
            List.copyOf(arrays),
            List.copyOf(vectors),
            List.copyOf(matrices),
            List.copyOf(weights),
            List.copyOf(reductions),
            draws,
            new CellProgram.Pass(List.copyOf(forward), List.copyOf(forwardEnd)),
            new CellProgram.Pass(List.copyOf(backward), List.copyOf(end)),
            List.copyOf(weightGradients),
            List.copyOf(vectorGradients));
    return new Sample(name, program, List.copyOf(roles), classes);
  }
}

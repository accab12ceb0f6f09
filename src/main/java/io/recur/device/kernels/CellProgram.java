package io.recur.device.kernels;

import java.util.ArrayList;
import java.util.List;

/**
 * The steps of a recurrent cell, forward and backward, as a program that every device can run. It
 * knows the rows of all matrices, but neither batch nor time. Column j of every value depends on
 * column j of the arrays alone.
 *
 * <p>A pass executes its phases in order at every step: forward from step 0 to T−1, backward from
 * T−1 to 0, then the phases of {@code end} once, at the step that would follow (T or −1). What a
 * phase stores is seen by the phases after it. The sections of a phase are independent of each
 * other, and so are the rows and the columns of a section, but for what products and reductions
 * read, which an earlier phase, an earlier step or the caller has written.
 *
 * <p>Backward computes at each step gradients that it stores in arrays, and the device makes the
 * gradients of weights and vectors from these.
 *
 * <pre>{@code
 * List<Instruction> copy =
 *     List.of(new Instruction.Load(0, 0, 0, 0), new Instruction.Store(0, 1, 0, 0));
 * CellProgram.Section section = new CellProgram.Section(5, copy);
 * CellProgram.Pass forward =
 *     new CellProgram.Pass(List.of(new CellProgram.Phase(List.of(section))), List.of());
 * }</pre>
 *
 * @param arrays what instructions load and store
 * @param vectors the lengths of the vectors, parameters that are the same in every column
 * @param matrices the sizes of the parameter matrices
 * @param weights the parts of these that products read
 * @param reductions the reductions over the rows of a column
 * @param draws the random operations of a step
 * @param forward the pass that computes states and outputs
 * @param backward the pass that computes gradients
 * @param weightGradients how the gradients of weights follow from arrays
 * @param vectorGradients how the gradients of vectors follow from arrays
 */
public record CellProgram(
    List<Array> arrays,
    List<Integer> vectors,
    List<Matrix> matrices,
    List<Weights> weights,
    List<RowReduction> reductions,
    int draws,
    Pass forward,
    Pass backward,
    List<WeightGradient> weightGradients,
    List<VectorGradient> vectorGradients) {

  /** How an array is stored. */
  public enum Layout {
    /** Column-major, rows × batch for each step. */
    MATRIX,
    /** In the device's own order: sections of the array's own number of rows load and store it. */
    TILES
  }

  /**
   * An array of matrices rows × batch, one per step, or some in turn.
   *
   * @param rows of each matrix
   * @param layout how it is stored
   * @param isInput whether all its steps are written before the first phase runs
   */
  public record Array(int rows, Layout layout, boolean isInput) {}

  /**
   * A parameter matrix, column-major.
   *
   * @param rows its rows, which are its leading dimension
   * @param columns its columns
   */
  public record Matrix(int rows, int columns) {}

  /**
   * A part of a parameter matrix: the weights of one product.
   *
   * @param matrix the number of the matrix
   * @param row its first row
   * @param rows its number of rows
   * @param column its first column
   * @param columns its number of columns
   */
  public record Weights(int matrix, int row, int rows, int column, int columns) {}

  /**
   * A reduction over the rows of each column of one section's value.
   *
   * @param kind what is computed
   * @param rows the number of rows
   */
  public record RowReduction(Reduction kind, int rows) {}

  /**
   * The phases of a step.
   *
   * @param phases executed at every step
   * @param end executed once after the last step
   */
  public record Pass(List<Phase> phases, List<Phase> end) {
    /** {@return the instructions of a step, in the order of its phases} */
    public List<Instruction> instructions() {
      return instructions(phases);
    }

    /**
     * Lists instructions.
     *
     * @param phases some of a pass
     * @return theirs, in order
     */
    public static List<Instruction> instructions(List<Phase> phases) {
      List<Instruction> all = new ArrayList<>();
      for (Phase phase : phases) {
        for (Section section : phase.sections()) {
          all.addAll(section.instructions());
        }
      }
      return all;
    }

    /**
     * Tells which arrays some phases read.
     *
     * @param phases some of a pass
     * @param arrays how many there are
     * @return for each array whether an instruction reads it
     */
    public static boolean[] reads(List<Phase> phases, int arrays) {
      boolean[] reads = new boolean[arrays];
      for (Instruction instruction : instructions(phases)) {
        if (instruction.arrayRead() != Instruction.NONE) {
          reads[instruction.arrayRead()] = true;
        }
      }
      return reads;
    }
  }

  /**
   * What can be computed at the same time.
   *
   * @param sections independent of each other
   */
  public record Phase(List<Section> sections) {}

  /**
   * Instructions on values of the same number of rows.
   *
   * @param rows of every value
   * @param instructions in order
   */
  public record Section(int rows, List<Instruction> instructions) {}

  /**
   * {@code dW += Σₜ array(t)·operand(t + lag)ᵀ}, over all columns and steps.
   *
   * @param weights the part of a matrix, with as many rows as the array has and as many columns as
   *     the operand has rows
   * @param array of gradients, stored by backward at step t
   * @param operand an array
   * @param lag the operand's step less t
   */
  public record WeightGradient(int weights, int array, int operand, int lag) {}

  /**
   * {@code dv += Σₜ array(t)}, over all columns and steps, in sums that keep what a float rounds
   * away (see {@link KernelDevice#carryOf}).
   *
   * @param vector the vector
   * @param row the first of its values
   * @param array of gradients, stored by backward at step t
   */
  public record VectorGradient(int vector, int row, int array) {}
}

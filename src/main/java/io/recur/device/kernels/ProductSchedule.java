package io.recur.device.kernels;

import java.util.List;

/**
 * A {@link CellProgram} for a device that leaves matrix products to a library. The products are
 * taken out of the sections; what remains of these reads the results like arrays.
 *
 * <p>Products of adjacent blocks of one matrix with the same operand are one call. A product of an
 * array that is written before the pass is one call for all steps, before the first; so is, after
 * the last step, a product that is stored as it is and that nothing in the pass reads. A product
 * that is added to another one is added where the other one is.
 *
 * <p>Results, reductions and the columns of {@link Instruction.Scatter} are arrays in the scratch
 * memory of a pass, its spaces. Their numbers follow those of the program's arrays. Sections
 * contain neither {@link Instruction.Product}, {@link Instruction.Scatter} nor {@link
 * Instruction.Reduced}.
 *
 * <pre>{@code
 * ProductSchedule schedule = ProductSchedule.of(program);
 * int launches = schedule.forward().phases().size();      // per step, and a product for each call
 * }</pre>
 *
 * @param program what is executed
 * @param forward its forward pass
 * @param backward its backward pass
 */
public record ProductSchedule(CellProgram program, Pass forward, Pass backward) {
  /**
   * An array in scratch memory, column-major, rows × batch for each of its steps.
   *
   * @param rows its rows
   * @param everyStep whether it has room for all steps; else for one
   */
  public record Space(int rows, boolean everyStep) {}

  /**
   * A product with a part of a matrix: {@code result = [result +] op(W)·operand}.
   *
   * @param weights the part
   * @param transposed whether op(W) is Wᵀ
   * @param operand an array, of which all rows are read
   * @param lag the operand's step less t
   * @param skipsFirst whether the first step of the pass adds nothing
   * @param accumulates whether the result is added to
   * @param result an array
   * @param row its first row that is written
   * @param resultLag the result's step less t
   * @param sinks whether the call may follow the last step, as one product for all steps
   */
  public record Call(
      CellProgram.Weights weights,
      boolean transposed,
      int operand,
      int lag,
      boolean skipsFirst,
      boolean accumulates,
      int result,
      int row,
      int resultLag,
      boolean sinks) {
    /** {@return rows of op(W) and of what is written} */
    public int rows() {
      return transposed ? weights.columns() : weights.rows();
    }

    /** {@return columns of op(W), rows of the operand} */
    public int terms() {
      return transposed ? weights.rows() : weights.columns();
    }
  }

  /**
   * A phase: calls in order, then sections in any order.
   *
   * @param number its number among all phases of the schedule, from 0
   * @param calls the products that its sections read, or that store
   * @param sections what remains of the program's; perhaps none
   */
  public record Phase(int number, List<Call> calls, List<CellProgram.Section> sections) {}

  /**
   * {@code dW[:, index] += columns}, over all columns and steps.
   *
   * @param array the columns: all rows of the matrix, at every step
   * @param isWhole whether sections write all its rows; else it is zeroed before
   * @param matrix the matrix
   * @param column its first column that has a class
   * @param columns the number of classes
   */
  public record Scatter(int array, boolean isWhole, int matrix, int column, int columns) {}

  /**
   * A pass.
   *
   * @param spaces the arrays in scratch memory
   * @param hoisted products for all steps, before the first
   * @param phases executed at every step
   * @param end executed once after the last step
   * @param scatters what follows from columns that were kept
   * @param reductions the number of each reduction's array, which has one row; −1 for none
   * @param classes the least number of classes that its gathers have; {@link Integer#MAX_VALUE}
   *     where it gathers nothing
   */
  public record Pass(
      List<Space> spaces,
      List<Call> hoisted,
      List<Phase> phases,
      List<Phase> end,
      List<Scatter> scatters,
      List<Integer> reductions,
      int classes) {}

  /**
   * Makes the schedule of a program.
   *
   * @param program a program that is right
   * @return its schedule
   */
  public static ProductSchedule of(CellProgram program) {
    Pass forward = new PassScheduler(program, program.forward(), 0).pass();
    int phases = forward.phases().size() + forward.end().size();
    return new ProductSchedule(
        program, forward, new PassScheduler(program, program.backward(), phases).pass());
  }

  /** {@return the number of phases of both passes} */
  public int phases() {
    return forward.phases().size()
        + forward.end().size()
        + backward.phases().size()
        + backward.end().size();
  }

  /**
   * Returns the rows of an array.
   *
   * @param pass the pass whose spaces are meant
   * @param array an array of the program, or a space
   * @return its rows
   */
  public int rows(Pass pass, int array) {
    int own = program.arrays().size();
    return array < own ? program.arrays().get(array).rows() : pass.spaces().get(array - own).rows();
  }
}

package io.recur.compile;

import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Programs;
import io.recur.grad.Graph;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import java.util.List;

/**
 * A cell whose steps a device runs as one program: a whole sequence per call, as one recorded
 * operation. Several threads may use it at once.
 *
 * <pre>{@code
 * Graph graph =
 *     new Graph(List.of(new Graph.Node.Input(3, false)), List.of(), 0, List.of(0), 0); // h' = x
 * CompiledCell cell = CompiledCell.of(graph, 3, true, device);
 * }</pre>
 */
public final class CompiledCell {
  final Compiler.Compiled compiled;
  final Programs.Compiled program;
  final Invariants invariants;

  private CompiledCell(
      Invariants invariants, Compiler.Compiled compiled, Programs.Compiled program) {
    this.invariants = invariants;
    this.compiled = compiled;
    this.program = program;
  }

  /**
   * Compiles the graph of a step.
   *
   * @param graph what the step does
   * @param in the rows of x
   * @param isRecording whether it serves tapes that record; for those that do not it has no
   *     backward pass and keeps nothing for one
   * @param device that is to run it and that holds its parameters
   * @return the cell
   */
  public static CompiledCell of(Graph graph, int in, boolean isRecording, Device device) {
    Invariants invariants = new Invariants(graph, device);
    Compiler.Compiled compiled = Compiler.compile(invariants.graph, in, isRecording);
    Programs programs = KernelDevice.of(device).programs();
    return new CompiledCell(invariants, compiled, programs.compile(compiled.program()));
  }

  /** What a run computes. The object serves later runs on the same tape; the tensors do not. */
  public interface Result {
    /** {@return the parts of the state after the last step, out × batch each} */
    List<Tensor> states();

    /** {@return the outputs, out × batch, or out × batch × time; or out × valid steps} */
    Tensor y();
  }

  /**
   * Runs all steps of a sequence. The caller has checked that state and x fit the graph and has
   * {@linkplain OpContext#accept accepted} state, x and parameters.
   *
   * @param context of the tape that x is on
   * @param states the parts of the state before the first step, rows × batch each
   * @param x in × batch, or in × batch × time
   * @return tensors of the tape, to be read before the next run
   */
  public Result run(OpContext context, List<? extends Tensor> states, Tensor x) {
    return context.reuse(CompiledRun.class, CompiledRun::new).run(context, this, states, x);
  }

  /**
   * Runs all steps of sequences of different lengths. The caller has checked that state and x fit
   * the graph, that {@link #runsLengths} holds, and has {@linkplain OpContext#accept accepted}
   * state, valid steps of x and parameters.
   *
   * @param context of the tape that x is on
   * @param states the parts of the state before the first step, rows × batch each, in the order of
   *     {@link Padded#order}
   * @param x in × batch × time
   * @return the states after the last step of each sequence, in the same order, and the outputs of
   *     the {@linkplain Padded#valid valid} steps; tensors of the tape, to be read before the next
   *     run
   */
  public Result run(OpContext context, List<? extends Tensor> states, Padded x) {
    return context.reuse(LengthsRun.class, LengthsRun::new).run(context, this, states, x);
  }

  /**
   * {@return whether it runs sequences of different lengths: it draws no random numbers, which are
   * drawn stretch by stretch}
   */
  public boolean runsLengths() {
    return compiled.program().draws() == 0 && compiled.drops().weights().isEmpty();
  }

  /** {@return the number of phases of a step, forward} */
  public int phases() {
    return compiled.program().forward().phases().size();
  }

  /** {@return the number of values of a column that a step keeps for the backward pass} */
  public int keptRows() {
    return compiled.arrays().stream()
        .filter(
            entry ->
                entry.purpose() == Tables.Purpose.KEPT || entry.purpose() == Tables.Purpose.OPERAND)
        .mapToInt(entry -> entry.array().rows())
        .sum();
  }

  @Override
  public String toString() {
    return "compiled(%d phases, %d rows kept)".formatted(phases(), keptRows());
  }
}

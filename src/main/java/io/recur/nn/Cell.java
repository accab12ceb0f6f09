package io.recur.nn;

import io.recur.grad.Concat;
import io.recur.grad.DropConnect;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A recurrent cell: {@code state, y = cell(state, x)}. It holds weights; {@link Recur} holds the
 * state.
 *
 * <p>A cell of one's own implements {@link #step} in tensor operations and gets gradients,
 * sequences, printing and checkpoints from {@code Recur}, which compiles it as it does the built-in
 * cells. A cell of one state tensor may be a function, see {@link Recur#Recur(StepFunction,
 * Parameter, Parameter...)}.
 *
 * <pre>{@code
 * record Decay(Parameter rate, Parameter initial) implements Cell {
 *   public Step step(State state, Tensor x) {
 *     Tensor h = state.h().mul(rate).add(x);
 *     return Step.step(h, h);
 *   }
 *   public List<Parameter> state0() { return List.of(initial); }
 *   public List<Parameter> parameters() { return List.of(rate, initial); }
 * }
 * }</pre>
 */
public interface Cell {
  /** A cell with one state tensor, written as a function. */
  @FunctionalInterface
  interface StepFunction {
    /**
     * One step.
     *
     * @param h state, out × batch
     * @param x input, in × batch
     * @return the new state and the output
     */
    Step step(Tensor h, Tensor x);
  }

  /**
   * One step. It specifies the cell: {@link #run} must compute the same.
   *
   * <p>A Recur compiles it: it runs the step twice on a tape of its own, with random values, and
   * then a whole sequence as one program. A step that reads values, draws numbers of its own,
   * counts its calls, or uses an operation that has no compiled form runs step by step instead;
   * {@link Recur#explain} says why. What a trace cannot see is a step that does the same at its
   * first calls and another thing later (a counter that shows at the hundredth call, a field that a
   * user sets between calls), or that reads the memory of a parameter by {@code value()}: call
   * {@link Recur#stepwise} for such a cell.
   *
   * <p>A user who calls it with a state on no tape gives {@code state.on(tape)}; the cells of this
   * library do that by themselves.
   *
   * @param state out × batch each
   * @param x in × batch
   * @return the new state and the output
   */
  Step step(State state, Tensor x);

  /**
   * The steps of a whole sequence, one after the other. A cell that overrides it runs its own way
   * and is not compiled.
   *
   * @param state before the first step, out × batch each
   * @param x in × batch × time
   * @return the state after the last step and the outputs, out × batch × time
   */
  default Step run(State state, Tensor x) {
    Tape tape = x.tape() != null ? x.tape() : state.h().tape();
    try (var _ = tape == null ? null : DropConnect.on(tape, Map.of())) { // a mask per sequence
      List<Tensor> outputs = new ArrayList<>();
      State now = copiesState() ? state : state.on(tape);
      for (int t = 0; t < x.shape().time(); t++) {
        Step step = step(now, x.time(t));
        outputs.add(step.y());
        now = step.state();
      }
      return new Step(now, outputs.size() == 1 ? outputs.getFirst() : Concat.time(outputs));
    }
  }

  /**
   * Whether column j of the output and of the next state depends on column j of x and of the state
   * alone, besides the weights: no column of a batch then changes another one. A column of a
   * sequence is that of all its steps.
   *
   * @return false unless the cell says so
   */
  default boolean columnsAreIndependent() {
    return false;
  }

  /**
   * Whether {@link #run} copies the state that it is given, so that neither an operation that it
   * records nor its result refers to the memory of that state. A Recur copies a state that it has
   * kept without history before it passes it to a cell that does not.
   *
   * @return false unless the cell says so
   */
  default boolean copiesState() {
    return false;
  }

  /**
   * The state before the first step: one parameter per part, each out × 1 and repeated over the
   * batch, or out × B for a fixed batch.
   *
   * @return the initial state, trainable where its parameters are
   */
  List<Parameter> state0();

  /**
   * All parameters, the initial state included.
   *
   * @return in the order in which they are counted, saved and seeded
   */
  List<Parameter> parameters();
}

package io.recur.io.keras;

import static io.recur.grad.Functions.apply;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Matrix;
import io.recur.nn.StackedCell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An LSTM or a GRU with Keras's {@code activation} in place of tanh and its {@code
 * recurrent_activation} in place of the sigmoid. It has the parameters of a built-in cell.
 */
final class GatedCell implements Cell {
  private final StackedCell plain;
  private final Matrix wi;
  private final Matrix wh;
  private final Parameter b;
  private final @Nullable Parameter bh;
  private final @Nullable Matrix whCandidate;
  private final Elementwise activation;
  private final Elementwise recurrent;

  /**
   * A cell over the parameters of a built-in one.
   *
   * @param bh the recurrent bias of a GRU's candidate, or null
   * @param whCandidate the matrix behind the reset gate of a GRUv3Cell, or null
   */
  GatedCell(
      StackedCell plain,
      Parameter b,
      @Nullable Parameter bh,
      @Nullable Matrix whCandidate,
      Elementwise activation,
      Elementwise recurrent) {
    this.plain = plain;
    this.wi = plain.matrices().getFirst();
    this.wh = plain.matrices().getLast();
    this.b = b;
    this.bh = bh;
    this.whCandidate = whCandidate;
    this.activation = activation;
    this.recurrent = recurrent;
  }

  @Override
  public Step step(State given, Tensor x) {
    State state = given.on(x.tape());
    return plain instanceof LSTMCell ? lstm(state, x) : gru(state.h(), x);
  }

  private Step lstm(State state, Tensor x) {
    Tensor sums = wi.times(x).add(wh.times(state.h())).add(b);
    Tensor input = apply(recurrent, gate(sums, 0));
    Tensor forget = apply(recurrent, gate(sums, 1));
    Tensor candidate = apply(activation, gate(sums, 2));
    Tensor output = apply(recurrent, gate(sums, 3));
    Tensor c = forget.mul(state.c()).add(input.mul(candidate));
    Tensor h = output.mul(apply(activation, c));
    return new Step(State.of(h, c), h);
  }

  private Step gru(Tensor h, Tensor x) {
    Tensor fromInput = wi.times(x).add(b);
    Tensor fromState = wh.times(h);
    Tensor reset = apply(recurrent, gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor update = apply(recurrent, gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor candidate = apply(activation, gate(fromInput, 2).add(behind(reset, fromState, h)));
    Tensor next = candidate.sub(update.mul(candidate)).add(update.mul(h));
    return Step.step(next, next);
  }

  /** What the reset gate lets through. */
  private Tensor behind(Tensor reset, Tensor fromState, Tensor h) {
    if (whCandidate != null) {
      return whCandidate.times(reset.mul(h));
    }
    Tensor product = gate(fromState, 2);
    return reset.mul(bh == null ? product : product.add(bh));
  }

  private Tensor gate(Tensor stacked, int k) {
    int units = wh.columns();
    return stacked.rows(k * units, (k + 1) * units);
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public List<Parameter> state0() {
    return plain.state0();
  }

  @Override
  public List<Parameter> parameters() {
    return plain.parameters();
  }

  @Override
  public String toString() {
    String sizes = plain.toString();
    return "%s, %s, %s)"
        .formatted(sizes.substring(0, sizes.length() - 1), activation.label(), recurrent.label());
  }
}

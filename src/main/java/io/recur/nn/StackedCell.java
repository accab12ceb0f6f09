package io.recur.nn;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A built-in cell: the weights {@code Wi} (kH × in) and {@code Wh}, whose rows are k stacked gates,
 * the bias {@code b} (kH), and the initial state (H × 1 each).
 *
 * <pre>{@code
 * StackedCell cell = new LSTMCell(10, 15);
 * int values = cell.parameters().getFirst().shape().count();   // Wi: 60×10
 * }</pre>
 */
public abstract sealed class StackedCell implements Cell
    permits RNNCell, LSTMCell, GRUCell, GRUv3Cell {
  final Matrix wi;
  final Matrix wh;
  final Parameter b;
  final List<Parameter> state0;
  private final List<Parameter> parameters;
  final int units;

  StackedCell(
      int gates,
      int recurrentGates,
      Matrix wi,
      Matrix wh,
      List<Parameter> extra,
      Parameter b,
      Parameter... state0) {
    this.wi = wi;
    this.wh = wh;
    this.b = b;
    this.state0 = List.of(state0);
    this.units = wh.columns();
    long rows = (long) gates * units;
    if (wh.rows() != (long) recurrentGates * units
        || wi.rows() != rows
        || b.shape().count() != rows) {
      throw new ShapeException(
          "%s: Wi=%d×%d, Wh=%d×%d, b=%s; need Wh %d·d × d, then Wi %d·d × N and b %d·d, with d=%d"
              .formatted(
                  label(),
                  wi.rows(),
                  wi.columns(),
                  wh.rows(),
                  wh.columns(),
                  b.shape(),
                  recurrentGates,
                  gates,
                  gates,
                  units));
    }
    for (Parameter part : state0) {
      if (part.shape().rows() != units || part.shape().columns() != 1) {
        throw new ShapeException(
            "%s: state0=%s, Wh=%d×%d; need state0 %d×1"
                .formatted(label(), part.shape(), wh.rows(), wh.columns(), units));
      }
    }
    List<Parameter> all = new ArrayList<>(List.of(wi.values(), wh.values()));
    all.addAll(extra);
    all.add(b);
    all.addAll(this.state0);
    this.parameters = List.copyOf(all);
    wi.values().named("Wi");
    wh.values().named("Wh");
    b.named("b");
  }

  /**
   * The rows of stacked gates. Refuses sizes whose weights have more values than a shape can count.
   */
  static int stacked(String label, int gates, int in, int out) {
    double rows = (double) gates * out; // a long might overflow in the product
    if (in < 1 || out < 1 || rows * Math.max(in, out) > Integer.MAX_VALUE) {
      throw new ShapeException(
          "%s: in=%d, out=%d, Wi %.0f×%d and Wh of %.0f×%d; need 1 or more, at most %d values in each"
              .formatted(label, in, out, rows, in, rows, out, Integer.MAX_VALUE));
    }
    return gates * out;
  }

  /** A state of zeros, one column. */
  static Parameter zeroState(int units, String name) {
    return Parameter.zeros(Shape.of(units, 1)).named(name);
  }

  /** The name as a model prints it. */
  abstract String label();

  /** The text after the sizes in a printed model. */
  String details() {
    List<String> kinds = new ArrayList<>();
    if (!wi.kind().isEmpty()) {
      kinds.add(", Wi " + wi.kind());
    }
    if (!wh.kind().isEmpty()) {
      kinds.add(", Wh " + wh.kind());
    }
    return String.join("", kinds);
  }

  /** {@return Wi and Wh} */
  public final List<Matrix> matrices() {
    return List.of(wi, wh);
  }

  @Override
  public final boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public List<Parameter> state0() {
    return state0;
  }

  @Override
  public List<Parameter> parameters() {
    return parameters;
  }

  /**
   * The state on the tape of x. Refuses an input or a state of the wrong size before anything is
   * computed.
   */
  final State check(State state, Tensor x) {
    List<Tensor> parts = state.parts();
    if (x.shape().rows() != wi.columns()) {
      throw new ShapeException(
          "%s: x=%s; need %d rows: x is features × batch × time, and of rank 2 a batch"
              .formatted(this, x.shape(), wi.columns()));
    }
    for (int i = 0; i < parts.size(); i++) {
      Tensor part = parts.get(i);
      if (part.shape().rows() != units || part.shape().columns() != x.shape().batch()) {
        throw new ShapeException(
            "%s: state=%s, x=%s; need a state of %d×%d"
                .formatted(this, part.shape(), x.shape(), units, x.shape().batch()));
      }
    }
    if (parts.size() != state0.size()) {
      throw new ShapeException(
          "%s: a state of %d tensors; need %d".formatted(this, parts.size(), state0.size()));
    }
    return state.on(x.tape());
  }

  /** No parameter or one. */
  static List<Parameter> optional(@Nullable Parameter parameter) {
    return parameter == null ? List.of() : List.of(parameter);
  }

  /** Names the bias of the recurrent product; refuses one of other lengths. */
  final void checkRecurrentBias(@Nullable Parameter bh, int... lengths) {
    if (bh == null) {
      return;
    }
    int found = bh.shape().count();
    if (Arrays.stream(lengths).noneMatch(length -> length == found)) {
      throw new ShapeException(
          "%s: bh=%s, Wh=%s; need bh %s"
              .formatted(
                  label(),
                  bh.shape(),
                  wh,
                  Arrays.stream(lengths)
                      .mapToObj(Integer::toString)
                      .collect(Collectors.joining(" or "))));
    }
    bh.named("bh");
  }

  /** {@code Wi·x + (Wh·h + bh) + b}, without bh where it is null. */
  final Tensor sums(Tensor x, Tensor h, @Nullable Parameter bh) {
    Tensor fromInput = wi.times(x);
    Tensor fromState = wh.times(h);
    return fromInput.add(bh == null ? fromState : fromState.add(bh)).add(b);
  }

  /** The rows of gate number k. */
  final Tensor gate(Tensor stacked, int k) {
    return stacked.rows(k * units, (k + 1) * units);
  }

  @Override
  public final String toString() {
    return label() + "(" + wi.columns() + " => " + units + details() + ")";
  }
}

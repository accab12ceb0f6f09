package io.recur.io.layers;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent operator as ONNX defines it, with any functions, clip, peepholes and coupled gates.
 * Keras's LSTM and GRU with other functions are such cells too. Where a built-in cell computes the
 * same, that one is used.
 *
 * @param rule what one direction computes
 * @param weights parameters, or tensors of the tape where the graph computes them
 * @param state0 units × 1 each
 */
public record EquationCell(Rule rule, Weights weights, List<Parameter> state0) implements Cell {
  /**
   * What the attributes of a node say of one direction.
   *
   * @param kind the operator
   * @param units the size of its state
   * @param functions f, g and h, as many as the kind has
   * @param clip the bound of what enters a function; ∞ for none
   * @param isCoupled whether the forget gate is 1 − the input gate
   * @param isResetAfter whether the reset gate multiplies the candidate's recurrent part after its
   *     product, linear_before_reset
   */
  public record Rule(
      RecurrentKind kind,
      int units,
      List<Activation> functions,
      float clip,
      boolean isCoupled,
      boolean isResetAfter) {
    private Tensor apply(int function, Tensor x) {
      Tensor bounded = clip < Float.POSITIVE_INFINITY ? x.clamp(-clip, clip) : x;
      return functions.get(function).of(bounded);
    }
  }

  /**
   * The weights of one direction, gates in ONNX's order.
   *
   * @param wi gates·units × in
   * @param wh gates·units × units; of a GRU that resets before the product the gates z and r alone
   * @param whCandidate units × units, of such a GRU
   * @param b gates·units, the sum of both biases but for a GRU's that resets after the product
   * @param bh units, of such a GRU
   * @param peepholes of an LSTM that has some units each, in the order i o f
   */
  public record Weights(
      Tensor wi,
      Tensor wh,
      @Nullable Tensor whCandidate,
      @Nullable Tensor b,
      @Nullable Tensor bh,
      List<Tensor> peepholes) {}

  public EquationCell {
    check(rule, weights, state0);
    name(weights.wi, "Wi");
    name(weights.wh, "Wh");
    name(weights.whCandidate, "Whc");
    name(weights.b, "b");
    name(weights.bh, "bh");
    for (int k = 0; k < weights.peepholes.size(); k++) {
      name(weights.peepholes.get(k), "P" + "iof".charAt(k));
    }
    name(state0.getFirst(), "h0");
    if (state0.size() > 1) {
      name(state0.getLast(), "c0");
    }
  }

  private static void check(Rule rule, Weights weights, List<Parameter> state0) {
    RecurrentKind kind = rule.kind;
    int units = rule.units;
    int rows = kind.gates() * units;
    boolean isResetBefore = kind == RecurrentKind.GRU && !rule.isResetAfter;
    boolean fits =
        rule.functions.size() == kind.functions()
            && weights.wi.shape().rows() == rows
            && is(weights.wh, isResetBefore ? 2 * units : rows, units)
            && (weights.whCandidate == null
                ? !isResetBefore
                : isResetBefore && is(weights.whCandidate, units, units))
            && (weights.b == null || weights.b.shape().count() == rows)
            && (weights.bh == null || weights.bh.shape().count() == units)
            && (weights.peepholes.isEmpty() || weights.peepholes.size() == 3)
            && weights.peepholes.stream().allMatch(peephole -> peephole.shape().count() == units)
            && state0.size() == kind.states()
            && state0.stream().allMatch(state -> is(state, units, 1));
    if (!fits) {
      throw new ShapeException(
          "%s of %d units, functions %s, %s, state0 %s: the parts do not fit each other"
              .formatted(kind, units, rule.functions, weights, state0));
    }
  }

  private static boolean is(Tensor matrix, int rows, int columns) {
    return matrix.shape().rows() == rows && matrix.shape().columns() == columns;
  }

  private static void name(@Nullable Tensor weight, String name) {
    if (weight instanceof Parameter parameter) {
      parameter.named(name);
    }
  }

  @Override
  public Step step(State given, Tensor x) {
    State state = given.on(x.tape());
    return switch (rule.kind) {
      case RNN -> rnn(state.h(), x);
      case GRU -> gru(state.h(), x);
      case LSTM -> lstm(state.h(), state.c(), x);
    };
  }

  /** {@code h' = f(Wi·x + Wh·h + b)}. */
  private Step rnn(Tensor h, Tensor x) {
    Tensor next = rule.apply(0, fromInput(x).add(weights.wh.matmul(h)));
    return Step.step(next, next);
  }

  /** {@code h' = (1 − z)∘h̃ + z∘h}. */
  private Step gru(Tensor h, Tensor x) {
    Tensor fromInput = fromInput(x);
    Tensor fromState = weights.wh.matmul(h);
    Tensor update = rule.apply(0, gate(fromInput, 0).add(gate(fromState, 0)));
    Tensor reset = rule.apply(0, gate(fromInput, 1).add(gate(fromState, 1)));
    Tensor recurrent;
    if (rule.isResetAfter) {
      Tensor product = gate(fromState, 2);
      recurrent = reset.mul(weights.bh == null ? product : product.add(weights.bh));
    } else {
      recurrent = candidate().matmul(reset.mul(h));
    }
    Tensor candidate = rule.apply(1, gate(fromInput, 2).add(recurrent));
    Tensor next = candidate.sub(update.mul(candidate)).add(update.mul(h));
    return Step.step(next, next);
  }

  private Tensor candidate() {
    if (weights.whCandidate == null) {
      throw new IllegalStateException("a GRU that resets before its product has Wh̃");
    }
    return weights.whCandidate;
  }

  /** {@code c' = f∘c + i∘g}, {@code h' = o∘h(c')}; the last function has no clip. */
  private Step lstm(Tensor h, Tensor c, Tensor x) {
    Tensor sums = fromInput(x).add(weights.wh.matmul(h));
    Tensor input = rule.apply(0, seeing(gate(sums, 0), 0, c));
    Tensor forget = rule.isCoupled ? input.rsub(1) : rule.apply(0, seeing(gate(sums, 2), 2, c));
    Tensor cell = rule.apply(1, gate(sums, 3));
    Tensor nextC = forget.mul(c).add(input.mul(cell));
    Tensor output = rule.apply(0, seeing(gate(sums, 1), 1, nextC));
    Tensor nextH = output.mul(rule.functions.get(2).of(nextC));
    return new Step(State.of(nextH, nextC), nextH);
  }

  /** The sums of a gate with its peephole number k. */
  private Tensor seeing(Tensor sums, int k, Tensor c) {
    return weights.peepholes.isEmpty() ? sums : sums.add(c.mul(weights.peepholes.get(k)));
  }

  private Tensor fromInput(Tensor x) {
    Tensor product = weights.wi.matmul(x);
    return weights.b == null ? product : product.add(weights.b);
  }

  private Tensor gate(Tensor stacked, int k) {
    return stacked.rows(k * rule.units, (k + 1) * rule.units);
  }

  /** {@return the same with memory for state0} */
  public EquationCell on(Device device) {
    state0.forEach(part -> part.on(device));
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    Stream.of(weights.wi, weights.wh, weights.whCandidate, weights.bh, weights.b)
        .filter(Parameter.class::isInstance)
        .forEach(weight -> all.add((Parameter) weight));
    weights.peepholes.stream()
        .filter(Parameter.class::isInstance)
        .forEach(peephole -> all.add((Parameter) peephole));
    all.addAll(state0);
    return all;
  }

  @Override
  public String toString() {
    return "%sEquations(%d => %d, %s%s%s)"
        .formatted(
            rule.kind,
            weights.wi.shape().columns(),
            rule.units,
            rule.functions.stream().map(Activation::label).collect(Collectors.joining(", ")),
            rule.clip < Float.POSITIVE_INFINITY ? ", clip=" + rule.clip : "",
            rule.isCoupled ? ", coupled" : "");
  }
}

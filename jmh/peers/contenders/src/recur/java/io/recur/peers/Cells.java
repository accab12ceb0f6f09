package io.recur.peers;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.nn.cells.LRUCell;
import io.recur.nn.cells.LayerNormLSTMCell;
import io.recur.nn.cells.LiGRUCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.MinGRUCell;
import io.recur.nn.cells.PeepholeLSTMCell;
import io.recur.nn.cells.UGRNNCell;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The cells of {@link Recurrence}: of the library, or of a user who writes their equations. */
final class Cells {
  private final int units;
  private final Function<String, Parameter> arrays;
  private final List<Parameter> weights = new ArrayList<>();

  private Cells(int units, Function<String, Parameter> arrays) {
    this.units = units;
    this.arrays = arrays;
  }

  /**
   * A cell.
   *
   * @param name of a {@link Recurrence}
   * @param units length of h
   * @param arrays gives the parameter of an array, by its name in the recurrence
   */
  static Cell of(String name, int units, Function<String, Parameter> arrays) {
    return new Cells(units, arrays).named(name);
  }

  private Cell named(String name) {
    return switch (name) {
      case Recurrence.LSTM -> new LSTMCell(matrix("Wi"), matrix("Wh"), array("b"), zero(), zero());
      case Recurrence.GRU ->
          new GRUCell(matrix("Wi"), matrix("Wh"), array("b"), array("bh"), zero());
      case "RNN" -> new RNNCell(Elementwise.TANH, matrix("Wi"), matrix("Wh"), array("b"), zero());
      case Recurrence.OWN_GRU -> ownGru();
      case Recurrence.UGRNN -> new UGRNNCell(matrix("Wi"), matrix("Wh"), array("b"), zero());
      case Recurrence.MGU ->
          new MGUCell(matrix("Wi"), matrix("Wh"), matrix("Whc"), array("b"), zero());
      case Recurrence.LIGRU ->
          new LiGRUCell(matrix("Wi"), matrix("Wh"), array("g"), array("b"), zero());
      case Recurrence.PEEPHOLE ->
          new PeepholeLSTMCell(
              matrix("Wi"),
              matrix("Wh"),
              array("pi"),
              array("pf"),
              array("po"),
              array("b"),
              zero(),
              zero());
      case Recurrence.LAYER_NORM ->
          new LayerNormLSTMCell(
              matrix("Wi"),
              matrix("Wh"),
              array("gi"),
              array("gh"),
              array("b"),
              array("gc"),
              array("bc"),
              zero(),
              zero());
      case Recurrence.MIN_GRU -> new MinGRUCell(matrix("Wi"), array("b"), zero());
      case Recurrence.MIN_GRU_SCAN -> minGruScan();
      case Recurrence.LRU ->
          new LRUCell(
              matrix("B"),
              matrix("Cr"),
              matrix("Ci"),
              Matrix.diagonal(array("D")),
              array("nu"),
              array("theta"),
              array("gamma"),
              zero(),
              zero());
      case Recurrence.LRU_SCAN -> lruScan();
      default -> throw new IllegalArgumentException("no cell is called " + name);
    };
  }

  /** A cell of a user's own. */
  private record Own(
      List<Parameter> weights, List<Parameter> state0, BiFunction<State, Tensor, Step> equations)
      implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return equations.apply(state, x);
    }

    @Override
    public List<Parameter> parameters() {
      List<Parameter> all = new ArrayList<>(weights);
      all.addAll(state0);
      return all;
    }
  }

  private Cell own(BiFunction<State, Tensor, Step> equations) {
    return new Own(List.copyOf(weights), List.of(zero()), equations);
  }

  private Cell ownOfTwo(BiFunction<State, Tensor, Step> equations) {
    return new Own(List.copyOf(weights), List.of(zero(), zero()), equations);
  }

  private Parameter array(String name) {
    Parameter weight = arrays.apply(name);
    weights.add(weight);
    return weight;
  }

  private Matrix matrix(String name) {
    return Matrix.dense(array(name));
  }

  private Parameter zero() {
    return Parameter.zeros(Shape.of(units, 1));
  }

  private Tensor gate(Tensor stacked, int k) {
    return stacked.rows(k * units, (k + 1) * units);
  }

  /** (1 − z)∘a + z∘b. */
  private static Tensor between(Tensor a, Tensor b, Tensor z) {
    return a.add(z.mul(b.sub(a)));
  }

  private Cell ownGru() {
    Matrix wi = matrix("Wi");
    Matrix wh = matrix("Wh");
    Parameter b = array("b");
    Parameter bh = array("bh");
    return own(
        (state, x) -> {
          Tensor h = state.h();
          Tensor fromInput = wi.times(x).add(b);
          Tensor fromState = wh.times(h);
          Tensor reset = sigmoid(gate(fromInput, 0).add(gate(fromState, 0)));
          Tensor update = sigmoid(gate(fromInput, 1).add(gate(fromState, 1)));
          Tensor candidate = tanh(gate(fromInput, 2).add(reset.mul(gate(fromState, 2).add(bh))));
          Tensor next = between(candidate, h, update);
          return Step.step(next, next);
        });
  }

  /** h' = a∘h + b, where x is [a; b]. */
  private Cell minGruScan() {
    return own(
        (state, x) -> {
          Tensor next = gate(x, 0).mul(state.h()).add(gate(x, 1));
          return Step.step(next, next);
        });
  }

  /** λ∘h + u of real and imaginary parts one after the other, where x is u. */
  private Cell lruScan() {
    Parameter re = array("re");
    Parameter im = array("im");
    return ownOfTwo(
        (state, x) -> {
          Tensor a = state.h();
          Tensor b = state.c();
          Tensor nextRe = re.mul(a).sub(im.mul(b)).add(gate(x, 0));
          Tensor nextIm = im.mul(a).add(re.mul(b)).add(gate(x, 1));
          return new Step(State.of(nextRe, nextIm), Concat.rows(nextRe, nextIm));
        });
  }
}

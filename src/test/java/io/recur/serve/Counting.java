package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Arrays;
import java.util.List;

/** Counts its steps in every value of its state, and gives them all: a mixed state shows. */
record Counting(Parameter a, Parameter b) implements Cell {
  private static final int ROWS = 200;

  private Counting() {
    this(Parameter.zeros(Shape.of(ROWS, 1)), Parameter.zeros(Shape.of(ROWS, 1)));
  }

  static Recur recur() {
    return new Recur(new Counting());
  }

  /** One more step. */
  static Request request() {
    float[] ones = new float[ROWS];
    Arrays.fill(ones, 1);
    return Request.of(ones);
  }

  /** The steps that an answer has counted. Fails unless all values have counted the same. */
  static int count(float... answer) {
    assertEquals(2 * ROWS, answer.length);
    for (float value : answer) {
      assertEquals(answer[0], value, "a state of two moments");
    }
    return (int) answer[0];
  }

  @Override
  public Step step(State state, Tensor x) {
    State next = State.of(state.h().add(x), state.c().add(x));
    return new Step(next, Concat.rows(next.h(), next.c()));
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public List<Parameter> state0() {
    return List.of(a, b);
  }

  @Override
  public List<Parameter> parameters() {
    return state0();
  }
}

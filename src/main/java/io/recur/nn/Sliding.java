package io.recur.nn;

import io.recur.grad.OneHot;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model with a sliding truncation: the gradients of each step reach back over the last k steps.
 *
 * <p>It keeps the states of k steps ago and the last k inputs off the tape. Each step runs the k
 * inputs again on the present tape, from those states: k forward steps per call, for all Recurs of
 * the model at once. Gradients are bit for bit those of these k calls from those states. A step on
 * a tape that does not record runs once.
 *
 * <pre>{@code
 * Sliding sliding = model.slide(20);
 * for (Tensor step : steps) {
 *   Tensor scores = sliding.apply(step);
 *   tape.backward(scores.sum());
 *   adam.step(model.parameters());
 *   sliding.truncate();          // the tape may be cleared; the window stays
 *   tape.clear();
 * }
 * }</pre>
 *
 * <p>Until k steps have run since a reset, the gradient reaches state0. After the states were
 * changed by other means, such as {@link #restore} or a step of the model itself, a new window
 * begins with the present states. So does the window of a fork.
 */
public final class Sliding implements Layer {
  private final Layer model;
  private final int k;
  private final List<Recur> recurs;

  private final AllOrNone states;

  /** The inputs before the last one, the oldest first: k − 1 at most. */
  private final List<Input> window = new ArrayList<>();

  /** The last input, which the window takes when the next step begins. */
  private Input last = new Input();

  /** The states before the first input of the window. */
  private List<HeldState> first = List.of();

  /** Those after it. */
  private List<HeldState> second = List.of();

  /** The numbers of the states before the last step and after it. */
  private long[] before = {};

  private long[] after = {};

  Sliding(Layer model, int k) {
    if (k < 1) {
      throw new IllegalArgumentException("slide: k=" + k + "; need 1 or more steps");
    }
    if (Bidirectional.isIn(model)) {
      throw new IllegalArgumentException(
          """
          slide: %s has a layer of two directions; its backward direction needs the steps that \
          follow, and a window moves by one step: give the model itself whole sequences"""
              .formatted(model.describe()));
    }
    this.model = model;
    this.k = k;
    this.recurs = model.recurs();
    this.states = new AllOrNone(model);
  }

  /**
   * Runs one step, and the steps before it within the window.
   *
   * @param x a vector or a batch
   * @return the output of this step
   * @throws ShapeException if x is a sequence or does not fit the model
   * @throws IllegalStateException if another thread is inside a Recur of the model or the tape
   */
  @Override
  public Tensor apply(Tensor x) {
    if (x.shape().time() != 1) {
      throw new ShapeException(
          "slide: x=%s; need one step, of a sequence x.time(t)".formatted(x.shape()));
    }
    Tape tape = x.tape();
    if (tape == null || !tape.isRecording()) {
      return states.apply(x, model::apply);
    }
    try (var _ = tape.enter()) {
      return states.call(() -> step(tape, x));
    }
  }

  /**
   * Refuses sequences: a window moves by one step.
   *
   * @param x sequences
   * @return nothing
   * @throws ShapeException always
   */
  @Override
  public Padded apply(Padded x) {
    throw new ShapeException(
        "slide: x=%s with lengths; need one step, of sequences without lengths x.time(t)"
            .formatted(x.shape()));
  }

  private Tensor step(Tape tape, Tensor x) {
    if (model.keepsBatch()) {
      recurs.forEach(recur -> recur.checkBatch(x.shape().batch()));
    }
    follow();
    before = changes();
    after = before;
    Tensor y = run(tape, x);
    last.take(x);
    after = changes();
    return y;
  }

  /**
   * Has the window follow the states: it slides where they are those after the last step, stays
   * where that step failed, also as a part of a larger model, and begins anew elsewhere.
   */
  private void follow() {
    long[] now = changes();
    if (after.length == 0) {
      first = twins();
      second = twins();
      copy(states(recurs), first);
    } else if (Arrays.equals(now, before)) {
      return;
    } else if (Arrays.equals(now, after)) {
      slide();
    } else {
      window.forEach(Input::close);
      window.clear();
      copy(states(recurs), first);
    }
  }

  private Tensor run(Tape tape, Tensor x) {
    copy(first, states(recurs));
    for (int i = 0; i < window.size(); i++) {
      model.apply(window.get(i).on(tape));
      if (i == 0) {
        copy(states(recurs), second);
      }
    }
    Tensor y = model.apply(x);
    if (window.isEmpty()) {
      copy(states(recurs), second);
    }
    return y;
  }

  /** Takes the last input into the window; from a full one the oldest leaves. */
  private void slide() {
    boolean isFull = window.size() == k - 1;
    window.add(last);
    last = isFull ? window.removeFirst() : new Input();
    if (isFull) {
      List<HeldState> next = second;
      second = first;
      first = next;
    }
  }

  private List<HeldState> twins() {
    return recurs.stream().map(recur -> recur.held().fresh()).toList();
  }

  private static List<HeldState> states(List<Recur> recurs) {
    return recurs.stream().map(Recur::held).toList();
  }

  private static void copy(List<HeldState> from, List<HeldState> to) {
    for (int i = 0; i < from.size(); i++) {
      try (var _ = from.get(i).enterTape();
          var _ = to.get(i).enterTape()) {
        to.get(i).copyFrom(from.get(i));
      }
    }
  }

  private long[] changes() {
    long[] changes = new long[recurs.size()];
    for (int i = 0; i < changes.length; i++) {
      changes[i] = recurs.get(i).held().changes;
    }
    return changes;
  }

  /** An input off the tape. */
  private static final class Input {
    private final Kept memory = new Kept();
    private @Nullable Shape shape;
    private int @Nullable [] index;
    private @Nullable State values;

    void take(Tensor x) {
      shape = x.shape();
      index = x instanceof OneHot hot ? hot.indexes() : null;
      values = index == null ? memory.copy(State.of(x)) : null;
    }

    Tensor on(Tape tape) {
      return index != null ? tape.oneHot(shape, index) : tape.use(values.h()).reshape(shape);
    }

    void close() {
      memory.giveBack();
    }
  }

  /** Closes the model too. */
  @Override
  public void close() {
    Layer.super.close();
    window.forEach(Input::close);
    window.clear();
    last.close();
    first.forEach(HeldState::close);
    second.forEach(HeldState::close);
  }

  @Override
  public List<Layer> layers() {
    return List.of(model);
  }

  @Override
  public Sliding fork() {
    return (Sliding) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    return new Sliding(fork.of(model), k);
  }

  /** Whether those of the model are. */
  @Override
  public boolean columnsAreIndependent() {
    return model.columnsAreIndependent();
  }

  /** Whether the model does. */
  @Override
  public boolean keepsBatch() {
    return model.keepsBatch();
  }

  @Override
  public String describe() {
    return "Sliding(" + k + ")";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}

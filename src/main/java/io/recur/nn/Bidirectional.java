package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Two Recurs over one sequence, the second one from its end to its begin: {@code y[:,t] =
 * merge(forward(x)[:,t], backward(reversed x)[:,T−1−t])}.
 *
 * <p>x is in × B × T; y is (out + out′) × B × T where the outputs are concatenated, those of the
 * forward Recur first, and out × B × T where they are summed or averaged. Schuster and Paliwal
 * 1997; concatenated it is PyTorch's {@code bidirectional=True}.
 *
 * <p>The forward direction carries its state from call to call, as every Recur does. The backward
 * one begins each call from its state0, since what precedes it comes later: a chunk of a longer
 * sequence sees no further than its own end. So a stream cannot be run step by step: one step of a
 * layer that is not fresh throws.
 *
 * <pre>{@code
 * Chain tagger = chain(bidirectional(lstm(10, 15), lstm(10, 15)), dense(30, 5)).on(device, 42);
 * Bidirectional sums = bidirectional(gru(10, 15), gru(10, 15), Bidirectional.Merge.SUM);
 * }</pre>
 */
public final class Bidirectional implements Layer {
  /** How the outputs of the two directions become one. */
  public enum Merge {
    /** The rows of the forward direction above those of the backward one. */
    CONCATENATE,
    /** Their sum. */
    SUM,
    /** Half their sum. */
    MEAN
  }

  private final Recur forward;
  private final Recur backward;
  private final Merge merge;
  private final List<Recur> recurs;
  private final AllOrNone states;

  /**
   * A layer of two directions.
   *
   * @param forward runs from the first step on
   * @param backward runs from the last step back; of the same in, and of the same out unless the
   *     outputs are concatenated
   * @param merge how their outputs become one
   * @throws IllegalArgumentException if both are one Recur, or the backward one has no state0
   */
  public Bidirectional(Recur forward, Recur backward, Merge merge) {
    this(forward, backward, merge, null);
  }

  private Bidirectional(Recur forward, Recur backward, Merge merge, @Nullable AllOrNone of) {
    if (forward == backward) {
      throw new IllegalArgumentException(
          "bidirectional: forward and backward are one Recur, with one state; give two,"
              + " such as new Recur(cell) twice where they share the weights");
    }
    if (!backward.held().hasState0()) {
      throw new IllegalArgumentException(
          "bidirectional: backward=%s has no state0; it begins each call from there"
              .formatted(backward.describe()));
    }
    this.forward = forward;
    this.backward = backward;
    this.merge = Objects.requireNonNull(merge, "merge");
    this.recurs = List.of(forward, backward);
    this.states = of == null ? new AllOrNone(this) : of.of(this);
  }

  /** {@return the Recur that runs from the first step on; its state is that after the last step} */
  public Recur forward() {
    return forward;
  }

  /**
   * {@return the Recur that runs from the last step back; its state is that after the first step}
   */
  public Recur backward() {
    return backward;
  }

  /** {@return how the outputs of the two directions become one} */
  public Merge merge() {
    return merge;
  }

  /**
   * {@inheritDoc}
   *
   * @throws ShapeException if x does not fit, or outputs of different sizes are to be summed; no
   *     state has then changed
   * @throws IllegalStateException if x is one step and this layer is not fresh, with nothing
   *     changed; or if another thread is inside one of the Recurs or the tape
   */
  @Override
  public Tensor apply(Tensor x) {
    return states.apply(x, this::both);
  }

  private Tensor both(Tensor x) {
    begin(x.shape());
    Tensor back = backward.apply(x.reversed()).reversed(); // first: it keeps nothing if it fails
    return merged(forward.apply(x), back);
  }

  /**
   * {@inheritDoc} The backward direction runs each sequence from its own last step.
   *
   * @throws ShapeException if x does not fit, or outputs of different sizes are to be summed; no
   *     state has then changed
   * @throws IllegalStateException if x has one step and this layer is not fresh, with nothing
   *     changed; or if another thread is inside one of the Recurs or the tape
   */
  @Override
  public Padded apply(Padded x) {
    return states.apply(x, this::both);
  }

  /** Refuses what the forward direction would, and begins the backward one. */
  private void begin(Shape x) {
    checkSteps(x.time());
    forward.checkBatch(x.batch());
    backward.reset();
  }

  private Padded both(Padded x) {
    begin(x.shape());
    Padded back = backward.apply(x.reversed()).reversed();
    return forward.apply(x).map(there -> merged(there, back.valid()));
  }

  /** Refuses one step of a stream. */
  void checkSteps(int time) {
    if (time == 1 && !forward.isFresh()) {
      throw new IllegalStateException(
          """
          bidirectional: x is one step and the forward state is not fresh; the backward direction \
          of a stream needs the steps that follow, so give it a whole sequence or chunk at once, \
          or call reset() where a sequence of one step begins""");
    }
  }

  private Tensor merged(Tensor there, Tensor back) {
    if (merge == Merge.CONCATENATE) {
      return Concat.rows(there, back);
    }
    if (!there.shape().equals(back.shape())) {
      throw new ShapeException(
          "bidirectional: forward gives %s, backward %s; need equal sizes, or concatenate them"
              .formatted(there.shape(), back.shape()));
    }
    Tensor sum = there.add(back);
    return merge == Merge.SUM ? sum : sum.scale(0.5f);
  }

  /**
   * Runs the steps of one sequence, or each of several sequences in turn.
   *
   * @param sequence T inputs of one step each, which are run as one sequence; or sequences
   * @return T outputs
   */
  @Override
  public List<Tensor> over(List<Tensor> sequence) {
    return states.call(() -> over(this, sequence));
  }

  /** Whether a layer is one of two directions or has one inside. */
  static boolean isIn(Layer layer) {
    return layer.all().stream().anyMatch(Bidirectional.class::isInstance);
  }

  /** Runs a layer on each input in turn; one that sees the steps to come on steps as a sequence. */
  static List<Tensor> over(Layer layer, List<Tensor> sequence) {
    if (!isIn(layer)
        || sequence.isEmpty()
        || sequence.stream().anyMatch(x -> x.shape().time() > 1)) {
      return sequence.stream().map(layer::apply).toList();
    }
    Tensor y = layer.apply(Concat.time(sequence));
    Shape step = sequence.getFirst().shape().withRows(y.shape().rows());
    return IntStream.range(0, y.shape().time()).mapToObj(t -> y.time(t).reshape(step)).toList();
  }

  @Override
  public List<Layer> layers() {
    return List.of(forward, backward);
  }

  @Override
  public List<Recur> recurs() {
    return recurs;
  }

  @Override
  public Bidirectional on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public Bidirectional fork() {
    return (Bidirectional) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    return new Bidirectional((Recur) fork.of(forward), (Recur) fork.of(backward), merge, states);
  }

  /** Whether those of both directions are. */
  @Override
  public boolean columnsAreIndependent() {
    return forward.columnsAreIndependent() && backward.columnsAreIndependent();
  }

  @Override
  public boolean keepsBatch() {
    return true;
  }

  @Override
  public String describe() {
    return switch (merge) {
      case CONCATENATE -> "Bidirectional";
      case SUM -> "Bidirectional(sum)";
      case MEAN -> "Bidirectional(mean)";
    };
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}

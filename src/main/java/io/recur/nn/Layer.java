package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A part of a model: a function of tensors with parameters, other layers inside, and perhaps state.
 *
 * <p>A layer of one's own implements {@link #apply}, {@link #own} if it has parameters, and {@link
 * #columnsAreIndependent} if they are. A container lists its parts in {@link #layers}, copies
 * itself in {@link #fork(Fork)}, and runs through {@link AllOrNone}: an input that one of its parts
 * refuses then leaves all states as they were.
 *
 * <pre>{@code
 * final class Residual implements Layer {
 *   private final Layer inner;
 *   private final AllOrNone states = new AllOrNone(this);
 *   Residual(Layer inner) { this.inner = inner; }
 *   public Tensor apply(Tensor x) { return states.apply(x, v -> inner.apply(v).add(v)); }
 *   public List<Layer> layers() { return List.of(inner); }
 *   public boolean columnsAreIndependent() { return inner.columnsAreIndependent(); }
 *   public Layer fork(Fork fork) { return new Residual(fork.of(inner)); }
 * }
 * }</pre>
 */
public interface Layer extends AutoCloseable {
  /**
   * Runs the layer.
   *
   * @param x a vector, a batch or sequences
   * @return of x's rank, batch and time
   */
  Tensor apply(Tensor x);

  /**
   * Runs the layer on sequences of different lengths: each has the outputs, the gradients and the
   * last state that it has alone. The state of a sequence stays where it ends; that of an empty one
   * does not change.
   *
   * <p>A layer that does not override this runs the sequences of each length together where its
   * {@linkplain #columnsAreIndependent columns are independent}, else each alone. A layer that
   * treats every step alone returns {@code x.map(this::apply)}, which is quicker.
   *
   * @param x sequences
   * @return of the same lengths
   * @throws io.recur.grad.ShapeException if x does not fit, or the layer changes the number of
   *     steps
   * @throws IllegalStateException if another thread is inside a Recur of this layer or the tape
   */
  default Padded apply(Padded x) {
    return ByLength.apply(this, x);
  }

  /**
   * Runs the layer on each input in turn; where it is {@link Bidirectional} or has such a layer
   * inside, on inputs of one step each as one sequence. Where one of them is refused, all states
   * are as they were before the first.
   *
   * @param sequence T inputs
   * @return T outputs
   */
  default List<Tensor> over(List<Tensor> sequence) {
    return new AllOrNone(this).call(() -> Bidirectional.over(this, sequence));
  }

  /** {@return the parameters of this layer without those of layers inside, in a fixed order} */
  default List<Parameter> own() {
    return List.of();
  }

  /**
   * The parameters that a call changes by itself, such as a running mean. A container gives them
   * their values back where its call fails.
   *
   * @return some of {@link #own}; the same ones at every call
   */
  default List<Parameter> running() {
    return List.of();
  }

  /**
   * The layers inside; the same ones at every call.
   *
   * @return in the order in which they run
   */
  default List<Layer> layers() {
    return List.of();
  }

  /**
   * Whether column j of the output depends on column j of the input and of the states inside alone,
   * besides the weights: no column of a batch then changes another one. A column of a sequence is
   * that of all its steps.
   *
   * @return false unless the layer says so
   */
  default boolean columnsAreIndependent() {
    return false;
  }

  /**
   * Whether the output has as many columns as the input. A {@link Chain} of such layers refuses a
   * batch that one of its Recurs does not take before another one has moved.
   *
   * @return whether its columns are independent, unless the layer says otherwise
   */
  default boolean keepsBatch() {
    return columnsAreIndependent();
  }

  /** {@return this layer's line in a printed model, such as {@code Dense(15 => 5)}} */
  default String describe() {
    return getClass().getSimpleName();
  }

  /** Gives every Recur inside its initial state back, gradient and all. */
  default void reset() {
    List<Recur> recurs = recurs();
    Together.enter(recurs);
    try {
      for (int i = 0; i < recurs.size(); i++) {
        recurs.get(i).reset();
      }
    } finally {
      Together.leave(recurs);
    }
  }

  /**
   * Gives some columns of the state of every Recur inside their initial state back, gradient and
   * all, while the other columns keep their values and their history: some sequences of a batch
   * begin. A fresh Recur stays fresh.
   *
   * @param columns each 0 ≤ column &lt; batch
   * @throws IndexOutOfBoundsException if a state has no such column; nothing has then changed
   * @throws IllegalStateException if a Recur has no state0
   */
  default void reset(int... columns) {
    Together.change(
        recurs(), state -> state.checkReset(columns), state -> state.resetColumns(columns));
  }

  /**
   * Gives every Recur inside some columns of its state in place of all, in this order and with
   * their history. A column may be taken several times, such as for beams. A fresh Recur stays
   * fresh: its columns are equal.
   *
   * @param columns one or more, each 0 ≤ column &lt; batch
   * @throws IndexOutOfBoundsException if a state has no such column; nothing has then changed
   */
  default void take(int... columns) {
    Together.change(recurs(), state -> state.selection(columns), state -> state.take(columns));
  }

  /**
   * This layer with a sliding truncation: each step runs the last k inputs again, so that its
   * gradients reach back over exactly k steps. See {@link Sliding}.
   *
   * @param k steps, 1 or more
   * @return a layer over this one
   * @throws IllegalArgumentException if k is below 1, or this layer is {@link Bidirectional} or has
   *     such a layer inside
   */
  default Sliding slide(int k) {
    return new Sliding(this, k);
  }

  /** Keeps the state of every Recur inside and drops its history: no gradient passes it. */
  default void truncate() {
    List<Recur> recurs = recurs();
    Together.enter(recurs);
    try {
      for (int i = 0; i < recurs.size(); i++) {
        recurs.get(i).truncate();
      }
    } finally {
      Together.leave(recurs);
    }
  }

  /**
   * Gives back the memory of the state of every Recur inside, at once; the weights stay, and so do
   * forks. Further use of these Recurs is an error; a second call does nothing.
   *
   * <p>A layer need not be closed: the memory of a state comes back when its Recur is unreachable.
   * Close forks that live briefly, such as one per session:
   *
   * <pre>{@code
   * try (Chain session = model.fork()) {
   *   session.apply(tape.input(1, 2, 3));
   * }
   * }</pre>
   *
   * @throws IllegalStateException if another thread is inside a Recur of this layer; none has then
   *     been closed
   */
  @Override
  default void close() {
    List<Recur> recurs = recurs();
    Together.enter(recurs);
    try {
      for (int i = 0; i < recurs.size(); i++) {
        recurs.get(i).close();
      }
    } finally {
      Together.leave(recurs);
    }
  }

  /**
   * Another layer over the same weights with states of its own: copies of the present ones, without
   * history. Forks may run on different threads, each with a tape of its own, without a lock; but a
   * backward pass adds to the gradients that all forks share, so only one may run at a time.
   *
   * @return the fork; a layer without state may return itself
   * @throws IllegalStateException if a layer of a user's holds a Recur and does not override {@link
   *     #fork(Fork)}, or if another thread is inside a Recur of this layer
   */
  default Layer fork() {
    List<Recur> recurs = recurs();
    Together.read(recurs);
    try {
      return new Fork().of(this);
    } finally {
      Together.endRead(recurs);
    }
  }

  /**
   * The copy that {@link #fork()} returns; containers override it.
   *
   * @param fork gives the fork of each layer inside
   * @return this, where there is no state inside
   * @throws IllegalStateException if there is
   */
  default Layer fork(Fork fork) {
    List<Recur> inside = recurs();
    if (!inside.isEmpty()) {
      throw new IllegalStateException(
          """
          fork: %s holds %s and does not override fork(Fork): the fork would step the same state; \
          override it and return a new layer over fork.of(inner) for each layer inside"""
              .formatted(describe(), inside.getFirst().describe()));
    }
    return this;
  }

  /** {@return this layer and every layer inside, each once, in the order in which they run} */
  default List<Layer> all() {
    Set<Layer> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Layer> found = new ArrayList<>();
    collect(this, seen, found);
    return found;
  }

  private static void collect(Layer layer, Set<Layer> seen, List<Layer> found) {
    if (seen.add(layer)) {
      found.add(layer);
      layer.layers().forEach(inner -> collect(inner, seen, found));
    }
  }

  /**
   * Every Recur in this layer, each once.
   *
   * @return in the order in which they run
   */
  default List<Recur> recurs() {
    return all().stream().filter(Recur.class::isInstance).map(Recur.class::cast).toList();
  }

  /** {@return all parameters, each once, even where its layer occurs several times in the model} */
  default Parameters parameters() {
    return Parameters.of(this);
  }

  /**
   * Gives the parameters memory on a device and their initial values. The same seed gives the same
   * model on every platform.
   *
   * @param device where the memory is allocated
   * @param seed of the initial values
   * @return this
   * @throws IllegalStateException if a parameter is on another device, or all have their values
   *     from another seed already
   */
  default Layer on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  /**
   * The device that holds the parameters.
   *
   * @return that of the first one
   * @throws IllegalStateException if there is none, or it has no memory yet
   */
  default Device device() {
    String none = describe() + ": it has no parameters; it runs on the device of its input";
    return parameters().named().values().stream()
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(none))
        .device();
  }

  /**
   * How the cell of each Recur inside runs, see {@link Recur#explain}.
   *
   * @return lines of text; empty where there is no Recur
   */
  default String explain() {
    return recurs().stream().map(Recur::explain).collect(Collectors.joining("\n"));
  }

  /**
   * Has each Recur inside throw an {@link IllegalStateException} that names the reason where its
   * cell would run step by step. Forks that are made later do the same.
   *
   * @return this
   */
  default Layer requireCompiled() {
    recurs().forEach(Recur::requireCompiled);
    return this;
  }

  /**
   * Has each Recur inside run its cell step by step, always: for a {@link Cell#step} that does what
   * a trace cannot see. A cell that overrides {@link Cell#run} runs as before. Forks that are made
   * later do the same.
   *
   * @return this
   */
  default Layer stepwise() {
    recurs().forEach(Recur::stepwise);
    return this;
  }

  /**
   * The states of all Recurs inside, as values on the heap.
   *
   * @return a snapshot that can be written to bytes and restored
   */
  default Snapshot save() {
    List<Recur> recurs = recurs();
    Together.read(recurs);
    try {
      return Snapshot.of(this, recurs);
    } finally {
      Together.endRead(recurs);
    }
  }

  /**
   * Gives all Recurs inside the states of a snapshot: they continue exactly where it was taken.
   *
   * @param snapshot of this model or of a fork or twin of it
   * @throws io.recur.grad.ShapeException if it is of another model; nothing is then changed
   */
  default void restore(Snapshot snapshot) {
    List<Recur> recurs = recurs();
    Together.enter(recurs);
    try {
      snapshot.restore(recurs);
    } finally {
      Together.leave(recurs);
    }
  }

  /** Forks each layer once: a layer that occurs twice in a model does so in its fork. */
  final class Fork {
    private final IdentityHashMap<Layer, Layer> forks = new IdentityHashMap<>();

    Fork() {}

    /**
     * The fork of a layer, the same one at every call.
     *
     * @param layer a part of the model that is forked
     * @return its fork
     */
    public Layer of(Layer layer) {
      Layer known = forks.get(layer);
      if (known == null) {
        known = layer.fork(this);
        forks.put(layer, known);
      }
      return known;
    }
  }
}

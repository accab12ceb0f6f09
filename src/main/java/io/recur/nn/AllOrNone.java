package io.recur.nn;

import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Runs a container as a whole: where a call fails, every {@link Recur} inside has the state that it
 * had before, with its history, and {@linkplain Layer#running running} parameters their values.
 * What the parts of a container give is known when they have run; a part that refuses its input
 * then has others before it that have moved.
 *
 * <p>A call with sizes, and with states of sizes, that have passed before is not watched: it costs
 * what it costs without this. Any other one keeps the states meanwhile.
 *
 * <p>{@link Chain}, {@link Residual}, {@link Highway} and {@link Bidirectional} run so. A container
 * of one's own does:
 *
 * <pre>{@code
 * final class Twice implements Layer {
 *   private final Layer inner;
 *   private final AllOrNone states = new AllOrNone(this);
 *   Twice(Layer inner) { this.inner = inner; }
 *   public Tensor apply(Tensor x) { return states.apply(x, v -> inner.apply(inner.apply(v))); }
 *   public List<Layer> layers() { return List.of(inner); }
 *   public Layer fork(Fork fork) { return new Twice(fork.of(inner)); }
 * }
 * }</pre>
 */
public final class AllOrNone {
  private final Layer layer;
  private final Passed passed;
  private @Nullable Inside inside;

  /** The parts of the layer that a call changes; the same at every call. */
  private record Inside(List<Recur> recurs, State running) {
    static Inside of(Layer layer) {
      List<Tensor> running = new ArrayList<>();
      layer.all().forEach(part -> running.addAll(part.running()));
      return new Inside(layer.recurs(), new State(running));
    }
  }

  /**
   * For a layer, whose {@link Layer#layers} are asked for in the first call.
   *
   * @param layer a container
   */
  public AllOrNone(Layer layer) {
    this(layer, new Passed());
  }

  private AllOrNone(Layer layer, Passed passed) {
    this.layer = layer;
    this.passed = passed;
  }

  /**
   * For a fork of the layer: what has passed in one of them passes in the other.
   *
   * @param fork the fork
   * @return the same for the fork
   */
  public AllOrNone of(Layer fork) {
    return new AllOrNone(fork, passed);
  }

  /**
   * Runs a call, or leaves all states as they were.
   *
   * @param x the input of the layer
   * @param call the layer's function of x
   * @return what it gives
   * @throws IllegalStateException if another thread is inside a Recur of the layer or the tape
   */
  public Tensor apply(Tensor x, UnaryOperator<Tensor> call) {
    List<Recur> recurs = inside().recurs;
    Together.enter(recurs);
    try (var _ = x.enter()) {
      if (passed.knows(x, recurs)) {
        return call.apply(x);
      }
      int[] sizes = Passed.sizes(x, recurs);
      Tensor y = watched(() -> call.apply(x));
      passed.add(sizes);
      return y;
    } finally {
      Together.leave(recurs);
    }
  }

  /**
   * Runs a call over lengths, or leaves all states as they were. It is always watched: lengths
   * decide more than a size does.
   *
   * @param x the input of the layer
   * @param call the layer's function of x
   * @return what it gives
   * @throws IllegalStateException if another thread is inside a Recur of the layer or the tape
   */
  public Padded apply(Padded x, UnaryOperator<Padded> call) {
    try (var _ = x.enter()) {
      return call(() -> call.apply(x));
    }
  }

  /**
   * Runs a call of any kind, or leaves all states as they were.
   *
   * @param <T> what it gives
   * @param call runs the layer, on one tape
   * @return what it gives
   * @throws IllegalStateException if another thread is inside a Recur of the layer
   */
  public <T> T call(Supplier<T> call) {
    List<Recur> recurs = inside().recurs;
    Together.enter(recurs);
    try {
      return watched(call);
    } finally {
      Together.leave(recurs);
    }
  }

  private Inside inside() {
    Inside known = inside;
    if (known == null) {
      known = Inside.of(layer);
      inside = known;
    }
    return known;
  }

  /** The caller has entered the Recurs. */
  private <T> T watched(Supplier<T> call) {
    Inside parts = inside();
    List<Undo> before = new ArrayList<>();
    boolean isDone = false;
    try {
      parts.recurs.forEach(recur -> before.add(new Undo.OfRecur(recur.held())));
      if (!parts.running.parts().isEmpty()) {
        before.add(new Undo.OfRunning(parts.running));
      }
      T y = call.get();
      isDone = true;
      return y;
    } finally {
      if (!isDone) {
        before.forEach(Undo::giveBack);
      }
      before.forEach(Undo::close);
    }
  }

  /** Sizes of calls that have passed, each in the place of its hash; threads may share it. */
  private static final class Passed {
    /** As many batches of different sizes as a server's largest batch has. */
    private static final int PLACES = 256;

    private static final int OF_X = 5;

    /** In place of columns: a call may be refused for another reason than its sizes. */
    private static final int REFUSED = -1;

    private final AtomicReferenceArray<int[]> calls = new AtomicReferenceArray<>(PLACES);

    /**
     * Rank, rows, batch and steps of x, whether its tape records, and the columns of each state.
     */
    static int[] sizes(Tensor x, List<Recur> recurs) {
      Shape shape = x.shape();
      int[] sizes = new int[OF_X + recurs.size()];
      sizes[0] = shape.rank();
      sizes[1] = shape.rows();
      sizes[2] = shape.batch();
      sizes[3] = shape.time();
      sizes[4] = records(x.tape());
      for (int i = 0; i < recurs.size(); i++) {
        sizes[OF_X + i] = columns(recurs.get(i).held(), x.tape());
      }
      return sizes;
    }

    /** Batches of neighbouring sizes have neighbouring places, apart for fresh states. */
    private static int place(int batch, int time, int records, int columns) {
      return (batch + 37 * time + 101 * records + (columns == batch ? 0 : 128)) & (PLACES - 1);
    }

    /** The columns from which a call on a tape starts, 0 of a fresh state. */
    private static int columns(HeldState held, @Nullable Tape its) {
      if (held.isClosed || (held.live != null && held.tape != its)) {
        return REFUSED;
      }
      State now = held.live != null ? held.live : held.kept;
      return now == null ? 0 : now.batch();
    }

    private static int records(@Nullable Tape tape) {
      return tape != null && tape.isRecording() ? 1 : 0;
    }

    boolean knows(Tensor x, List<Recur> recurs) {
      Shape shape = x.shape();
      int first = recurs.isEmpty() ? 0 : columns(recurs.getFirst().held(), x.tape());
      int[] sizes = calls.get(place(shape.batch(), shape.time(), records(x.tape()), first));
      return sizes != null && isOf(sizes, x, recurs);
    }

    private static boolean isOf(int[] sizes, Tensor x, List<Recur> recurs) {
      Shape shape = x.shape();
      boolean isOf =
          sizes[0] == shape.rank()
              && sizes[1] == shape.rows()
              && sizes[2] == shape.batch()
              && sizes[3] == shape.time()
              && sizes[4] == records(x.tape());
      for (int i = 0; isOf && i < recurs.size(); i++) {
        int columns = columns(recurs.get(i).held(), x.tape());
        isOf = columns != REFUSED && sizes[OF_X + i] == columns;
      }
      return isOf;
    }

    void add(int... sizes) {
      int first = sizes.length > OF_X ? sizes[OF_X] : 0;
      calls.set(place(sizes[2], sizes[3], sizes[4], first), sizes);
    }
  }
}

package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.AdditiveScores;
import io.recur.grad.BatchProduct;
import io.recur.grad.Functions;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Softmax;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Attention of a query over the steps of a memory, such as an encoder's outputs: {@code weights =
 * softmax over t of score(q, m[:,t])}, {@code context = Σₜ weights[t]·m[:,t]}.
 *
 * <p>m is memory × B × T, of each sequence its valid steps where it is {@link Padded}, q query × B;
 * the context is memory × B and the weights are 1 × B × T. A query of S steps, query × B × S, gives
 * memory × B × S.
 *
 * <ul>
 *   <li>{@link #bahdanau}: {@code score = v·tanh(Wq·q + Wm·m)} (Bahdanau, Cho and Bengio 2015,
 *       appendix A.1.2);
 *   <li>{@link #luong}: {@code score = qᵀ·(W·m)} (Luong, Pham and Manning 2015, equation 8,
 *       general);
 *   <li>{@link #dot}: {@code score = qᵀ·m} (the same, dot).
 * </ul>
 *
 * <p>The memory's product with its matrix is computed once, for all queries:
 *
 * <pre>{@code
 * Chain encoder = chain(bidirectional(gru(3, 5), gru(3, 5))).on(device, 42);
 * Recur decoder = gru(2 + 10, 5).on(device, 43);
 * Attention attention = Attention.bahdanau(5, 10, 8).on(device, 44);
 * Attention.Memory memory = attention.memory(encoder.apply(x));
 * for (Tensor step : steps) {
 *   Tensor context = memory.context(decoder.state().h());
 *   y = decoder.apply(Concat.rows(step, context));
 * }
 * }</pre>
 */
public final class Attention implements Layer {
  private final String kind;

  /** What multiplies q, m and the tanh of their sum; those that the kind has. */
  private final @Nullable Matrix ofQuery;

  private final @Nullable Matrix ofMemory;
  private final @Nullable Matrix ofSum;

  private Attention(
      String kind, @Nullable Matrix ofQuery, @Nullable Matrix ofMemory, @Nullable Matrix ofSum) {
    this.kind = kind;
    this.ofQuery = ofQuery;
    this.ofMemory = ofMemory;
    this.ofSum = ofSum;
  }

  /**
   * Additive attention, with Glorot uniform weights.
   *
   * @param query length of q
   * @param memory length of a step of m
   * @param units length of v
   * @return the layer
   */
  public static Attention bahdanau(int query, int memory, int units) {
    return bahdanau(
        Matrix.dense(units, query), Matrix.dense(units, memory), Matrix.dense(1, units));
  }

  /**
   * Additive attention from its parts.
   *
   * @param wq units × query
   * @param wm units × memory
   * @param v 1 × units
   * @return the layer
   * @throws ShapeException if they do not fit each other
   */
  public static Attention bahdanau(Matrix wq, Matrix wm, Matrix v) {
    if (wq.rows() != wm.rows() || v.columns() != wq.rows() || v.rows() != 1) {
      throw new ShapeException(
          "bahdanau: Wq=%s, Wm=%s, v=%s; need units×query, units×memory and 1×units"
              .formatted(wq, wm, v));
    }
    wq.values().named("Wq");
    wm.values().named("Wm");
    v.values().named("v");
    return new Attention("bahdanau", wq, wm, v);
  }

  /**
   * Multiplicative attention, with Glorot uniform weights.
   *
   * @param query length of q
   * @param memory length of a step of m
   * @return the layer
   */
  public static Attention luong(int query, int memory) {
    return luong(Matrix.dense(query, memory));
  }

  /**
   * Multiplicative attention from its matrix.
   *
   * @param w query × memory
   * @return the layer
   */
  public static Attention luong(Matrix w) {
    w.values().named("W");
    return new Attention("luong", null, w, null);
  }

  /** {@return attention by the inner product of q and m, which are of one length} */
  public static Attention dot() {
    return new Attention("dot", null, null, null);
  }

  /**
   * What queries attend over.
   *
   * @param m memory × B × T
   * @return m with its product
   * @throws ShapeException if m does not fit
   */
  public Memory memory(Tensor m) {
    Shape shape = m.shape();
    Tensor steps =
        shape.rank() == 3 ? m : m.reshape(Shape.of(shape.rows(), shape.batch(), shape.time()));
    return new Memory(steps, ofMemory == null ? steps : ofMemory.times(steps), null);
  }

  /**
   * What queries attend over: of each sequence its valid steps alone.
   *
   * @param m memory × B × T with lengths; the context of an empty sequence is 0
   * @return m with its product
   * @throws ShapeException if m does not fit
   */
  public Memory memory(Padded m) {
    Tensor keys = ofMemory == null ? m.data() : m.map(ofMemory::times).data();
    return new Memory(m.data(), keys, m.lengths());
  }

  /** The steps that queries attend over, until their tape is cleared. */
  public final class Memory {
    private final Tensor steps;
    private final Tensor keys;
    private final int @Nullable [] lengths;

    /** Added to the scores of several queries, −∞ behind the ends; made when first asked for. */
    private @Nullable Tensor mask;

    private Memory(Tensor steps, Tensor keys, int @Nullable [] lengths) {
      this.steps = steps;
      this.keys = keys;
      this.lengths = lengths;
    }

    /**
     * The steps' mean with the weights of a query. Several queries are computed together: the
     * scores of all are one operation, and the means are one product per sequence.
     *
     * @param q query × B, or query × B × S
     * @return memory × B, or memory × B × S
     * @throws ShapeException if q does not fit
     */
    public Tensor context(Tensor q) {
      check(q.shape());
      if (q.shape().time() > 1) {
        return BatchProduct.product(steps, Softmax.softmax(masked(scoresOfAll(q))));
      }
      Tensor context = steps.mul(weightsOf(q)).sum(Dimension.TIME);
      return context.reshape(q.shape().withRows(steps.shape().rows()));
    }

    /** T × B × S, a column of scores for each query. */
    private Tensor scoresOfAll(Tensor q) {
      Tensor queries = ofQuery == null ? q : ofQuery.times(q);
      return ofSum == null
          ? BatchProduct.inner(keys, queries)
          : AdditiveScores.of(keys, queries, ofSum.values());
    }

    /**
     * No share of steps behind an end. An empty sequence has zeros there: so is its context, and no
     * gradient comes from it.
     */
    private Tensor masked(Tensor scores) {
      if (lengths == null) {
        return scores;
      }
      Shape shape = scores.shape();
      int step = shape.rows() * shape.batch();
      Tensor ends = mask == null ? maskOf(shape.rows(), lengths) : mask;
      mask = ends;
      return scores.reshape(Shape.of(step, shape.time())).add(ends).reshape(shape);
    }

    private Tensor maskOf(int time, int... lengths) {
      float[] ends = new float[time * lengths.length];
      for (int b = 0; b < lengths.length; b++) {
        if (lengths[b] > 0) {
          Arrays.fill(ends, b * time + lengths[b], (b + 1) * time, Float.NEGATIVE_INFINITY);
        }
      }
      return Objects.requireNonNull(steps.tape()).input(Shape.of(ends.length), ends);
    }

    /**
     * The weights of a query, for instance to be shown.
     *
     * @param q query × B
     * @return 1 × B × T; those of a sequence have the sum 1, and zeros stand behind its end
     * @throws ShapeException if q does not fit
     */
    public Tensor weights(Tensor q) {
      check(q.shape());
      if (q.shape().time() > 1) {
        throw new ShapeException(
            "attention: q=%s; need one step, of several q.time(s)".formatted(q.shape()));
      }
      return weightsOf(q);
    }

    private void check(Shape q) {
      Shape m = steps.shape();
      int rows = ofQuery == null ? keys.shape().rows() : ofQuery.columns();
      if (q.rows() != rows || q.batch() != m.batch()) {
        throw new ShapeException(
            "attention: q=%s, memory=%s; need q of %d rows and the batch %d"
                .formatted(q, m, rows, m.batch()));
      }
    }

    private Tensor weightsOf(Tensor q) {
      Tensor scores = scores(q);
      return lengths == null ? Softmax.overTime(scores) : Softmax.overTime(scores, lengths);
    }

    /** 1 × B × T. A query is one column beside the steps, which are columns: it is repeated. */
    private Tensor scores(Tensor q) {
      Shape shape = keys.shape();
      int step = shape.rows() * shape.batch();
      Tensor columns = keys.reshape(Shape.of(step, shape.time()));
      Tensor query = (ofQuery == null ? q : ofQuery.times(q)).reshape(Shape.of(step));
      return ofSum == null
          ? columns.mul(query).reshape(shape).sum(Dimension.ROWS)
          : ofSum.times(Functions.tanh(columns.add(query)).reshape(shape));
    }
  }

  /**
   * Self-attention: each step of x over all of its steps.
   *
   * @param x of as many rows as q and m have
   * @return of x's shape
   * @throws ShapeException if x does not fit
   */
  @Override
  public Tensor apply(Tensor x) {
    return memory(x).context(x);
  }

  /** {@return {@code bahdanau}, {@code luong} or {@code dot}} */
  public String kind() {
    return kind;
  }

  /** {@return Wq, Wm and v of Bahdanau's, W of Luong's, none of the inner product} */
  public List<Matrix> matrices() {
    return Stream.of(ofQuery, ofMemory, ofSum).filter(Objects::nonNull).toList();
  }

  @Override
  public List<Parameter> own() {
    return matrices().stream().map(Matrix::values).toList();
  }

  @Override
  public Attention on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    String query = ofQuery == null ? "" : ofQuery.columns() + ", ";
    String memory = ofMemory == null ? "" : ", " + query + ofMemory.columns();
    return "Attention(" + kind + memory + ")";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}

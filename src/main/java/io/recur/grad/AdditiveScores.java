package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;
import org.jspecify.annotations.Nullable;

/**
 * The scores of additive attention, of all queries in one operation: {@code y[t,b,s] =
 * v·tanh(k[:,b,t] + q[:,b,s])}; {@code dz = v·dy[t,b,s]∘(1 − tanh²), dk[:,b,t] += Σₛ dz, dq[:,b,s]
 * += Σₜ dz, dv += Σ dy[t,b,s]·tanh}. Bahdanau, Cho and Bengio 2015, appendix A.1.2.
 *
 * <pre>{@code
 * Tensor scores = AdditiveScores.of(x, h, W);   // W: 1 × units
 * }</pre>
 *
 * <p>It runs query after query, so that what passes from kernel to kernel stays in a core's cache.
 */
public final class AdditiveScores implements Op {
  private Tensor k;
  private Tensor q;
  private Tensor v;

  /** 1 × batch × steps·queries, the steps of a query one after the other. */
  private Tensor y;

  /** {@code tanh(k + q)} of each query, units × batch × steps; none without a gradient. */
  private @Nullable Buffer sums;

  private KernelDevice kernels;

  private AdditiveScores() {}

  /**
   * The scores of all steps for each query.
   *
   * @param k units × batch × steps
   * @param q units × batch × queries
   * @param v 1 × units
   * @return steps × batch × queries
   * @throws ShapeException if the sizes do not fit each other
   */
  public static Tensor of(Tensor k, Tensor q, Tensor v) {
    Shape keys = k.shape();
    Shape queries = q.shape();
    if (keys.rows() != queries.rows()
        || keys.batch() != queries.batch()
        || !v.shape().equals(Shape.of(1, keys.rows()))) {
      throw new ShapeException(
          "scores: k=%s, q=%s, v=%s; need units×batch×steps, units×batch×queries and 1×units"
              .formatted(keys, queries, v.shape()));
    }
    Shape shape = Shape.of(keys.time(), keys.batch(), queries.time());
    Tensor scores = scores(k, q, DropConnect.read(v, q));
    if (keys.batch() == 1) {
      return scores.reshape(shape);
    }
    int[] from = new int[shape.count()];
    for (int j = 0; j < from.length; j++) {
      int t = j % keys.time();
      int b = j / keys.time() % keys.batch();
      int s = j / (keys.time() * keys.batch());
      from[j] = b + keys.batch() * (t + keys.time() * s);
    }
    return Rearrange.columns("scores", scores, 1, from, 0, shape);
  }

  private static Tensor scores(Tensor k, Tensor q, Tensor v) {
    Shape keys = k.shape();
    try (OpContext context = OpContext.of("scores", k, q, v)) {
      AdditiveScores op = context.reuse(AdditiveScores.class, AdditiveScores::new);
      op.k = k;
      op.q = q;
      op.v = v;
      op.kernels = context.kernels;
      boolean takesGradient = k.isDifferentiable() || q.isDifferentiable() || v.isDifferentiable();
      Shape shape = Shape.of(1, keys.batch(), keys.time() * q.shape().time());
      op.y = context.output(shape, takesGradient);
      boolean keepsSums = op.y.isDifferentiable();
      Buffer sums = context.scratch((long) keys.count() * (keepsSums ? q.shape().time() : 1));
      op.sums = keepsSums ? sums : null;
      for (int s = 0; s < q.shape().time(); s++) {
        op.forward(s, keepsSums ? op.part(sums, s, keys.count()) : sums);
      }
      return context.record(op, op.y);
    }
  }

  /** Returns the part of query s; each query has a part of {@code floats} values. */
  private Buffer part(Buffer whole, int s, long floats) {
    return whole.slice(s * floats, floats);
  }

  private void forward(int s, Buffer sum) {
    Shape keys = k.shape();
    int step = keys.rows() * keys.batch();
    Buffer query = part(q.value(), s, step);
    kernels
        .arithmetic()
        .apply(Binary.ADD, step, keys.time(), k.value(), step, keys.time(), query, step, 1, sum);
    y.device().pointwise().map(Elementwise.TANH, sum, sum, keys.count());
    Buffer scores = part(y.value(), s, keys.columns());
    kernels
        .blas()
        .multiply(
            false,
            false,
            1,
            keys.columns(),
            keys.rows(),
            1,
            v.value(),
            1,
            sum,
            keys.rows(),
            0,
            scores,
            1);
  }

  @Override
  public void backward() {
    OpContext context = y.tape().context;
    Buffer toSums = context.backwardScratch(k.shape().count());
    Buffer dz = context.backwardScratch(k.shape().count());
    for (int s = 0; s < q.shape().time(); s++) {
      Buffer dy = part(y.gradient(), s, k.shape().columns());
      Buffer sum = part(sums, s, k.shape().count());
      if (v.isDifferentiable()) {
        toV(dy, sum);
      }
      if (k.isDifferentiable() || q.isDifferentiable()) {
        toSum(dy, sum, toSums, dz);
        give(s, dz);
      }
    }
  }

  /** {@code dv += Σ dy·tanh}. */
  private void toV(Buffer dy, Buffer sum) {
    int rows = k.shape().rows();
    int columns = k.shape().columns();
    kernels
        .blas()
        .multiply(false, true, 1, rows, columns, 1, dy, 1, sum, rows, 1, v.accumulator(), 1);
  }

  /** {@code dz = v·dy∘(1 − tanh²)}. */
  private void toSum(Buffer dy, Buffer sum, Buffer toSums, Buffer dz) {
    int rows = k.shape().rows();
    int columns = k.shape().columns();
    int count = k.shape().count();
    kernels
        .blas()
        .multiply(false, false, rows, columns, 1, 1, v.value(), rows, dy, 1, 0, toSums, rows);
    y.device().pointwise().fill(0, dz, count);
    y.device().pointwise().addDerivative(Elementwise.TANH, sum, sum, toSums, dz, count);
  }

  private void give(int s, Buffer dz) {
    Shape keys = k.shape();
    int step = keys.rows() * keys.batch();
    if (k.isDifferentiable()) {
      y.device().pointwise().addScaled(1, dz, k.accumulator(), keys.count());
    }
    if (q.isDifferentiable()) {
      Buffer query = part(q.accumulator(), s, step);
      y.device().columns().addSum(step, keys.time(), dz, query);
    }
  }
}

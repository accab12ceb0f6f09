package io.recur.nn.cells;

import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.negate;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.softplus;
import static io.recur.grad.Functions.sqrt;
import static io.recur.grad.Functions.square;
import static io.recur.grad.Functions.swish;

import io.recur.device.Dimension;
import io.recur.grad.HeadProduct;
import io.recur.grad.Outer;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Random;

/**
 * Gated DeltaNet: a matrix S per head in which the value of a key is replaced by a step of gradient
 * descent, after it has decayed (Yang, Kautz and Hatamizadeh 2024, <i>Gated Delta Networks:
 * Improving Mamba2 with Delta Rule</i>, arXiv:2412.06464, equation 10).
 *
 * <pre>
 * [q; k; v] = swish(Wi·x),  q and k divided by their lengths √(qᵀ·q + 10⁻⁶)
 * [β; a] = Wg·x
 * α  = exp(−exp(A)·softplus(a + b))
 * S' = α·S + σ(β)·(v − α·S·k)·kᵀ
 * y  = S'·q
 * </pre>
 *
 * <p>Shapes: x in × B, y out × B, Wi 3·out × in. With k heads of d = out/k units each head has its
 * part of q, k and v, numbers α and β and a d × d matrix S: Wg 2·k × in, A and b k, S0 out·d × 1.
 * There is one head unless given. As in the authors' code exp(A) is uniform in 0 to 16 at first,
 * and softplus(b) in 0.001 to 0.1 by its logarithm; S0 is zero. The short convolution of q, k and
 * v, the normalisation of y and its gate are left to other layers. It runs step by step: a matrix
 * per column has no compiled form.
 *
 * <pre>{@code
 * Recur delta = new Recur(new GatedDeltaNetCell(10, 16, 4)).on(device, 42);
 * }</pre>
 */
public final class GatedDeltaNetCell extends PaperCell {
  private static final float EPSILON = 1e-6f;

  private final Matrix wi;
  private final Matrix wg;
  private final Parameter a;
  private final Parameter b;
  private final Heads heads;

  /**
   * A cell of one head with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of y
   */
  public GatedDeltaNetCell(int in, int out) {
    this(in, out, 1);
  }

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of y, a multiple of heads
   * @param heads k
   * @throws ShapeException if a size is not positive or too large, or out is no multiple of heads
   */
  public GatedDeltaNetCell(int in, int out, int heads) {
    this(
        Matrix.dense(rows("GatedDeltaNetCell", 3, in, out), in),
        Matrix.dense(2 * Heads.of("GatedDeltaNetCell", heads, out).count(), in),
        filled(heads, (head, random) -> Math.log(16 * (1 - random.nextDouble()))), // never of 0
        filled(heads, (head, random) -> Math.log(Math.expm1(time(random)))), // softplus: time
        zeros(out * (out / heads)));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 3·out × N, in the order q, k, v
   * @param wg 2·k × N, in the order β, a
   * @param a A, k
   * @param b k
   * @param s0 out·d × 1: the matrices of the heads one after the other, each by its columns
   * @throws ShapeException if out is no multiple of the heads
   */
  public GatedDeltaNetCell(Matrix wi, Matrix wg, Parameter a, Parameter b, Parameter s0) {
    this(wi, wg, a, b, s0, Heads.of("GatedDeltaNetCell", a.shape().rows(), wi.rows() / 3));
  }

  private GatedDeltaNetCell(
      Matrix wi, Matrix wg, Parameter a, Parameter b, Parameter s0, Heads heads) {
    super(
        wi.columns(),
        wi.rows() / 3,
        input("Wi", wi, 3),
        matrix("Wg", wg, (in, out) -> 2L * heads.count(), (in, out) -> in),
        vector("A", a, (in, out) -> heads.count()),
        vector("b", b, (in, out) -> heads.count()),
        state("S0", s0, (in, out) -> heads.matrixRows()));
    this.wi = wi;
    this.wg = wg;
    this.a = a;
    this.b = b;
    this.heads = heads;
  }

  private static double time(Random random) {
    return 0.001 * Math.pow(100, random.nextDouble());
  }

  /** Each column divided by its length. */
  private static Tensor unit(Tensor vectors) {
    return vectors.div(sqrt(square(vectors).sum(Dimension.ROWS).add(EPSILON)));
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor projected = swish(wi.times(x));
    Tensor q = unit(heads.vectors(gate(projected, 0)));
    Tensor k = unit(heads.vectors(gate(projected, 1)));
    Tensor v = heads.vectors(gate(projected, 2));
    Tensor gates = wg.times(x);
    Tensor rate = heads.numbers(sigmoid(gates.rows(0, heads.count())));
    Tensor time = softplus(gates.rows(heads.count(), 2 * heads.count()).add(b));
    Tensor decay = heads.numbers(exp(negate(time.mul(exp(use(a, state, x))))));
    Tensor kept = heads.matrices(state.h()).mul(decay);
    Tensor error = v.sub(HeadProduct.product(kept, k));
    Tensor next = kept.add(Outer.outer(error.mul(rate), k));
    Tensor y = heads.whole(HeadProduct.product(next, q));
    return new Step(State.of(heads.whole(next)), y);
  }
}

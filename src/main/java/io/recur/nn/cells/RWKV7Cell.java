package io.recur.nn.cells;

import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.sqrt;
import static io.recur.grad.Functions.square;

import io.recur.device.Dimension;
import io.recur.grad.HeadProduct;
import io.recur.grad.Outer;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The state of RWKV-7: a matrix S per head with a decay per column and a delta rule whose rate is a
 * vector (Peng et al. 2025, <i>RWKV-7 "Goose" with Expressive Dynamic State Evolution</i>,
 * arXiv:2503.14456, section 4.1).
 *
 * <pre>
 * [r; k; v] = Wi·x
 * [w; a] = Wg·x + b
 * w' = exp(−σ(w)/√e),  a' = σ(a)
 * κ  = ξ∘k, divided by its length √(κᵀ·κ + 10⁻¹²)
 * k' = k∘(1 + (a' − 1)∘μ)
 * S' = S·diag(w') − S·κ·(a'∘κ)ᵀ + v·k'ᵀ
 * y  = S'·r + (rᵀ·(ρ∘k'))·v
 * </pre>
 *
 * <p>Shapes: x in × B, y out × B, Wi 3·out × in, Wg 2·out × in, b 2·out, ξ, μ and ρ out. With k
 * heads of d = out/k units each head has its part of all vectors and a d × d matrix S: S0 out·d ×
 * 1. There is one head unless given; the authors' have 64 units. With u rising from −½ to ½ over
 * all units, and z from −1 to 1 over those of a head as z·|z|, at first b is 6·u − 2.5 + 2.5·z for
 * w and 0.4·u + 0.3·z − 0.19 for a, ξ = 0.71 − 0.1·u, μ = 1.02 and ρ = −0.04, as in the first layer
 * of their code; S0 is zero. Their Wg is a product of two narrow matrices, with a tanh between them
 * for w; here it is dense. The mix with the x before, the value of the first layer, the
 * normalisation of S'·r and the gate of y are left to other layers. It runs step by step: a matrix
 * per column has no compiled form.
 *
 * <pre>{@code
 * Recur rwkv = new Recur(new RWKV7Cell(10, 16, 4)).on(device, 42);
 * }</pre>
 */
public final class RWKV7Cell extends PaperCell {
  private static final float EPSILON = 1e-12f;

  private final Matrix wi;
  private final Matrix wg;
  private final Parameter b;
  private final Parameter xi;
  private final Parameter mu;
  private final Parameter rho;
  private final Heads heads;

  /**
   * A cell of one head with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of y
   */
  public RWKV7Cell(int in, int out) {
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
  public RWKV7Cell(int in, int out, int heads) {
    this(
        Matrix.dense(rows("RWKV7Cell", 3, in, out), in),
        Matrix.dense(2 * out, in),
        biases(Heads.of("RWKV7Cell", heads, out)),
        filled(out, (unit, random) -> 0.71 - 0.1 * place(unit, out)),
        constant(out, 1.02f),
        constant(out, -0.04f),
        zeros(out * (out / heads)));
  }

  /**
   * A cell from its parts. The size of S0 says how many heads there are.
   *
   * @param wi 3·out × N, in the order r, k, v
   * @param wg 2·out × N, in the order w, a
   * @param b 2·out
   * @param xi ξ, out
   * @param mu μ, out
   * @param rho ρ, out
   * @param s0 out·d × 1: the matrices of the heads one after the other, each by its columns
   * @throws ShapeException if out is no multiple of d
   */
  public RWKV7Cell(
      Matrix wi, Matrix wg, Parameter b, Parameter xi, Parameter mu, Parameter rho, Parameter s0) {
    super(
        wi.columns(),
        xi.shape().rows(),
        input("Wi", wi, 3),
        input("Wg", wg, 2),
        vector("b", b, 2),
        vector("xi", xi, 1),
        vector("mu", mu, 1),
        vector("rho", rho, 1),
        state("S0", s0, (in, out) -> (long) out * size(out, s0)));
    this.wi = wi;
    this.wg = wg;
    this.b = b;
    this.xi = xi;
    this.mu = mu;
    this.rho = rho;
    this.heads = Heads.of("RWKV7Cell", out / size(out, s0), out);
  }

  /** The units of a head; where they do not divide out, a size that does not fit S0. */
  private static int size(int out, Parameter s0) {
    int size = Math.max(1, s0.shape().rows() / out);
    return out % size == 0 ? size : out;
  }

  private static Parameter biases(Heads heads) {
    int out = heads.count() * heads.size();
    return filled(
        2 * out,
        (i, random) -> {
          double u = place(i % out, out);
          double inHead = 2 * place(i % heads.size(), heads.size());
          double z = inHead * Math.abs(inHead);
          return i < out ? 6 * u - 2.5 + 2.5 * z : 0.4 * u + 0.3 * z - 0.19;
        });
  }

  /** From −½ for the first of some units to ½ for the last. */
  private static double place(int unit, int units) {
    return units == 1 ? 0 : (double) unit / (units - 1) - 0.5;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor projected = wi.times(x);
    Tensor r = heads.vectors(gate(projected, 0));
    Tensor k = gate(projected, 1);
    Tensor v = heads.vectors(gate(projected, 2));
    Tensor gates = sigmoid(wg.times(x).add(b));
    Tensor decay = heads.vectors(exp(gate(gates, 0).scale((float) -Math.exp(-0.5))));
    Tensor rate = gate(gates, 1);
    Tensor turned = heads.vectors(k.mul(xi));
    Tensor length = sqrt(square(turned).sum(Dimension.ROWS).add(EPSILON));
    Tensor kappa = turned.div(length);
    Tensor key = k.mul(rate.add(-1).mul(mu).add(1));
    Tensor keys = heads.vectors(key);
    Tensor s = heads.matrices(state.h());
    Tensor removed = Outer.outer(HeadProduct.product(s, kappa), heads.vectors(rate).mul(kappa));
    Tensor next = heads.scaled(s, decay).sub(removed).add(Outer.outer(v, keys));
    Tensor bonus = r.mul(heads.vectors(key.mul(rho))).sum(Dimension.ROWS);
    Tensor y = HeadProduct.product(next, r).add(v.mul(bonus));
    return new Step(State.of(heads.whole(next)), heads.whole(y));
  }
}

package io.recur.nn.cells;

import static io.recur.grad.Functions.cos;
import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.sin;
import static io.recur.grad.Functions.square;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The diagonal state space layer S5: a continuous system in steps of trained lengths (Smith,
 * Warrington and Linderman 2023, <i>Simplified State Space Layers for Sequence Modeling</i>,
 * arXiv:2208.04933, section 3; zero-order hold).
 *
 * <pre>
 * Δ  = exp(δ),  λ̄ = exp(λ·Δ)
 * s' = λ̄∘s + ((λ̄ − 1)/λ)∘(B·x)
 * y  = 2·Re(C·s') + D·x
 * </pre>
 *
 * <p>Shapes: x in × B, y out × B, the state s of n = out complex numbers as two parts re and im, n
 * × B each; B is 2·n × in, the real rows above the imaginary ones; Cr and Ci, the parts of C, out ×
 * n; D out × in; the parts lr and li of λ and δ n; re0 and im0 n × 1. Each number of s stands for
 * itself and its conjugate. At first λ is −1/2 + πk·i for the k-th number (S4D-Lin,
 * arXiv:2206.11893, in place of the paper's eigenvalues of HiPPO), Δ is between 0.001 and 0.1,
 * uniform in its logarithm. The paper has in = out and a diagonal D, {@code Matrix.diagonal(out,
 * out)}.
 *
 * <pre>{@code
 * Recur s5 = new Recur(new S5Cell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class S5Cell extends PaperCell {
  private final Matrix b;
  private final Matrix cr;
  private final Matrix ci;
  private final Matrix d;
  private final Parameter lr;
  private final Parameter li;
  private final Parameter delta;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public S5Cell(int in, int out) {
    this(
        Matrix.dense(rows("S5Cell", 2, in, out), in),
        Matrix.dense(out, out),
        Matrix.dense(out, out),
        Matrix.dense(out, in),
        constant(out, -0.5f),
        frequencies(out),
        uniform(out, (float) Math.log(0.001), (float) Math.log(0.1)),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param b 2·n × N
   * @param cr the real part of C, out × n
   * @param ci the imaginary part of C, out × n
   * @param d out × N
   * @param lr the real part of λ, n
   * @param li the imaginary part of λ, n
   * @param delta δ, n
   * @param re0 the real part of the initial state, n × 1
   * @param im0 its imaginary part, n × 1
   */
  public S5Cell(
      Matrix b,
      Matrix cr,
      Matrix ci,
      Matrix d,
      Parameter lr,
      Parameter li,
      Parameter delta,
      Parameter re0,
      Parameter im0) {
    super(
        b.columns(),
        cr.rows(),
        matrix("B", b, (in, out) -> 2L * cr.columns(), (in, out) -> in),
        matrix("Cr", cr, (in, out) -> out, (in, out) -> cr.columns()),
        matrix("Ci", ci, (in, out) -> out, (in, out) -> cr.columns()),
        matrix("D", d, (in, out) -> out, (in, out) -> in),
        vector("lr", lr, (in, out) -> cr.columns()),
        vector("li", li, (in, out) -> cr.columns()),
        vector("delta", delta, (in, out) -> cr.columns()),
        state("re0", re0, (in, out) -> cr.columns()),
        state("im0", im0, (in, out) -> cr.columns()));
    this.b = b;
    this.cr = cr;
    this.ci = ci;
    this.d = d;
    this.lr = lr;
    this.li = li;
    this.delta = delta;
  }

  private static Parameter frequencies(int n) {
    return Parameter.of(
        Shape.of(n),
        (values, random) -> {
          for (int k = 0; k < values.length; k++) {
            values[k] = (float) (Math.PI * k);
          }
        });
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    int n = cr.columns();
    Tensor re = state.h();
    Tensor im = state.c();
    Tensor real = use(lr, state, x);
    Tensor imaginary = use(li, state, x);
    Tensor length = exp(use(delta, state, x));
    Tensor radius = exp(real.mul(length));
    Tensor turnRe = radius.mul(cos(imaginary.mul(length)));
    Tensor turnIm = radius.mul(sin(imaginary.mul(length)));
    Tensor square = square(real).add(square(imaginary));
    Tensor scaleRe = turnRe.sub(1).mul(real).add(turnIm.mul(imaginary)).div(square);
    Tensor scaleIm = turnIm.mul(real).sub(turnRe.sub(1).mul(imaginary)).div(square);
    Tensor input = b.times(x);
    Tensor inRe = input.rows(0, n);
    Tensor inIm = input.rows(n, 2 * n);
    Tensor nextRe =
        re.mul(turnRe).sub(im.mul(turnIm)).add(scaleRe.mul(inRe)).sub(scaleIm.mul(inIm));
    Tensor nextIm =
        im.mul(turnRe).add(re.mul(turnIm)).add(scaleRe.mul(inIm)).add(scaleIm.mul(inRe));
    Tensor y = cr.times(nextRe).sub(ci.times(nextIm)).scale(2).add(d.times(x));
    return new Step(State.of(nextRe, nextIm), y);
  }
}

package io.recur.nn.cells;

import static io.recur.grad.Functions.cos;
import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.negate;
import static io.recur.grad.Functions.sin;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Random;

/**
 * The linear recurrent unit: a complex diagonal recurrence (Orvieto et al. 2023, <i>Resurrecting
 * Recurrent Neural Networks for Long Sequences</i>, arXiv:2303.06349, section 3 and appendix A).
 *
 * <pre>
 * λ  = exp(−exp(ν) + i·exp(θ))
 * s' = λ∘s + exp(γ)∘(B·x)
 * y  = Re(C·s') + D·x
 * </pre>
 *
 * <p>Shapes: x in × B, y out × B, the state s of n = out complex numbers as two parts re and im, n
 * × B each; B is 2·n × in, the real rows above the imaginary ones; Cr and Ci, the parts of C, out ×
 * n; D out × in; ν θ γ n; re0 and im0 n × 1. At first λ is uniform on the ring between the radii
 * 0.9 and 0.999, the paper's for long sequences, its angle uniform in 0 to 2π, γ is log √(1 −
 * |λ|²), and B and C are normal with variances 1/(2·in) and 1/n. The paper has in = out and a
 * diagonal D, {@code Matrix.diagonal(out, out)}.
 *
 * <pre>{@code
 * Recur lru = new Recur(new LRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class LRUCell extends PaperCell {
  private static final double LEAST = 0.9;
  private static final double MOST = 0.999;

  /** Draws the radii of λ uniformly in the area of the ring; γ needs them too. */
  private static final class Ring {
    private double[] squares;

    void nu(float[] values, Random random) {
      squares = new double[values.length];
      for (int i = 0; i < values.length; i++) {
        squares[i] = LEAST * LEAST + random.nextDouble() * (MOST * MOST - LEAST * LEAST);
        values[i] = (float) Math.log(-0.5 * Math.log(squares[i]));
      }
    }

    /** Is filled after ν, which stands before it among the parts. */
    void gamma(float[] values, Random random) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (0.5 * Math.log(1 - squares[i]));
      }
    }
  }

  private final Matrix b;
  private final Matrix cr;
  private final Matrix ci;
  private final Matrix d;
  private final Parameter nu;
  private final Parameter theta;
  private final Parameter gamma;

  /**
   * A cell with the paper's initial values; D is Glorot uniform.
   *
   * @param in length of x
   * @param out length of y, and of each part of the state
   */
  public LRUCell(int in, int out) {
    this(new Ring(), in, out);
  }

  private LRUCell(Ring ring, int in, int out) {
    this(
        normal(rows("LRUCell", 2, in, out), in, 1 / Math.sqrt(2.0 * in)),
        normal(out, out, 1 / Math.sqrt(out)),
        normal(out, out, 1 / Math.sqrt(out)),
        Matrix.dense(out, in),
        Parameter.of(Shape.of(out), ring::nu),
        Parameter.of(
            Shape.of(out),
            (values, random) -> {
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.log(2 * Math.PI * (1 - random.nextDouble()));
              }
            }),
        Parameter.of(Shape.of(out), ring::gamma),
        zeros(out),
        zeros(out));
  }

  /**
   * A cell from its parts, with n units of state.
   *
   * @param b 2·n × N
   * @param cr the real part of C, out × n
   * @param ci the imaginary part of C, out × n
   * @param d out × N
   * @param nu ν, n
   * @param theta θ, n
   * @param gamma γ, n
   * @param re0 the real part of the initial state, n × 1
   * @param im0 its imaginary part, n × 1
   */
  public LRUCell(
      Matrix b,
      Matrix cr,
      Matrix ci,
      Matrix d,
      Parameter nu,
      Parameter theta,
      Parameter gamma,
      Parameter re0,
      Parameter im0) {
    super(
        b.columns(),
        cr.rows(),
        matrix("B", b, (in, out) -> 2L * cr.columns(), (in, out) -> in),
        matrix("Cr", cr, (in, out) -> out, (in, out) -> cr.columns()),
        matrix("Ci", ci, (in, out) -> out, (in, out) -> cr.columns()),
        matrix("D", d, (in, out) -> out, (in, out) -> in),
        vector("nu", nu, (in, out) -> cr.columns()),
        vector("theta", theta, (in, out) -> cr.columns()),
        vector("gamma", gamma, (in, out) -> cr.columns()),
        state("re0", re0, (in, out) -> cr.columns()),
        state("im0", im0, (in, out) -> cr.columns()));
    this.b = b;
    this.cr = cr;
    this.ci = ci;
    this.d = d;
    this.nu = nu;
    this.theta = theta;
    this.gamma = gamma;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    int n = cr.columns();
    Tensor re = state.h();
    Tensor im = state.c();
    Tensor input = b.times(x);
    Tensor radius = exp(negate(exp(use(nu, state, x))));
    Tensor angle = exp(use(theta, state, x));
    Tensor real = radius.mul(cos(angle));
    Tensor imaginary = radius.mul(sin(angle));
    Tensor scale = exp(use(gamma, state, x));
    Tensor nextRe = re.mul(real).sub(im.mul(imaginary)).add(scale.mul(input.rows(0, n)));
    Tensor nextIm = im.mul(real).add(re.mul(imaginary)).add(scale.mul(input.rows(n, 2 * n)));
    Tensor y = cr.times(nextRe).sub(ci.times(nextIm)).add(d.times(x));
    return new Step(State.of(nextRe, nextIm), y);
  }
}

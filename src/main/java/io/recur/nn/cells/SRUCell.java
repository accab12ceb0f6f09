package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;

/**
 * The simple recurrent unit: gates that see the state elementwise (Lei, Zhang, Wang, Dai and Artzi
 * 2018, <i>Simple Recurrent Units for Highly Parallelizable Recurrence</i>, arXiv:1709.02755,
 * equations 1 to 4).
 *
 * <pre>
 * [f; a; r; u] = Wi·x
 * f  = σ(f + vf∘c + bf)
 * r  = σ(r + vr∘c + br)
 * c' = f∘c + (1 − f)∘a
 * y  = r∘c' + (1 − r)∘u
 * </pre>
 *
 * <p>Shapes: x in × B, c y out × B, Wi 4·out × in, vf vr bf br out, c0 out × 1. The paper, where in
 * = out, takes x itself for u: its last gate is then the identity, which a frozen block of Wi
 * holds. All vectors are zero at first.
 *
 * <pre>{@code
 * Recur sru = new Recur(new SRUCell(10, 15)).on(device, 42);
 * }</pre>
 */
public final class SRUCell extends PaperCell {
  private final Matrix wi;
  private final Parameter vf;
  private final Parameter vr;
  private final Parameter bf;
  private final Parameter br;

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public SRUCell(int in, int out) {
    this(
        Matrix.dense(rows("SRUCell", 4, in, out), in),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        Parameter.zeros(Shape.of(out)),
        zeros(out));
  }

  /**
   * A cell from its parts.
   *
   * @param wi 4·d × N
   * @param vf d
   * @param vr d
   * @param bf d
   * @param br d
   * @param c0 d × 1
   */
  public SRUCell(Matrix wi, Parameter vf, Parameter vr, Parameter bf, Parameter br, Parameter c0) {
    super(
        wi.columns(),
        c0.shape().rows(),
        input("Wi", wi, 4),
        vector("vf", vf, 1),
        vector("vr", vr, 1),
        vector("bf", bf, 1),
        vector("br", br, 1),
        state("c0", c0));
    this.wi = wi;
    this.vf = vf;
    this.vr = vr;
    this.bf = bf;
    this.br = br;
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor c = state.h();
    Tensor fromInput = wi.times(x);
    Tensor forget = sigmoid(gate(fromInput, 0).add(vf.mul(c)).add(bf));
    Tensor reset = sigmoid(gate(fromInput, 2).add(vr.mul(c)).add(br));
    Tensor next = blend(forget, c, gate(fromInput, 1));
    Tensor y = blend(reset, next, gate(fromInput, 3));
    return Step.step(next, y);
  }
}

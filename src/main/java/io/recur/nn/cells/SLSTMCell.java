package io.recur.nn.cells;

import static io.recur.grad.Functions.exp;
import static io.recur.grad.Functions.negate;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.softplus;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The sLSTM of the xLSTM: exponential gates with a normaliser n and a stabiliser m, and a
 * recurrence within heads (Beck et al. 2024, <i>xLSTM: Extended Long Short-Term Memory</i>,
 * arXiv:2405.04517, equations 8 to 17, with σ in the forget gate).
 *
 * <pre>
 * [i; f; z; o] = Wi·x + Wh·h + b
 * m' = max(i, log σ(f) + m)
 * i' = exp(i − m'),  f' = exp(log σ(f) + m − m')
 * c' = f'∘c + i'∘tanh(z)
 * n' = f'∘n + i'
 * h' = σ(o)∘c'/n'
 * </pre>
 *
 * <p>Shapes: x in × B, h c n m y out × B, Wi 4·out × in, b 4·out, h0 c0 n0 m0 out × 1. With k heads
 * of d = out/k units Wh is k matrices 4·d × d: the gates of a head see its own units alone. There
 * is one head unless given; the paper has 4. At first the biases of the forget gate fall from 5 to
 * −7 over the units of a head, as in the authors' code, all others are zero. c0 = n0 = 0 and m0 =
 * −10⁴ are not trained: m' = i in the first step, so that no n' is 0.
 *
 * <pre>{@code
 * Recur slstm = new Recur(new SLSTMCell(10, 16, 4)).on(device, 42);
 * }</pre>
 */
public final class SLSTMCell extends PaperCell {
  private static final float NOTHING = -1e4f;

  private final Matrix wi;
  private final List<Matrix> wh;
  private final Parameter b;

  /**
   * A cell of one head with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public SLSTMCell(int in, int out) {
    this(in, out, 1);
  }

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y, a multiple of heads
   * @param heads k
   * @throws ShapeException if a size is not positive or too large, or out is no multiple of heads
   */
  public SLSTMCell(int in, int out, int heads) {
    this(
        Matrix.dense(rows("SLSTMCell", 4, in, out), in),
        IntStream.range(0, checked(heads, out))
            .mapToObj(head -> Matrix.dense(4 * (out / heads), out / heads))
            .toList(),
        forgetBias(out, out / Math.max(heads, 1)),
        zeros(out),
        fixed(out, 0),
        fixed(out, 0),
        fixed(out, NOTHING));
  }

  private static int checked(int heads, int out) {
    if (heads < 1 || out % heads != 0) {
      throw new ShapeException(
          "SLSTMCell: out=%d, heads=%d; need 1 head or more, and out a multiple of the heads"
              .formatted(out, heads));
    }
    return heads;
  }

  /**
   * A cell from its parts, gates in the order input, forget, cell, output.
   *
   * @param wi 4·out × N
   * @param wh one 4·d × d per head
   * @param b 4·out
   * @param h0 out × 1
   * @param c0 out × 1
   * @param n0 out × 1
   * @param m0 out × 1
   * @throws ShapeException if there is no head, or out is no multiple of the heads
   */
  public SLSTMCell(
      Matrix wi,
      List<Matrix> wh,
      Parameter b,
      Parameter h0,
      Parameter c0,
      Parameter n0,
      Parameter m0) {
    super(wi.columns(), h0.shape().rows(), parts(wi, wh, b, h0, c0, n0, m0));
    this.wi = wi;
    this.wh = List.copyOf(wh);
    this.b = b;
  }

  private static Part[] parts(
      Matrix wi,
      List<Matrix> wh,
      Parameter b,
      Parameter h0,
      Parameter c0,
      Parameter n0,
      Parameter m0) {
    int heads = wh.size();
    if (heads == 0 || h0.shape().rows() % heads != 0) {
      throw new ShapeException(
          "SLSTMCell: out=%d, heads=%d; need 1 head or more, out a multiple of the heads"
              .formatted(h0.shape().rows(), heads));
    }
    List<Part> parts = new ArrayList<>(List.of(input("Wi", wi, 4)));
    for (int head = 0; head < heads; head++) {
      Size units = (in, out) -> out / heads;
      parts.add(matrix("Wh" + (head + 1), wh.get(head), (in, out) -> 4L * (out / heads), units));
    }
    parts.addAll(
        List.of(
            vector("b", b, 4), state("h0", h0), state("c0", c0), state("n0", n0), state("m0", m0)));
    return parts.toArray(Part[]::new);
  }

  private static Parameter fixed(int out, float value) {
    float[] values = new float[out];
    Arrays.fill(values, value);
    return Parameter.fixed(Shape.of(out, 1), values);
  }

  private static Parameter forgetBias(int out, int units) {
    return Parameter.of(
        Shape.of(4 * out),
        (values, random) -> {
          for (int i = 0; i < out; i++) {
            double share = units == 1 ? 0 : (double) (i % units) / (units - 1);
            values[out + i] = (float) (5 - 12 * Math.pow(share, 0.3));
          }
        });
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor c = state.c();
    Tensor n = state.parts().get(2);
    Tensor m = state.parts().get(3);
    Tensor fromInput = wi.times(x).add(b);
    Tensor[] fromState = ofHeads(state.h());
    Tensor input = gate(fromInput, 0).add(gate(fromState, 0));
    Tensor forget = gate(fromInput, 1).add(gate(fromState, 1));
    Tensor candidate = tanh(gate(fromInput, 2).add(gate(fromState, 2)));
    Tensor output = sigmoid(gate(fromInput, 3).add(gate(fromState, 3)));
    Tensor kept = m.sub(softplus(negate(forget))); // log σ(f) + m
    Tensor nextM = input.maximum(kept);
    Tensor inputShare = exp(input.sub(nextM));
    Tensor forgetShare = exp(kept.sub(nextM));
    Tensor nextC = forgetShare.mul(c).add(inputShare.mul(candidate));
    Tensor nextN = forgetShare.mul(n).add(inputShare);
    Tensor h = output.mul(nextC).div(nextN);
    return new Step(State.of(h, nextC, nextN, nextM), h);
  }

  /** The four gates of each head, from its part of h. */
  private Tensor[] ofHeads(Tensor h) {
    int units = out / wh.size();
    Tensor[] products = new Tensor[wh.size()];
    for (int head = 0; head < products.length; head++) {
      Tensor its = products.length == 1 ? h : h.rows(head * units, (head + 1) * units);
      products[head] = wh.get(head).times(its);
    }
    return products;
  }

  /** The rows of gate number k, of all heads. */
  private Tensor gate(Tensor[] heads, int k) {
    int units = out / heads.length;
    Tensor[] its = new Tensor[heads.length];
    for (int head = 0; head < its.length; head++) {
      its[head] = heads[head].rows(k * units, (k + 1) * units);
    }
    return its.length == 1 ? its[0] : Concat.rows(its);
  }
}

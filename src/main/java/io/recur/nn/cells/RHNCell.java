package io.recur.nn.cells;

import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;

import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The recurrent highway network: several highway layers within a step, with coupled gates (Zilly,
 * Srivastava, Koutník and Schmidhuber 2017, <i>Recurrent Highway Networks</i>, arXiv:1607.03474,
 * equations 6 to 9).
 *
 * <pre>
 * s₀ = h
 * [aₗ; tₗ] = Whₗ·sₗ₋₁ + bₗ, and Wi·x in the first layer
 * sₗ = σ(tₗ)∘tanh(aₗ) + (1 − σ(tₗ))∘sₗ₋₁ for l = 1 … L
 * h' = s of layer L
 * </pre>
 *
 * <p>Shapes: x in × B, h and y out × B, Wi 2·out × in, each Wh 2·out × out, each b 2·out, h0 out ×
 * 1. There are 3 layers unless given. The biases of the gates are −2 at first, so that a layer
 * hands its state on.
 *
 * <pre>{@code
 * Recur rhn = new Recur(new RHNCell(10, 15, 5)).on(device, 42);
 * }</pre>
 */
public final class RHNCell extends PaperCell {
  private static final int MOST_LAYERS = 1000;

  private final Matrix wi;
  private final List<Matrix> wh;
  private final List<Parameter> b;

  /**
   * A cell of 3 layers with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   */
  public RHNCell(int in, int out) {
    this(in, out, 3);
  }

  /**
   * A cell with dense weights, Glorot uniform.
   *
   * @param in length of x
   * @param out length of h and y
   * @param layers L, 1 to 1000
   * @throws ShapeException if a size is not positive or too large
   */
  public RHNCell(int in, int out, int layers) {
    this(
        Matrix.dense(rows("RHNCell", 2, in, out), in),
        IntStream.range(0, checked(layers)).mapToObj(l -> Matrix.dense(2 * out, out)).toList(),
        IntStream.range(0, layers).mapToObj(l -> bias(2, out, 1, -2)).toList(),
        zeros(out));
  }

  /**
   * A cell from its parts, rows in the order candidate, gate.
   *
   * @param wi 2·d × N
   * @param wh 2·d × d, one per layer
   * @param b 2·d, one per layer
   * @param h0 d × 1
   * @throws ShapeException if there are no layers, or not as many b as wh
   */
  public RHNCell(Matrix wi, List<Matrix> wh, List<Parameter> b, Parameter h0) {
    super(wi.columns(), h0.shape().rows(), parts(wi, wh, b, h0));
    this.wi = wi;
    this.wh = List.copyOf(wh);
    this.b = List.copyOf(b);
  }

  private static int checked(int layers) {
    if (layers < 1 || layers > MOST_LAYERS) {
      throw new ShapeException("RHNCell: layers=%d; need 1 to %d".formatted(layers, MOST_LAYERS));
    }
    return layers;
  }

  private static Part[] parts(Matrix wi, List<Matrix> wh, List<Parameter> b, Parameter h0) {
    if (wh.isEmpty() || wh.size() != b.size()) {
      throw new ShapeException(
          "RHNCell: %d of Wh, %d of b; need one of each per layer, 1 layer or more"
              .formatted(wh.size(), b.size()));
    }
    Stream<Part> layers =
        IntStream.range(0, wh.size())
            .boxed()
            .flatMap(
                l ->
                    Stream.of(
                        recurrent("Wh" + (l + 1), wh.get(l), 2),
                        vector("b" + (l + 1), b.get(l), 2)));
    return Stream.of(Stream.of(input("Wi", wi, 2)), layers, Stream.of(state("h0", h0)))
        .flatMap(part -> part)
        .toArray(Part[]::new);
  }

  @Override
  public Step step(State state, Tensor x) {
    state = check(state, x);
    Tensor h = state.h();
    for (int layer = 0; layer < wh.size(); layer++) {
      Tensor sums = wh.get(layer).times(h).add(b.get(layer));
      Tensor both = layer == 0 ? sums.add(wi.times(x)) : sums;
      h = blend(sigmoid(gate(both, 1)), tanh(gate(both, 0)), h);
    }
    return Step.step(h, h);
  }
}

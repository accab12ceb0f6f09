package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.device.Pointwise;
import io.recur.grad.Functions;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Batch normalisation of each row (Ioffe and Szegedy 2015): {@code y = (x − mean)/√(variance +
 * ε)∘gain + bias}. x is in × B or in × B × T, and y is of x's shape; PyTorch's {@code
 * nn.BatchNorm1d}.
 *
 * <p>On a tape that records, mean and population variance are those of the row over the batch and
 * time, and the running ones come nearer to them: {@code running += momentum·(present − running)},
 * with the variance of n − 1. On a tape that does not record, as with {@link Dropout}, the running
 * ones are used, and columns are independent. Running mean and variance are parameters that are not
 * trained, saved with the model. Forks share them, so only one may train at a time.
 *
 * <pre>{@code
 * Chain model = chain(dense(10, 15), batchNorm(15), dense(15, 5)).on(device, 42);
 * }</pre>
 */
public final class BatchNorm implements Layer {
  /** PyTorch's ε. */
  public static final float EPSILON = 1e-5f;

  /** PyTorch's momentum. */
  public static final float MOMENTUM = 0.1f;

  private final Parameter gain;
  private final Parameter bias;
  private final Parameter mean;
  private final Parameter variance;
  private final float epsilon;
  private final float momentum;

  /**
   * A layer with gain 1, bias 0, running mean 0 and variance 1, ε = 10⁻⁵ and momentum 0.1.
   *
   * @param in rows of x and y
   */
  public BatchNorm(int in) {
    this(in, EPSILON, MOMENTUM);
  }

  /**
   * The same with other settings.
   *
   * @param in rows of x and y
   * @param epsilon ε, 0 or more
   * @param momentum the share of the present batch in the running values, 0 to 1
   * @throws IllegalArgumentException if a setting is outside
   */
  public BatchNorm(int in, float epsilon, float momentum) {
    this(
        Parameter.of(Shape.of(in), BatchNorm::ones),
        Parameter.zeros(Shape.of(in)),
        Parameter.fixed(Shape.of(in), (values, random) -> {}),
        Parameter.fixed(Shape.of(in), BatchNorm::ones),
        epsilon,
        momentum);
  }

  /**
   * A layer from its parts.
   *
   * @param gain in
   * @param bias in
   * @param mean in, the running mean, {@linkplain Parameter#fixed not trained}
   * @param variance in, the running variance, not trained
   * @param epsilon ε, 0 or more
   * @param momentum the share of the present batch in the running values, 0 to 1
   * @throws ShapeException if the parts are not vectors of one length
   * @throws IllegalArgumentException if a setting is outside, or if a running value is trained
   */
  public BatchNorm(
      Parameter gain,
      Parameter bias,
      Parameter mean,
      Parameter variance,
      float epsilon,
      float momentum) {
    Shape shape = gain.shape();
    for (Parameter part : List.of(gain, bias, mean, variance)) {
      if (part.shape().rank() != 1 || !part.shape().equals(shape)) {
        throw new ShapeException(
            "batchNorm: gain=%s, bias=%s, mean=%s, variance=%s; need vectors of one length"
                .formatted(shape, bias.shape(), mean.shape(), variance.shape()));
      }
    }
    if (mean.isTrainable() || variance.isTrainable()) {
      throw new IllegalArgumentException(
          "batchNorm: an optimiser would change the running mean or variance; make both with"
              + " Parameter.fixed");
    }
    if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY && momentum >= 0 && momentum <= 1)) {
      throw new IllegalArgumentException(
          "batchNorm: epsilon=%s, momentum=%s; need 0 ≤ epsilon < ∞ and 0 ≤ momentum ≤ 1"
              .formatted(epsilon, momentum));
    }
    this.gain = gain.named("gain");
    this.bias = bias.named("bias");
    this.mean = mean.named("mean");
    this.variance = variance.named("variance");
    this.epsilon = epsilon;
    this.momentum = momentum;
  }

  /** {@return ε} */
  public float epsilon() {
    return epsilon;
  }

  /** {@return the share of the present batch in the running values} */
  public float momentum() {
    return momentum;
  }

  private static void ones(float[] values, Random random) {
    Arrays.fill(values, 1);
  }

  /**
   * Runs the layer.
   *
   * @param x in × B or in × B × T; of 2 columns or more on a tape that records
   * @return of x's shape
   * @throws ShapeException if x has other rows, or one column on a tape that records
   */
  @Override
  public Tensor apply(Tensor x) {
    Shape shape = x.shape();
    int rows = gain.shape().rows();
    if (shape.rows() != rows) {
      throw new ShapeException("batchNorm: x=%s; need %d rows".formatted(shape, rows));
    }
    try (OpContext context = OpContext.of("batchNorm", x)) {
      if (!context.tape().isRecording()) {
        return normalised(x, mean, Functions.sqrt(context.tape().use(variance).add(epsilon)));
      }
      int n = shape.columns();
      if (n == 1) {
        throw new ShapeException(
            "batchNorm: x=%s; need 2 columns or more to train, one has no variance"
                .formatted(shape));
      }
      Tensor columns = x.reshape(Shape.of(rows, n));
      Tensor present = columns.mean(Dimension.COLUMNS);
      Tensor spread = columns.variance(Dimension.COLUMNS);
      Tensor y = normalised(columns, present, Functions.sqrt(spread.add(epsilon)));
      follow(mean, present, 1);
      follow(variance, spread, n / (n - 1f));
      return y.reshape(shape);
    }
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  private Tensor normalised(Tensor x, Tensor centre, Tensor deviation) {
    return x.sub(centre).div(deviation).mul(gain).add(bias);
  }

  /** Moves a running value by the momentum. */
  private void follow(Parameter running, Tensor present, float factor) {
    Pointwise kernels = running.device().pointwise();
    Buffer value = running.value();
    int n = running.shape().count();
    kernels.scale(1 - momentum, value, value, n);
    kernels.addScaled(momentum * factor, present.value(), value, n);
  }

  @Override
  public List<Parameter> own() {
    return List.of(gain, bias, mean, variance);
  }

  @Override
  public List<Parameter> running() {
    return List.of(mean, variance);
  }

  @Override
  public BatchNorm on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  /** Whether the batch stays: it does, though in training each column changes all others. */
  @Override
  public boolean keepsBatch() {
    return true;
  }

  @Override
  public String describe() {
    return "BatchNorm(%d%s%s)"
        .formatted(
            gain.shape().rows(),
            epsilon == EPSILON ? "" : ", epsilon=" + epsilon,
            momentum == MOMENTUM ? "" : ", momentum=" + momentum);
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}

package io.recur.train;

import io.recur.device.Buffer;
import io.recur.device.kernels.KernelDevice;
import io.recur.nn.Parameters;
import io.recur.nn.Parameters.Span;
import java.util.List;

/**
 * Keeps gradients small.
 *
 * <pre>{@code
 * double norm = Clip.norm(model.parameters(), 5f);
 * }</pre>
 */
public final class Clip {
  private Clip() {}

  /**
   * Scales all gradients together so that their Euclidean norm is at most the limit (Pascanu et al.
   * 2013).
   *
   * @param parameters whose gradients
   * @param limit more than zero; infinite scales nothing and gives the norm alone
   * @return the norm before; not finite if a gradient is not, and then nothing is scaled
   * @throws IllegalArgumentException if the limit is not more than zero
   */
  public static double norm(Parameters parameters, float limit) {
    check(limit);
    double norm = norm(parameters);
    if (norm > limit && Double.isFinite(norm)) {
      float factor = (float) (limit / norm);
      List<Span> spans = parameters.spans();
      for (int i = 0; i < spans.size(); i++) {
        Span span = spans.get(i);
        span.gradients()
            .device()
            .pointwise()
            .scale(factor, span.gradients(), span.gradients(), span.floats());
      }
    }
    return norm;
  }

  /**
   * The Euclidean norm of all gradients.
   *
   * @param parameters whose gradients
   * @return the norm
   */
  public static double norm(Parameters parameters) {
    List<Span> spans = parameters.spans();
    double squares = 0;
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      squares +=
          span.gradients().device().pointwise().sumOfSquares(span.gradients(), span.floats());
    }
    return Math.sqrt(squares);
  }

  /** The square of the norm of all gradients, into two words of the device: one double. */
  static void squares(Parameters parameters, Buffer sum) {
    List<Span> spans = parameters.spans();
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      KernelDevice.of(sum.device()).updates().squares(i > 0, span.gradients(), span.floats(), sum);
    }
  }

  /** Scales all gradients as {@link #norm} does, with a norm that the device alone knows. */
  static void norm(Parameters parameters, float limit, Buffer squares) {
    List<Span> spans = parameters.spans();
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      KernelDevice.of(squares.device())
          .updates()
          .clipNorm(limit, squares, span.gradients(), span.floats());
    }
  }

  /**
   * Clamps every gradient to −limit … limit.
   *
   * @param parameters whose gradients
   * @param limit more than zero; infinite clamps nothing
   * @throws IllegalArgumentException if the limit is not more than zero
   */
  public static void value(Parameters parameters, float limit) {
    check(limit);
    for (Span span : parameters.spans()) {
      KernelDevice.of(span.gradients().device())
          .updates()
          .clamp(limit, span.gradients(), span.floats());
    }
  }

  private static void check(float limit) {
    if (!(limit > 0)) {
      throw new IllegalArgumentException("clip: limit=" + limit + "; need more than 0");
    }
  }
}

package io.recur.train;

import io.recur.device.Buffer;
import io.recur.device.kernels.KernelDevice;
import io.recur.nn.Parameters;
import io.recur.nn.Parameters.Part;
import io.recur.nn.Parameters.Span;
import java.util.List;

/**
 * Limits gradients. Those of {@linkplain io.recur.grad.Parameter#freeze frozen} parameters take no
 * part.
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
   * @param parameters the parameters whose gradients are scaled
   * @param limit more than 0; an infinite limit scales nothing
   * @return the norm before scaling; if it is not finite, nothing is scaled
   * @throws IllegalArgumentException if the limit is not more than 0
   */
  public static double norm(Parameters parameters, float limit) {
    check(limit);
    double norm = norm(parameters);
    if (norm > limit && Double.isFinite(norm)) {
      float factor = (float) (limit / norm);
      List<Part> parts = parameters.unfrozen();
      for (int i = 0; i < parts.size(); i++) {
        Span span = parts.get(i).memory();
        span.gradients()
            .device()
            .pointwise()
            .scale(factor, span.gradients(), span.gradients(), span.floats());
      }
    }
    return norm;
  }

  /**
   * Computes the Euclidean norm of all gradients.
   *
   * @param parameters the parameters whose gradients are read
   * @return the norm
   */
  public static double norm(Parameters parameters) {
    List<Part> parts = parameters.unfrozen();
    double squares = 0;
    for (int i = 0; i < parts.size(); i++) {
      Span span = parts.get(i).memory();
      squares +=
          span.gradients().device().pointwise().sumOfSquares(span.gradients(), span.floats());
    }
    return Math.sqrt(squares);
  }

  /** Writes the square of the norm to the device, as one double in two words. */
  static void squares(Parameters parameters, Buffer sum) {
    List<Part> parts = parameters.unfrozen();
    for (int i = 0; i < parts.size(); i++) {
      Span span = parts.get(i).memory();
      KernelDevice.of(sum.device()).updates().squares(i > 0, span.gradients(), span.floats(), sum);
    }
  }

  /** Scales all gradients as {@link #norm} does. The square of the norm stays on the device. */
  static void norm(Parameters parameters, float limit, Buffer squares) {
    List<Part> parts = parameters.unfrozen();
    for (int i = 0; i < parts.size(); i++) {
      Span span = parts.get(i).memory();
      KernelDevice.of(squares.device())
          .updates()
          .clipNorm(limit, squares, span.gradients(), span.floats());
    }
  }

  /**
   * Clamps every gradient to −limit … limit.
   *
   * @param parameters the parameters whose gradients are clamped
   * @param limit more than 0; an infinite limit clamps nothing
   * @throws IllegalArgumentException if the limit is not more than 0
   */
  public static void value(Parameters parameters, float limit) {
    check(limit);
    for (Part part : parameters.unfrozen()) {
      Span span = part.memory();
      KernelDevice.of(span.gradients().device())
          .arithmetic()
          .clamp(-limit, limit, span.gradients(), span.gradients(), span.floats());
    }
  }

  private static void check(float limit) {
    if (!(limit > 0)) {
      throw new IllegalArgumentException("clip: limit=" + limit + "; need more than 0");
    }
  }
}

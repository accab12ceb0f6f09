package io.recur.train;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.grad.Tensor;
import io.recur.nn.Parameters;

/** The loss and the gradient's norm of a step. The device computes both; one read fetches them. */
final class Measures {
  private static final int LOSS = 0;
  private static final int SQUARES = 2;
  private static final int WORDS = 4;

  private final Buffer loss;
  private final Buffer squares;
  private final Buffer words;
  private final float[] fetched = new float[WORDS];
  private int losses;

  Measures(Device device) {
    words = device.allocate(WORDS);
    loss = words.slice(LOSS, 1);
    squares = words.slice(SQUARES, 2);
  }

  /** Adds a loss to those of the step. */
  void add(Tensor value) {
    if (losses == 0) {
      loss.device().pointwise().copy(value.value(), loss, 1);
    } else {
      loss.device().pointwise().addScaled(1, value.value(), loss, 1);
    }
    losses++;
  }

  /** Forgets the losses of the step. */
  void clear() {
    losses = 0;
  }

  /**
   * Makes the gradients a mean over the losses, measures the norm, clips by it, then waits for the
   * device.
   *
   * @param parameters the parameters whose gradients are clipped
   * @param limit of the norm; infinite for none
   */
  void take(Parameters parameters, float limit) {
    if (losses > 1) {
      for (Parameters.Part part : parameters.unfrozen()) {
        Buffer g = part.memory().gradients();
        g.device().pointwise().scale(1f / losses, g, g, part.memory().floats());
      }
    }
    if (parameters.unfrozen().isEmpty()) {
      squares.device().pointwise().fill(0, squares, 2);
    }
    Clip.squares(parameters, squares);
    if (limit < Float.POSITIVE_INFINITY) {
      Clip.norm(parameters, limit, squares);
    }
    words.read(fetched);
    fetched[LOSS] /= losses;
    losses = 0;
  }

  /** {@return the mean of the losses} */
  float loss() {
    return fetched[LOSS];
  }

  /** {@return the norm of the gradient before clipping} */
  double norm() {
    long low = Float.floatToRawIntBits(fetched[SQUARES]) & 0xFFFFFFFFL;
    long high = Float.floatToRawIntBits(fetched[SQUARES + 1]);
    return Math.sqrt(Double.longBitsToDouble(high << Integer.SIZE | low));
  }
}

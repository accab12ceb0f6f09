package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.UpdateRule;

/**
 * Passes over parameters and their gradients.
 *
 * <pre>{@code
 * kernels.updates().squares(false, W.gradient(), W.shape().count(), states);
 * }</pre>
 */
public interface Updates {
  /**
   * Takes one step of an optimiser on the first {@code n} values, then sets the gradients to zero.
   *
   * @param rule the optimiser's rule
   * @param settings the rule's numbers in the order that {@link UpdateRule} documents
   * @param w parameters, changed in place
   * @param g gradients, zero afterwards
   * @param slots the rule's memory, {@link UpdateRule#slots} buffers of n values
   * @param n values
   */
  void update(UpdateRule rule, float[] settings, Buffer w, Buffer g, Buffer[] slots, long n);

  /**
   * {@code s = Σ g²}, summed in double; the result stays on the device.
   *
   * @param accumulate whether to add to s
   * @param g gradients
   * @param n values
   * @param s two words on a multiple of 8 bytes that hold one double in the order of the host
   * @throws IllegalArgumentException if s does not begin on a multiple of 8 bytes: a GPU could not
   *     read it
   */
  void squares(boolean accumulate, Buffer g, long n, Buffer s);

  /**
   * {@code g *= limit/√s} where {@code limit < √s < ∞}; otherwise g does not change.
   *
   * @param limit the largest norm that is not clipped
   * @param s the sum of {@link #squares} of all gradients that are clipped together
   * @param g changed in place
   * @param n values
   * @throws IllegalArgumentException if s does not begin on a multiple of 8 bytes
   */
  void clipNorm(float limit, Buffer s, Buffer g, long n);

  /**
   * Throws for words that a GPU could not read as a double, on every device alike.
   *
   * @param where the operation's name, for the error
   * @param s the words
   * @throws IllegalArgumentException if s does not begin on a multiple of 8 bytes
   */
  static void refuseUnaligned(String where, Buffer s) {
    long address = s.segment().address();
    if (address % Double.BYTES != 0) {
      throw new IllegalArgumentException(
          "%s: s begins %d bytes after a multiple of 8; need a double that begins on one"
              .formatted(where, address % Double.BYTES));
    }
  }
}

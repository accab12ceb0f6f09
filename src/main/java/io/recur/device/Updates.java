package io.recur.device;

/**
 * Passes over parameters and their gradients.
 *
 * <pre>{@code
 * device.updates().clamp(1f, W.gradient(), W.shape().count());
 * }</pre>
 */
public interface Updates {
  /**
   * One step of an optimiser on the first {@code n} values, after which the gradients are zero.
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
   * Clamps values to {@code −limit … limit}.
   *
   * @param limit bound, more than zero
   * @param g changed in place
   * @param n values
   */
  void clamp(float limit, Buffer g, long n);
}

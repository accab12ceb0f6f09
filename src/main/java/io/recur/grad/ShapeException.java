package io.recur.grad;

/** Sizes that do not fit together. The message names them and the rule. */
public final class ShapeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Sizes that do not fit.
   *
   * @param message {@code where: sizes; the rule or the remedy}
   */
  public ShapeException(String message) {
    super(message);
  }
}

package io.recur.device.kernels;

/**
 * The table of functions of two values, for operations and for programs of cells. Each device has
 * for each entry the value, and what the gradient of the value gives to a and to b. The tests
 * iterate over the entries. {@code docs/architecture.md} lists what a new entry touches.
 *
 * <pre>{@code
 * Instruction sum = new Instruction.Combine(2, Binary.ADD, 0, 1);
 * boolean passes = Binary.MAXIMUM.isDifferentiable();
 * }</pre>
 */
public enum Binary {
  /** {@code a + b}. */
  ADD("add"),

  /** {@code a − b}. */
  SUBTRACT("sub"),

  /** {@code a·b}. */
  MULTIPLY("mul"),

  /** {@code a/b}. */
  DIVIDE("div"),

  /** The smaller value, NaN where one is NaN; of equal values each takes half the gradient. */
  MINIMUM("minimum"),

  /** The larger value, NaN where one is NaN; of equal values each takes half the gradient. */
  MAXIMUM("maximum"),

  /** 1 where {@code a > b}, else 0. */
  GREATER("greater"),

  /** 1 where {@code a ≥ b}, else 0. */
  GREATER_EQUAL("greaterEqual"),

  /** 1 where {@code a < b}, else 0. */
  LESS("less"),

  /** 1 where {@code a ≤ b}, else 0. */
  LESS_EQUAL("lessEqual"),

  /** 1 where {@code a = b}, else 0. */
  EQUAL("equal");

  private final String label;

  Binary(String label) {
    this.label = label;
  }

  /** {@return the name of the method of a tensor, such as {@code sub}} */
  public String label() {
    return label;
  }

  /** {@return whether a gradient passes; a comparison has none} */
  public boolean isDifferentiable() {
    return ordinal() < GREATER.ordinal();
  }
}

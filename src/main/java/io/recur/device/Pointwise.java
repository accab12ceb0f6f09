package io.recur.device;

/**
 * Elementwise kernels over the first {@code n} values of their buffers. An output may be the same
 * buffer as an input, but must not overlap it in part.
 *
 * <p>Every method throws, before anything is written: {@link IndexOutOfBoundsException} if n is
 * negative or more than a buffer has, {@link IllegalArgumentException} if a buffer is of another
 * device, or n is more than the Java kernels take per call, 2³¹ − 1, {@link IllegalStateException}
 * if the device or the memory of a buffer is closed. If another thread closes that memory while a
 * method runs, the method throws the same, and its output is lost.
 *
 * <pre>{@code
 * Buffer values = device.allocate(4);
 * values.write(1, 2, 3, 4);
 * double squares = device.pointwise().sumOfSquares(values, 4);   // 30
 * }</pre>
 */
public interface Pointwise {
  /**
   * {@code y = value}.
   *
   * @param value what to fill with
   * @param y output
   * @param n values
   */
  void fill(float value, Buffer y, long n);

  /**
   * {@code y = x}.
   *
   * @param x input
   * @param y output
   * @param n values
   */
  void copy(Buffer x, Buffer y, long n);

  /**
   * {@code y = alpha·x}.
   *
   * @param alpha factor
   * @param x input
   * @param y output
   * @param n values
   */
  void scale(float alpha, Buffer x, Buffer y, long n);

  /**
   * {@code y += alpha·x}.
   *
   * @param alpha factor
   * @param x input
   * @param y input and output
   * @param n values
   */
  void addScaled(float alpha, Buffer x, Buffer y, long n);

  /**
   * {@code y = a + alpha·b}.
   *
   * @param a input
   * @param alpha factor of b
   * @param b input
   * @param y output
   * @param n values
   */
  void combine(Buffer a, float alpha, Buffer b, Buffer y, long n);

  /**
   * {@code y = a∘b}.
   *
   * @param a input
   * @param b input
   * @param y output
   * @param n values
   */
  void multiply(Buffer a, Buffer b, Buffer y, long n);

  /**
   * {@code y += a∘b}.
   *
   * @param a input
   * @param b input
   * @param y input and output
   * @param n values
   */
  void addProduct(Buffer a, Buffer b, Buffer y, long n);

  /**
   * {@code y = f(x)}.
   *
   * @param f the function
   * @param x input
   * @param y output
   * @param n values
   */
  void map(Elementwise f, Buffer x, Buffer y, long n);

  /**
   * {@code dx += dy∘f'(x)}.
   *
   * @param f the function
   * @param x the function's input
   * @param y the function's output
   * @param dy gradient of the output
   * @param dx gradient of the input, added to
   * @param n values
   */
  void addDerivative(Elementwise f, Buffer x, Buffer y, Buffer dy, Buffer dx, long n);

  /**
   * Dropout: {@code y = x / (1 - rate)} where the seeded coin keeps the value, else zero. The coin
   * of value i depends on the seed and i alone, so that the same call on the gradient is the
   * derivative.
   *
   * @param rate share of values dropped, 0 ≤ rate &lt; 1
   * @param seed of the coins
   * @param accumulate whether to add to y
   * @param x input
   * @param y output
   * @param n values
   */
  void drop(float rate, long seed, boolean accumulate, Buffer x, Buffer y, long n);

  /**
   * {@code Σ x}, summed in double.
   *
   * @param x input
   * @param n values
   * @return the sum
   */
  double sum(Buffer x, long n);

  /**
   * {@code Σ x²}, summed in double.
   *
   * @param x input
   * @param n values
   * @return the sum of squares
   */
  double sumOfSquares(Buffer x, long n);

  /**
   * {@code y[0] = alpha·Σ x}; the result stays on the device.
   *
   * @param alpha factor
   * @param x input
   * @param n values
   * @param y one value
   */
  void sumInto(float alpha, Buffer x, long n, Buffer y);

  /**
   * {@code y += alpha·s[0]} for every value of y.
   *
   * @param alpha factor
   * @param s one value
   * @param y input and output
   * @param n values
   */
  void addBroadcast(float alpha, Buffer s, Buffer y, long n);
}

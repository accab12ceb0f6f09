package io.recur.grad;

/** Seeds of the random operations of a tape: the n-th depends on the tape's seed and n alone. */
final class Draws {
  private long seed;
  private long count;

  void seed(long seed) {
    this.seed = seed;
    this.count = 0;
  }

  /** The seed of the next random operation. */
  long next() {
    long z = seed * 0x9E3779B97F4A7C15L + ++count;
    z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
    return z ^ (z >>> 32);
  }
}

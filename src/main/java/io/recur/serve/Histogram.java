package io.recur.serve;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts values by size. Any thread may add; a reader sees each value at most once, and those of
 * the last moment perhaps not yet.
 *
 * <pre>{@code
 * Histogram micros = Histogram.of(100, 1000, 10_000);
 * micros.add(250);
 * long upToAMillisecond = micros.counts()[0] + micros.counts()[1];
 * }</pre>
 */
public final class Histogram {
  private final long[] bounds;
  private final AtomicLongArray counts;
  private final AtomicLong sum = new AtomicLong();

  private Histogram(long... bounds) {
    this.bounds = bounds;
    this.counts = new AtomicLongArray(bounds.length + 1);
  }

  /**
   * Counts nothing yet.
   *
   * @param bounds growing: a value counts below the first bound that it does not exceed
   * @return the histogram
   * @throws IllegalArgumentException if the bounds do not grow
   */
  public static Histogram of(long... bounds) {
    for (int i = 1; i < bounds.length; i++) {
      if (bounds[i] <= bounds[i - 1]) {
        throw new IllegalArgumentException(
            "histogram: bounds=%s; each must be larger than the one before"
                .formatted(Arrays.toString(bounds)));
      }
    }
    return new Histogram(bounds.clone());
  }

  /**
   * Counts a value.
   *
   * @param value of any size
   */
  public void add(long value) {
    int found = Arrays.binarySearch(bounds, value);
    counts.incrementAndGet(found < 0 ? -1 - found : found);
    sum.addAndGet(value);
  }

  /** {@return the bounds} */
  public long[] bounds() {
    return bounds.clone();
  }

  /** {@return the values between two bounds each, and behind them those above the last one} */
  public long[] counts() {
    long[] now = new long[counts.length()];
    Arrays.setAll(now, counts::get);
    return now;
  }

  /** {@return the sum of all values} */
  public long sum() {
    return sum.get();
  }

  @Override
  public String toString() {
    return "Histogram(%d values, sum=%d)".formatted(Arrays.stream(counts()).sum(), sum());
  }
}

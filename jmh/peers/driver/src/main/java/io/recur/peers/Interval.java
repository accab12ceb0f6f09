package io.recur.peers;

import java.util.List;

/**
 * The ratio of two times with its 95 % interval, by Student's t on the logarithms of independent
 * ratios.
 *
 * @param low end of the interval
 * @param ratio the geometric mean
 * @param high end of the interval
 */
record Interval(double low, double ratio, double high) {
  /**
   * Student's t for 97.5 %, by degrees of freedom from 1 on. The last one serves for more degrees:
   * it is a little too large for them, so the interval is a little too wide.
   */
  private static final double[] STUDENT = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093
  };

  /**
   * The interval of ratios that were measured independently.
   *
   * @param logarithms of the ratios, at least two
   */
  static Interval of(List<Double> logarithms) {
    int n = logarithms.size();
    double mean = logarithms.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    double squares = logarithms.stream().mapToDouble(l -> (l - mean) * (l - mean)).sum();
    double t = STUDENT[Math.min(n - 1, STUDENT.length) - 1];
    double half = t * Math.sqrt(squares / (n - 1) / n);
    return new Interval(Math.exp(mean - half), Math.exp(mean), Math.exp(mean + half));
  }

  /** Both ends, in words. */
  String limits() {
    return Table.format("%.3f to %.3f", low, high);
  }
}

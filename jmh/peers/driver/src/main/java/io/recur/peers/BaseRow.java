package io.recur.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * A pass of a work, measured on an earlier commit and on the present one.
 *
 * <p>Its ratios come from fresh sets of processes: within a set the turns share what one start of a
 * JVM happens to compile and to place in memory, so a set gives one independent ratio.
 */
final class BaseRow {
  private final Job job;
  private final String pass;
  private final List<Double> baseMs = new ArrayList<>();
  private final List<Double> presentMs = new ArrayList<>();
  private final List<Double> ratios = new ArrayList<>();
  private final List<Double> noise = new ArrayList<>();
  private double difference = Double.NaN;
  private String failure;

  BaseRow(Job job, String pass) {
    this.job = job;
    this.pass = pass;
  }

  Job job() {
    return job;
  }

  String work() {
    return job.name();
  }

  String pass() {
    return pass;
  }

  /** Adds the turns of a set: the present build against itself, and the base against it. */
  void add(Turns.Pairs itself, Turns.Pairs base) {
    noise.add(Turns.median(itself.logarithms()));
    ratios.add(Turns.median(base.logarithms()));
    presentMs.addAll(base.first());
    baseMs.addAll(base.second());
  }

  /** The largest difference between the two answers. */
  void compared(double difference) {
    this.difference = difference;
  }

  double difference() {
    return difference;
  }

  void fails(String reason) {
    failure = reason;
  }

  /** Why there is no figure, or null. */
  String failure() {
    return failure;
  }

  double baseMs() {
    return Turns.median(baseMs);
  }

  double presentMs() {
    return Turns.median(presentMs);
  }

  /** The base's time over the present one: above 1 the present commit is faster. */
  Interval ratio() {
    return Interval.of(ratios);
  }

  /** The same of the present build against itself. */
  Interval noise() {
    return Interval.of(noise);
  }

  /** Whether even the upper end of the interval is below the limit. */
  boolean isSlower(double limit) {
    return failure == null && ratio().high() < limit;
  }
}

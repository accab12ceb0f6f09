package io.recur.cli;

import java.util.Locale;

/** Decides when a training stops and when it saves, and measures its speed. */
final class Pace {
  private static final double SMOOTHING = 0.98;

  private final long start = System.nanoTime();
  private final double limit;
  private final double saveSeconds;
  private double saved;
  private long characters;
  private double smoothed = Double.NaN;

  Pace(double minutes, double saveSeconds) {
    this.limit = minutes * 60;
    this.saveSeconds = saveSeconds;
  }

  double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  boolean isOver() {
    return seconds() >= limit;
  }

  boolean isTimeToSave() {
    if (seconds() - saved < saveSeconds) {
      return false;
    }
    saved = seconds();
    return true;
  }

  /** Counts a step and returns the smoothed loss and the speed, as text. */
  String after(double bits, int more) {
    characters += more;
    smoothed = Double.isNaN(smoothed) ? bits : SMOOTHING * smoothed + (1 - SMOOTHING) * bits;
    return String.format(
        Locale.ROOT, "%.3f bits, %.1f kchars/s", smoothed, characters / seconds() / 1e3);
  }
}

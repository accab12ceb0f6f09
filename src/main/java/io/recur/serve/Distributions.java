package io.recur.serve;

/**
 * How large the batches of sessions are, and how long their requests wait, since the sessions were
 * opened.
 *
 * <pre>{@code
 * Histogram waits = Distributions.of(sessions).waits();
 * }</pre>
 *
 * @param batches sessions per step of the model
 * @param waits µs from when a request is sent until its batch begins, of those that are stepped
 */
public record Distributions(Histogram batches, Histogram waits) {
  /** Nothing yet: batches by powers of two, waits from 10 µs to 10 s. */
  Distributions() {
    this(
        Histogram.of(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        Histogram.of(
            10,
            20,
            50,
            100,
            200,
            500,
            1_000,
            2_000,
            5_000,
            10_000,
            20_000,
            50_000,
            100_000,
            200_000,
            500_000,
            1_000_000,
            10_000_000));
  }

  /**
   * Those of some sessions, which go on to count.
   *
   * @param sessions open or closed
   * @return their distributions
   */
  public static Distributions of(Sessions sessions) {
    return sessions.calls().distributions();
  }
}

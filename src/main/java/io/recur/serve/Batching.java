package io.recur.serve;

/**
 * How requests that wait are stepped together. Without any setting the size of a batch follows the
 * load: whatever waits when a step has ended is the next batch, so that a single request is stepped
 * at once, and a thousand are stepped in few batches.
 *
 * <p>A session is in a batch once. Its next request gets its turn behind those that wait by then,
 * so that a session with many requests takes one place per batch. Turns come in order.
 *
 * <pre>{@code
 * Batching patient = Batching.ADAPTIVE.withLargest(64).withLongestWait(200);
 * Sessions sessions = Sessions.open(model, device, patient);
 * }</pre>
 *
 * @param largest the most sessions of a batch
 * @param longestWaitMicros how long a batch that is not full waits for more, in µs; 0 for not at
 *     all. A request waits for others for at most half of its deadline.
 * @param mostWaiting the most requests that wait; a further one is rejected
 */
public record Batching(int largest, long longestWaitMicros, int mostWaiting) {
  /** Batches of what waits, at most 256; at most 65 536 requests wait. */
  public static final Batching ADAPTIVE = new Batching(256, 0, 1 << 16);

  private static final int MOST = 1 << 24;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if a number is out of its bounds
   */
  public Batching {
    if (largest < 1 || largest > MOST || mostWaiting < 1 || mostWaiting > MOST) {
      throw new IllegalArgumentException(
          "batching: largest=%d, mostWaiting=%d; need 1 to %d each"
              .formatted(largest, mostWaiting, MOST));
    }
    if (longestWaitMicros < 0 || longestWaitMicros > 1_000_000) {
      throw new IllegalArgumentException(
          "batching: longestWaitMicros=%d; need 0 to 1 000 000".formatted(longestWaitMicros));
    }
  }

  /**
   * These settings with another largest batch.
   *
   * @param sessions the most sessions of a batch
   * @return the settings
   */
  public Batching withLargest(int sessions) {
    return new Batching(sessions, longestWaitMicros, mostWaiting);
  }

  /**
   * These settings with another wait for a batch that is not full.
   *
   * @param micros in µs
   * @return the settings
   */
  public Batching withLongestWait(long micros) {
    return new Batching(largest, micros, mostWaiting);
  }

  /**
   * These settings with another bound of the requests that wait.
   *
   * @param requests the most that wait
   * @return the settings
   */
  public Batching withMostWaiting(int requests) {
    return new Batching(largest, longestWaitMicros, requests);
  }
}

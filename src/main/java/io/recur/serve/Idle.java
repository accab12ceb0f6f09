package io.recur.serve;

import java.time.InstantSource;
import java.util.Objects;

/**
 * When sessions leave memory for a store: after a time in which nobody has called for them. They
 * come back by themselves, at the next call for them.
 *
 * <pre>{@code
 * try (FileStore store = FileStore.open(path);
 *     Sessions idle = Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
 *   idle.open(7);
 * }
 * }</pre>
 *
 * @param millis after which a session is idle, in ms
 * @param store where it goes; its owner closes it after the sessions
 * @param clock which may jump: backward counts as no time
 */
public record Idle(long millis, SessionStore store, InstantSource clock) {
  /**
   * Checks the time.
   *
   * @throws IllegalArgumentException if it is less than 1 ms
   */
  public Idle {
    Objects.requireNonNull(store, "store");
    Objects.requireNonNull(clock, "clock");
    if (millis < 1) {
      throw new IllegalArgumentException("idle: millis=" + millis + "; need 1 or more");
    }
  }

  /**
   * Sessions leave memory after some time of the system's clock.
   *
   * @param millis after which a session is idle, in ms
   * @param store where it goes
   * @return when they leave
   */
  public static Idle after(long millis, SessionStore store) {
    return new Idle(millis, store, InstantSource.system());
  }
}

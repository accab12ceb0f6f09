package io.recur.device.memory;

import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * How long memory lives: as long as it is reachable, or until it is closed. A cleaner closes memory
 * that becomes unreachable without a close. Every buffer in the memory refers to its lifetime, so
 * the cleaner never frees memory that a buffer still uses.
 */
public final class Lifetime {
  static final Cleaner CLEANER = Cleaner.create();

  private final Arena arena;
  private final Cleaner.@Nullable Cleanable unreachable;

  /** Ends an arena once. It must not refer to the {@link Lifetime}, not even through others. */
  private record End(Arena arena, Runnable then) implements Runnable {
    @Override
    public void run() {
      if (arena.scope().isAlive()) {
        arena.close();
      }
      then.run();
    }
  }

  /** A lifetime that ends by itself when it is unreachable. */
  public Lifetime() {
    this.arena = Arena.ofAuto();
    this.unreachable = null;
  }

  /**
   * Begins a lifetime that {@link #close} or a cleaner ends.
   *
   * @param then runs once after the end
   */
  public Lifetime(Runnable then) {
    this.arena = Arena.ofShared();
    this.unreachable = CLEANER.register(this, new End(arena, then));
  }

  /**
   * Returns the arena that allocates the memory.
   *
   * @return an arena that only {@link #close} may close
   */
  public Arena arena() {
    return arena;
  }

  /**
   * Tells whether {@link #close} ends this lifetime.
   *
   * @return false if it ends by itself
   */
  public boolean isCloseable() {
    return unreachable != null;
  }

  /**
   * Tells whether this lifetime has not ended.
   *
   * @return whether the memory may be used
   */
  public boolean isAlive() {
    return arena.scope().isAlive();
  }

  /**
   * Ends the lifetime. A second call does nothing.
   *
   * @throws IllegalStateException if another thread computes with the memory; nothing is then
   *     freed, and a later call frees it
   */
  public void close() {
    if (unreachable == null) {
      return;
    }
    try {
      if (isAlive()) {
        arena.close();
      }
    } catch (IllegalStateException e) {
      if (isAlive()) {
        throw new IllegalStateException(
            "close: another thread computes with this memory; close it again when that call has"
                + " returned",
            e);
      }
    }
    unreachable.clean();
  }
}

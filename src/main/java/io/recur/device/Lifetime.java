package io.recur.device;

import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * How long memory lives: until nothing refers to it, or until it is closed. What should be closed
 * and becomes unreachable instead is closed by a cleaner. Every buffer in the memory refers to its
 * lifetime, so that the cleaner takes it from nobody.
 */
final class Lifetime {
  static final Cleaner CLEANER = Cleaner.create();

  private final Arena arena;
  private final Cleaner.@Nullable Cleanable unreachable;

  /** Counts writes, and keeps the memory alive for the buffers over it. */
  static final class Block extends Buffer.Writes {
    private final Lifetime lifetime;

    Block(Lifetime lifetime) {
      this.lifetime = lifetime;
    }

    Arena arena() {
      return lifetime.arena;
    }
  }

  /** Ends an arena once; what it refers to must not lead to the {@link Lifetime}. */
  private record End(Arena arena, Runnable then) implements Runnable {
    @Override
    public void run() {
      if (arena.scope().isAlive()) {
        arena.close();
      }
      then.run();
    }
  }

  /** The lifetime of what nothing refers to any more ends by itself. */
  Lifetime() {
    this.arena = Arena.ofAuto();
    this.unreachable = null;
  }

  /**
   * A lifetime that {@link #close} ends, or a cleaner.
   *
   * @param then runs once after the end
   */
  Lifetime(Runnable then) {
    this.arena = Arena.ofShared();
    this.unreachable = CLEANER.register(this, new End(arena, then));
  }

  Arena arena() {
    return arena;
  }

  boolean isCloseable() {
    return unreachable != null;
  }

  boolean isAlive() {
    return arena.scope().isAlive();
  }

  /**
   * Ends it; a second call does nothing.
   *
   * @throws IllegalStateException if another thread computes with the memory; nothing has then been
   *     given back, and a later call does
   */
  void close() {
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

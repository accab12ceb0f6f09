package io.recur.device.memory;

import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * How long memory lives: until nothing refers to it, or until it is closed. What should be closed
 * and becomes unreachable instead is closed by a cleaner. Every buffer in the memory refers to its
 * lifetime, so that the cleaner takes it from nobody.
 */
public final class Lifetime {
  static final Cleaner CLEANER = Cleaner.create();

  private final Arena arena;
  private final Cleaner.@Nullable Cleanable unreachable;

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
  public Lifetime() {
    this.arena = Arena.ofAuto();
    this.unreachable = null;
  }

  /**
   * A lifetime that {@link #close} ends, or a cleaner.
   *
   * @param then runs once after the end
   */
  public Lifetime(Runnable then) {
    this.arena = Arena.ofShared();
    this.unreachable = CLEANER.register(this, new End(arena, then));
  }

  /**
   * What the memory is allocated in.
   *
   * @return the arena, to be closed by {@link #close} alone
   */
  public Arena arena() {
    return arena;
  }

  /**
   * Whether {@link #close} ends it.
   *
   * @return false where it ends by itself
   */
  public boolean isCloseable() {
    return unreachable != null;
  }

  /**
   * Whether it has not ended.
   *
   * @return whether the memory may be used
   */
  public boolean isAlive() {
    return arena.scope().isAlive();
  }

  /**
   * Ends it; a second call does nothing.
   *
   * @throws IllegalStateException if another thread computes with the memory; nothing has then been
   *     given back, and a later call does
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

package io.recur.serve;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Where calls of any thread wait for the stepping thread: a stack without locks that it empties at
 * once and turns over, so that calls come out in the order in which they were sent.
 */
final class Inbox {
  private static final VarHandle TOP;

  static {
    try {
      TOP = MethodHandles.lookup().findVarHandle(Inbox.class, "top", Waiting.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** On one processor nobody can send a call meanwhile. */
  private static final long LOOK_NANOS =
      Runtime.getRuntime().availableProcessors() > 1 ? 20_000 : 0;

  /** At the bottom of the stack for ever once nobody empties it any more. */
  private final Waiting end = new Waiting(Waiting.Kind.IS_OPEN, Id.of(0));

  private final int most;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong rejected = new AtomicLong();

  private volatile @Nullable Waiting top;

  /** Whether new calls are refused. */
  private volatile boolean isRefusing;

  /** The thread that empties it, while it sleeps. */
  private volatile @Nullable Thread sleeper;

  /** What ended the stepping thread, unless it was closed. */
  private volatile @Nullable Throwable cause;

  Inbox(int most) {
    this.most = most;
  }

  /** The calls that wait: sent, and not yet taken by {@link #taken}. */
  int waiting() {
    return waiting.get();
  }

  long rejected() {
    return rejected.get();
  }

  /** Refuses new calls from now on. */
  void refuse() {
    isRefusing = true;
    wake();
  }

  boolean isRefusing() {
    return isRefusing;
  }

  /** Sends a call, or ends it at once where it is refused. */
  void send(Waiting call) {
    if (isRefusing) {
      call.completeExceptionally(closed());
      return;
    }
    if (waiting.incrementAndGet() > most && call.kind == Waiting.Kind.STEP) {
      waiting.decrementAndGet();
      rejected.incrementAndGet();
      call.completeExceptionally(Refusals.overfull(call.id, most));
      return;
    }
    Waiting below;
    do {
      below = top;
      if (below == end) {
        call.completeExceptionally(closed());
        return;
      }
      call.below = below;
    } while (!TOP.compareAndSet(this, below, call));
    wake();
  }

  /** The error of a call that comes too late. */
  SessionException closed() {
    Throwable why = cause;
    SessionException closed =
        new SessionException(
            SessionException.Reason.CLOSED,
            why == null
                ? "sessions: they were closed; open others for the model"
                : "sessions: the stepping thread has ended with an error, see the cause");
    closed.initCause(why);
    return closed;
  }

  private void wake() {
    Thread thread = sleeper;
    if (thread != null) {
      sleeper = null; // or each call until it is awake would wake it again
      LockSupport.unpark(thread);
    }
  }

  /** Notes that calls wait no longer. */
  void taken(int calls) {
    waiting.addAndGet(-calls);
  }

  /** All calls since the last time, the first one first, linked by {@link Waiting#below}. */
  @Nullable Waiting empty() {
    return top == null ? null : turned((Waiting) TOP.getAndSet(this, (Waiting) null));
  }

  /**
   * The last calls; whoever sends one later is refused.
   *
   * @param why the error of the stepping thread, if it ends with one
   */
  @Nullable Waiting end(@Nullable Throwable why) {
    cause = why;
    isRefusing = true;
    return turned((Waiting) TOP.getAndSet(this, end));
  }

  private @Nullable Waiting turned(@Nullable Waiting from) {
    Waiting turned = null;
    Waiting call = from;
    while (call != null && call != end) {
      Waiting below = call.below;
      call.below = turned;
      turned = call;
      call = below;
    }
    return turned;
  }

  /**
   * Waits until a call is there, or for some time; it may end early. It looks for a call for as
   * long as a sleep and a wake cost, before it sleeps.
   */
  void await(long nanos) {
    long end = System.nanoTime() + Math.min(nanos, LOOK_NANOS);
    while (System.nanoTime() - end < 0) {
      if (top != null || isRefusing) {
        return;
      }
      Thread.onSpinWait();
    }
    sleeper = Thread.currentThread();
    if (top == null && !isRefusing) {
      if (nanos == Long.MAX_VALUE) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, nanos);
      }
    }
    sleeper = null;
  }
}

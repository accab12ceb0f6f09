package io.recur.serve;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A call that waits for the stepping thread, and its answer. Whoever calls makes it, and writes no
 * field after it is in the {@link Inbox}; the stepping thread alone uses the fields from then on.
 */
class Waiting extends CompletableFuture<float[]> {
  /** What is asked for. Whatever is no step is done at its turn by itself. */
  enum Kind {
    STEP,
    OPEN,
    IS_OPEN,
    COUNT,
    SAVE,
    RESTORE,
    FORK,
    RESET,
    CLOSE,
    STORE,
    RESTORE_ALL,
    REPLACE,
    KEEP,
    VERSIONS,
    VERSION;

    /** Whether it is of one session, and done after the calls for it that were sent before. */
    boolean isOfSession() {
      return switch (this) {
        case OPEN, IS_OPEN, COUNT, STORE, RESTORE_ALL, REPLACE, KEEP, VERSIONS -> false;
        case STEP, SAVE, RESTORE, FORK, RESET, CLOSE, VERSION -> true;
      };
    }
  }

  final Kind kind;
  final Id id;
  final long sent = System.nanoTime();

  /** The input of a step. */
  @Nullable Request request;

  /** The hash of the id. */
  long hash;

  // Of the stepping thread.

  /** The one that was sent before this one. */
  @Nullable Waiting below;

  /** The next one of the same session. */
  @Nullable Waiting after;

  /** The next one of the same kind. */
  @Nullable Waiting behind;

  /** The row of the session; none of a step of no session. */
  int row;

  /** Whether the session was not open before this step, which starts it. */
  boolean hasOpened;

  int ticket;

  /** Counts the turns: that with the lowest number comes first. */
  long turn;

  /** The rows of the answer; written before the answer is given. */
  int answerRows;

  Waiting(Kind kind, Id id) {
    this.kind = kind;
    this.id = id;
  }

  static Waiting step(Id id, Request request) {
    Waiting step = new Waiting(Kind.STEP, id);
    step.request = Objects.requireNonNull(request, "request");
    return step;
  }

  /** A step of a state that begins with it, and that nobody keeps. */
  static Waiting stepOnce(Request request) {
    return step(Id.NOBODY, request);
  }

  /** Whether it is of one session, and done after the calls for it that were sent before. */
  boolean isOfSession() {
    return kind.isOfSession() && id != Id.NOBODY;
  }

  /** Whether a step, whose turn in its session has come, begins from the initial state. */
  boolean isFirst() {
    return request != null && (request.isStarting || row == Table.NONE);
  }

  /** Whether its session closes with it: one that it ends, or that it has opened in vain. */
  boolean isLast(boolean isAnswered, boolean isFailed) {
    if (request == null) {
      return kind == Kind.CLOSE;
    }
    return isAnswered ? request.isEnding : hasOpened && !isFailed;
  }

  boolean hasDeadline() {
    return request != null && request.micros >= 0;
  }

  /** Whether its deadline has passed. */
  boolean isLate(long now) {
    return request != null && request.micros >= 0 && (now - sent) / 1000 >= request.micros;
  }

  /** Until when it waits for others: for some µs, but for at most half of its own time. */
  long due(long longestMicros) {
    boolean isShort = request != null && hasDeadline() && request.micros / 2 < longestMicros;
    return sent + 1000 * (isShort ? request.micros / 2 : longestMicros);
  }
}

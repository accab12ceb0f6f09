package io.recur.serve.http;

import io.recur.serve.Request;
import io.recur.serve.SessionException;
import io.recur.serve.SessionException.Reason;
import io.recur.serve.Sessions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The sequences of a model: its sessions, opened up to a bound by requests that start a sequence,
 * and closed by those that end it. A request of no sequence has a session for itself alone.
 */
final class Sequences {
  private static final int PREFIX_BYTES = 8;

  private final ServedModel model;
  private final Sessions sessions;
  private final int most;

  /** Before the numbers of sessions of a single request, so that they meet no client's. */
  private final String prefix;

  private final AtomicLong single = new AtomicLong();
  private final ReentrantLock opening = new ReentrantLock();

  /** No more than these were open when they were counted last, and were opened since. */
  private long known;

  Sequences(ServedModel model, int most) {
    this.model = model;
    this.sessions = model.sessions();
    this.most = most;
    byte[] random = new byte[PREFIX_BYTES];
    new SecureRandom().nextBytes(random);
    this.prefix = "request-%s-".formatted(HexFormat.of().formatHex(random));
  }

  Sessions sessions() {
    return sessions;
  }

  /** An id that no client has. */
  SequenceId nextSingle() {
    return SequenceId.of(prefix + single.incrementAndGet());
  }

  /** Steps a session that is there for this request alone. */
  float[] single(Request request) {
    SequenceId id = nextSingle();
    id.open(sessions);
    try {
      return id.step(sessions, request);
    } finally {
      id.close(sessions);
    }
  }

  /** Steps a sequence, which starts before it and ends behind it where the request says so. */
  float[] step(SequenceId id, Request request, boolean isStart, boolean isEnd) {
    boolean isNew = isStart && start(id);
    float[] answer;
    try {
      answer = id.step(sessions, request);
    } catch (SessionException e) {
      if (e.reason() == Reason.UNKNOWN) {
        throw new Refusal(
            Refusal.NOT_FOUND,
            "sequence %s of %s is not open; start it with sequence_start"
                .formatted(id.json(), model.name()));
      }
      undo(id, isNew && e.reason() != Reason.FAILED);
      throw e;
    } catch (RuntimeException e) {
      undo(id, isNew);
      throw e;
    }
    if (isEnd) {
      end(id);
    }
    return answer;
  }

  /** Closes a session whose first step was refused: nothing has started. */
  private void undo(SequenceId id, boolean isNew) {
    if (isNew) {
      end(id);
    }
  }

  /** Closes a sequence, unless another request has. */
  void end(SequenceId id) {
    try {
      id.close(sessions);
    } catch (SessionException e) {
      if (e.reason() != Reason.UNKNOWN) {
        throw e;
      }
    }
  }

  /** Opens a session, or resets it where it is open. Returns whether it was opened. */
  boolean start(SequenceId id) {
    if (most > 0) {
      opening.lock();
      try {
        if (known >= most) {
          known = sessions.counts().sessions();
        }
        if (known >= most) {
          return startOpen(id);
        }
        return opened(id);
      } finally {
        opening.unlock();
      }
    }
    return opened(id);
  }

  private boolean opened(SequenceId id) {
    try {
      id.open(sessions);
      known++;
      return true;
    } catch (SessionException e) {
      if (e.reason() != Reason.OPEN) {
        throw e;
      }
      id.reset(sessions);
      return false;
    }
  }

  /** Resets a session; there is no place for another one. */
  private boolean startOpen(SequenceId id) {
    try {
      id.reset(sessions);
      return false;
    } catch (SessionException e) {
      if (e.reason() != Reason.UNKNOWN) {
        throw e;
      }
      throw full();
    }
  }

  /** Whether one more session may open; refuses it where not. */
  void requirePlace() {
    if (most == 0) {
      return;
    }
    opening.lock();
    try {
      known = sessions.counts().sessions();
      if (known >= most) {
        throw full();
      }
      known++;
    } finally {
      opening.unlock();
    }
  }

  private Refusal full() {
    return new Refusal(
        Refusal.TOO_MANY,
        "sequences: %d of %s are open, as many as may; end some with sequence_end, or try later"
            .formatted(known, model.name()),
        1);
  }
}

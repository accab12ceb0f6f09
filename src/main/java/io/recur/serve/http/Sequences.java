package io.recur.serve.http;

import io.recur.serve.Request;
import io.recur.serve.SessionException;
import io.recur.serve.SessionException.Reason;
import io.recur.serve.Sessions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The sequences of a model: its sessions, opened up to a bound by requests that start a sequence,
 * and closed by those that end it. A request of no sequence has no session. Each request is one
 * call of the sessions.
 */
final class Sequences {
  private static final int PREFIX_BYTES = 8;

  private final String name;
  private final Sessions sessions;
  private final int most;

  /** Before the numbers of sessions of a single text, so that they meet no client's. */
  private final String prefix;

  private final AtomicLong single = new AtomicLong();
  private final ReentrantLock opening = new ReentrantLock();

  /**
   * No more than these were open when they were counted last, and were started since; at first
   * nobody has counted.
   */
  private long known = Long.MAX_VALUE;

  Sequences(ServedModel model, int most) {
    this.name = model.name();
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

  /** The number of the version that steps a sequence. */
  int version(SequenceId id) {
    try {
      return id.version(sessions);
    } catch (SessionException e) {
      throw told(id, e);
    }
  }

  /** Steps a request of no sequence. */
  float[] single(Request request) {
    return sessions.stepOnce(request);
  }

  /** Steps a sequence, which starts with the request and ends with it where it says so. */
  float[] step(SequenceId id, Request request, boolean isStart) {
    try {
      return (isStart ? started(id, request.starting()) : id.send(sessions, request)).join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case SessionException cause -> throw told(id, cause);
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  private RuntimeException told(SequenceId id, SessionException e) {
    return e.reason() == Reason.UNKNOWN
        ? new Refusal(
            Refusal.NOT_FOUND,
            "sequence %s of %s is not open; start it with sequence_start"
                .formatted(id.json(), name))
        : e;
  }

  /**
   * Sends a request that starts a sequence, where there is a place for it. It is sent before the
   * next one is counted.
   */
  private CompletableFuture<float[]> started(SequenceId id, Request request) {
    if (most == 0) {
      return id.send(sessions, request);
    }
    opening.lock();
    try {
      if (known >= most) {
        known = sessions.counts().sessions();
      }
      if (known >= most && !id.isOpen(sessions)) {
        throw full();
      }
      known++;
      return id.send(sessions, request);
    } finally {
      opening.unlock();
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
            .formatted(known, name),
        1);
  }
}

package io.recur.serve;

import io.recur.serve.SessionException.Reason;

/** What callers are told whose calls are not served. */
final class Refusals {
  private Refusals() {}

  static SessionException unknown(Id id) {
    return new SessionException(
        Reason.UNKNOWN, "sessions: id=%s is not open; open or restore it first".formatted(id));
  }

  static SessionException open(Id id) {
    return new SessionException(
        Reason.OPEN,
        "sessions: id=%s is open; close or reset it, or take another id".formatted(id));
  }

  static SessionException failed(Id id, String what) {
    return new SessionException(
        Reason.FAILED,
        id == Id.NOBODY
            ? "sessions: a step of no session: " + what
            : "sessions: id=%s: %s; its state is the one before, reset or restore it"
                .formatted(id, what));
  }

  static SessionException version(Waiting step, int its) {
    return new SessionException(
        Reason.VERSION,
        "sessions: a request of version %d; %s is stepped by version %d"
            .formatted(
                step.request.version, step.isFirst() ? "a new session" : "id=" + step.id, its));
  }

  static SessionException overfull(Id id, int most) {
    return new SessionException(
        Reason.OVERFULL,
        "sessions: id=%s, waiting=%d, as many as may; send it again later, or raise mostWaiting"
            .formatted(id, most));
  }

  static SessionException late(Waiting step, long now) {
    return new SessionException(
        Reason.LATE,
        "sessions: id=%s, within=%d µs, waited=%d µs; it did not step, send it again"
            .formatted(step.id, step.request.micros, (now - step.sent) / 1000));
  }

  static SessionException passed(Waiting step, long last) {
    return new SessionException(
        Reason.PASSED,
        "sessions: id=%s, number=%d, last number=%d; the answer of the last step alone is kept"
            .formatted(step.id, step.request.number, last));
  }
}

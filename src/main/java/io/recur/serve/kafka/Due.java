package io.recur.serve.kafka;

import io.recur.serve.Request;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** A record of a batch, and what became of it: an answer, or the reason why there is none. */
final class Due<K, V> {
  final WaitingRecord<K, V> waiting;

  /** Its place in the store of those that wait. */
  final int place;

  /** The bytes of its key, which name the session. */
  final @Nullable Bytes session;

  /** What it steps; none where it closes the session, or where there is a reason. */
  final @Nullable Request request;

  float @Nullable [] answer;
  @Nullable RuntimeException reason;

  Due(WaitingRecord<K, V> waiting, int place, Bytes session, @Nullable Request request) {
    this.waiting = waiting;
    this.place = place;
    this.session = session;
    this.request = request;
  }

  /** A record that cannot be stepped. */
  Due(WaitingRecord<K, V> waiting, int place, RuntimeException reason) {
    this.waiting = waiting;
    this.place = place;
    this.session = null;
    this.request = null;
    this.reason = reason;
  }

  boolean isClosing() {
    return waiting.record().value() == null;
  }
}

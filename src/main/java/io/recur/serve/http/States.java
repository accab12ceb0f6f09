package io.recur.serve.http;

import io.recur.serve.Sessions;
import java.io.IOException;
import java.nio.ByteBuffer;

/** States of sequences as bytes: get, put, fork, reset, delete. */
final class States {
  private static final int CREATED = 201;

  private final Sequences sequences;
  private final Sessions sessions;

  States(Sequences sequences) {
    this.sequences = sequences;
    this.sessions = sequences.sessions();
  }

  Reply isOpen(SequenceId id) {
    if (!id.isOpen(sessions)) {
      throw new Refusal(Refusal.NOT_FOUND, "sequence %s is not open".formatted(id.json()));
    }
    return done(id);
  }

  Reply get(SequenceId id) {
    return Reply.of(Reply.BYTES, id.save(sessions));
  }

  Reply put(SequenceId id, Call call) throws IOException {
    byte[] state = call.body();
    if (!id.isOpen(sessions)) {
      sequences.requirePlace();
    }
    id.restore(sessions, state);
    return done(id);
  }

  Reply reset(SequenceId id) {
    id.reset(sessions);
    return done(id);
  }

  Reply delete(SequenceId id) {
    id.close(sessions);
    return done(id);
  }

  /** Opens the sequence that the body names, with the state of another one. */
  Reply fork(SequenceId id, Call call) throws IOException {
    Fields json = Fields.of("body", ByteBuffer.wrap(call.body()));
    SequenceId other = SequenceId.of(json.value("to"));
    if (other == null) {
      throw json.wrong("to", "the sequence_id of the fork");
    }
    sequences.requirePlace();
    if (id.text() == null && other.text() == null) {
      sessions.fork(id.number(), other.number());
    } else if (id.text() != null && other.text() != null) {
      sessions.fork(id.text(), other.text());
    } else {
      byte[] state = id.save(sessions);
      other.open(sessions); // refuses one that is open
      other.restore(sessions, state);
    }
    return Reply.json(CREATED, "{\"sequence_id\": %s}".formatted(other.json()));
  }

  private static Reply done(SequenceId id) {
    return Reply.json("{\"sequence_id\": %s}".formatted(id.json()));
  }
}

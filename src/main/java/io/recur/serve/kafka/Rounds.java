package io.recur.serve.kafka;

import io.recur.device.DeviceException;
import io.recur.serve.Request;
import io.recur.serve.RequestBatch;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Function;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Steps the records of a batch in rounds: in each round at most one of each session, so that those
 * of a session are stepped in order. It reads states and writes none.
 */
final class Rounds<K, V> implements AutoCloseable {
  /** A session in a batch. */
  static final class Session<K, V> {
    final K key;

    /** Its state; none where it begins. */
    byte @Nullable [] state;

    /** Whether the state is another one than that in the store. */
    boolean isChanged;

    private final Queue<Due<K, V>> queue = new ArrayDeque<>();

    private Session(K key, byte @Nullable [] state) {
      this.key = key;
      this.state = state;
    }

    private void become(byte @Nullable [] other) {
      state = other;
      isChanged = true;
    }
  }

  private final Settings settings;
  private final RequestBatch batch;
  private final MemorySegment fresh;
  private final List<Session<K, V>> round = new ArrayList<>();
  private final Request[] requests;
  private final MemorySegment[] from;
  private final MemorySegment[] to;
  private final long[] at;

  Rounds(Settings settings) {
    this.settings = settings;
    this.batch = new RequestBatch(settings.model().fork(), settings.device(), settings.largest());
    this.fresh = MemorySegment.ofArray(settings.bytes().fresh());
    this.requests = new Request[settings.largest()];
    this.from = new MemorySegment[settings.largest()];
    this.to = new MemorySegment[settings.largest()];
    this.at = new long[settings.largest()];
    Arrays.fill(at, StateBytes.HEADER);
  }

  /**
   * Steps records; each then has an answer or a reason, unless it closes its session.
   *
   * @param all without a reason, in the order in which they came
   * @param states gives the state of a session; null where it has none
   * @return their sessions
   */
  Collection<Session<K, V>> run(List<Due<K, V>> all, Function<K, byte @Nullable []> states) {
    Map<Bytes, Session<K, V>> sessions = new LinkedHashMap<>();
    for (Due<K, V> due : all) {
      K key = due.waiting.record().key();
      sessions
          .computeIfAbsent(due.session, its -> new Session<>(key, states.apply(key)))
          .queue
          .add(due);
    }
    List<Session<K, V>> open = new ArrayList<>(sessions.values());
    while (true) {
      open.forEach(Rounds::close);
      open.removeIf(session -> session.queue.isEmpty());
      if (open.isEmpty()) {
        return sessions.values();
      }
      gather(open);
      step(round);
    }
  }

  /** Closes a session as often as its next records say so. */
  private static <K, V> void close(Session<K, V> session) {
    while (!session.queue.isEmpty() && session.queue.element().isClosing()) {
      session.queue.remove();
      session.become(null);
    }
  }

  /** Chooses sessions whose next steps can be one batch: those like the oldest. */
  private void gather(List<Session<K, V>> open) {
    round.clear();
    Request kind = open.getFirst().queue.element().request;
    for (Session<K, V> session : open) {
      if (round.size() < requests.length && session.queue.element().request.isLike(kind)) {
        round.add(session);
      }
    }
  }

  /**
   * Steps sessions as one batch. Where the model throws, each by itself: the record that it refuses
   * is refused alone. What fails with the device is no record's fault.
   */
  private void step(List<Session<K, V>> of) {
    List<byte[]> next = new ArrayList<>();
    for (int j = 0; j < of.size(); j++) {
      Session<K, V> session = of.get(j);
      Due<K, V> due = session.queue.element();
      next.add(settings.bytes().empty());
      StateBytes.time(next.get(j), due.waiting.time());
      requests[j] = due.request;
      from[j] = isFresh(session, due) ? fresh : MemorySegment.ofArray(session.state);
      to[j] = MemorySegment.ofArray(next.get(j));
    }
    try {
      batch.step(requests, from, to, at, of.size());
    } catch (DeviceException | IllegalStateException e) {
      throw e;
    } catch (RuntimeException e) {
      if (of.size() == 1) {
        of.getFirst().queue.remove().reason = e;
      } else {
        List.copyOf(of).forEach(session -> step(List.of(session)));
      }
      return;
    }
    for (int j = 0; j < of.size(); j++) {
      Due<K, V> due = of.get(j).queue.remove();
      due.answer = batch.answer(j);
      if (due.answer == null) {
        due.reason =
            new IllegalArgumentException(
                "the step gave a value that is not a number; the state is the one before");
      } else {
        of.get(j).become(next.get(j));
      }
    }
  }

  private boolean isFresh(Session<K, V> session, Due<K, V> due) {
    return session.state == null
        || settings.isIdle(StateBytes.time(session.state), due.waiting.time());
  }

  @Override
  public void close() {
    batch.close();
  }
}

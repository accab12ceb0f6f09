package io.recur.serve.kafka;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Takes sessions out of the store that have not stepped for some time, a part of the store at a
 * time. It saves room and changes no answer: a step begins anew after that time, whether or not its
 * session was still in the store.
 */
final class IdleSweep<K> {
  /** Sessions that are looked at in one go, so that records do not wait for a whole store. */
  private static final int MOST = 10_000;

  private final Settings settings;
  private final KeyValueStore<K, byte[]> states;

  /** Where the next part begins; at the first session where there is none. */
  private @Nullable K next;

  IdleSweep(Settings settings, KeyValueStore<K, byte[]> states) {
    this.settings = settings;
    this.states = states;
  }

  void sweep(long now) {
    List<K> idle = new ArrayList<>();
    try (KeyValueIterator<K, byte[]> part = states.range(next, null)) {
      for (int i = 0; i < MOST && part.hasNext(); i++) {
        KeyValue<K, byte[]> session = part.next();
        byte[] bytes = settings.bytes().checked(settings.name(), session.key, session.value);
        if (settings.isIdle(StateBytes.time(bytes), now)) {
          idle.add(session.key);
        }
      }
      next = part.hasNext() ? part.peekNextKey() : null;
    }
    idle.forEach(key -> states.put(key, null));
  }
}

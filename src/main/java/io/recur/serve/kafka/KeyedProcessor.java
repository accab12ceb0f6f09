package io.recur.serve.kafka;

import io.recur.serve.Request;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * Collects records into a batch and steps it. A record that waits is also in a store, from which
 * another instance continues.
 */
final class KeyedProcessor<K, V, R> implements Processor<K, V, K, R> {
  private final Settings settings;
  private final Serde<K> keys;
  private final BiFunction<K, V, Request> input;
  private final Answer<K, V, R> output;
  private final BadRecords<K, V, R> bad;
  private final String[] children;

  /** Those that wait, in the order in which they came. */
  private final List<Due<K, V>> due = new ArrayList<>();

  private ProcessorContext<K, R> context;
  private KeyValueStore<K, byte[]> states;
  private KeyValueStore<Integer, WaitingRecord<K, V>> store;
  private Rounds<K, V> rounds;
  private long number;

  /** A place in the store behind all that are taken. */
  private int place;

  KeyedProcessor(
      Settings settings,
      Serde<K> keys,
      BiFunction<K, V, Request> input,
      Answer<K, V, R> output,
      BadRecords<K, V, R> bad,
      String... children) {
    this.settings = settings;
    this.keys = keys;
    this.input = input;
    this.output = output;
    this.bad = bad;
    this.children = children;
  }

  @Override
  public void init(ProcessorContext<K, R> its) {
    context = its;
    states = its.getStateStore(settings.states());
    store = its.getStateStore(settings.waiting());
    rounds = new Rounds<>(settings);
    restore();
    its.schedule(settings.longestWait(), PunctuationType.WALL_CLOCK_TIME, now -> empty());
    if (settings.idle() != null) {
      IdleSweep<K> sweep = new IdleSweep<>(settings, states);
      its.schedule(
          settings.sweepInterval(),
          settings.clock(),
          now -> {
            empty(); // so that no session that waits looks idle
            sweep.sweep(now);
          });
    }
  }

  /** Takes up the records that waited when the task was committed last. */
  private void restore() {
    List<KeyValue<Integer, WaitingRecord<K, V>>> left = new ArrayList<>();
    try (KeyValueIterator<Integer, WaitingRecord<K, V>> all = store.all()) {
      all.forEachRemaining(left::add);
    }
    left.sort(Comparator.comparingLong(entry -> entry.value.number()));
    for (KeyValue<Integer, WaitingRecord<K, V>> entry : left) {
      number = entry.value.number() + 1;
      place = Math.max(place, entry.key + 1);
      due.add(due(entry.value, entry.key));
    }
  }

  @Override
  public void process(Record<K, V> record) {
    Optional<RecordMetadata> from = context.recordMetadata();
    WaitingRecord<K, V> waiting =
        new WaitingRecord<>(
            number,
            settings.clock() == PunctuationType.STREAM_TIME
                ? context.currentStreamTimeMs()
                : context.currentSystemTimeMs(),
            record,
            from.map(RecordMetadata::topic).orElse(""),
            from.map(RecordMetadata::partition).orElse(-1),
            from.map(RecordMetadata::offset).orElse(-1L));
    Due<K, V> next = due(waiting, place);
    due.add(next);
    number++;
    if (next.reason == null) {
      place++;
      store.put(next.place, waiting);
    }
    if (next.reason != null || due.size() >= settings.largest()) {
      empty(); // at once for a bad record, behind the answers of those before it
    }
  }

  private Due<K, V> due(WaitingRecord<K, V> waiting, int place) {
    Record<K, V> record = waiting.record();
    try {
      if (record.key() == null) {
        throw new IllegalArgumentException("it has no key, which names the session");
      }
      Request request = record.value() == null ? null : request(record);
      return new Due<>(waiting, place, session(record), request);
    } catch (RuntimeException e) {
      return new Due<>(waiting, place, e);
    }
  }

  private Bytes session(Record<K, V> record) {
    return Bytes.wrap(
        keys.serializer().serialize(settings.states(), record.headers(), record.key()));
  }

  private Request request(Record<K, V> record) {
    Request request =
        Objects.requireNonNull(
            input.apply(record.key(), record.value()), "the input of the record is null");
    if (request.notNumber() >= 0) {
      throw new IllegalArgumentException("x[%d] is not a number".formatted(request.notNumber()));
    }
    return request;
  }

  /** Steps all that wait, and forwards their answers. */
  private void empty() {
    if (due.isEmpty()) {
      return;
    }
    List<Due<K, V>> all = List.copyOf(due);
    List<Due<K, V>> good = all.stream().filter(its -> its.reason == null).toList();
    var sessions = rounds.run(good, this::state); // where the device fails, nothing has changed
    for (Rounds.Session<K, V> session : sessions) {
      if (session.isChanged) {
        states.put(session.key, session.state);
      }
    }
    for (int i = 0; i < place; i++) {
      store.put(i, null);
    }
    place = 0;
    due.clear();
    RuntimeException thrown = null;
    for (Due<K, V> its : all) {
      try {
        give(its);
      } catch (KafkaException e) { // of a node below: the task ends
        throw e;
      } catch (RuntimeException e) { // of this record alone
        if (thrown == null) {
          thrown = e;
        } else {
          thrown.addSuppressed(e);
        }
      }
    }
    if (thrown != null) {
      throw thrown;
    }
  }

  private byte @Nullable [] state(K key) {
    byte[] bytes = states.get(key);
    return bytes == null ? null : settings.bytes().checked(settings.name(), key, bytes);
  }

  private void give(Due<K, V> its) {
    Record<K, V> record = its.waiting.record();
    if (its.reason != null) {
      bad.take(its.waiting.bad(its.reason), record, context);
    } else if (its.isClosing()) {
      forward(record.withValue(null));
    } else {
      forward(record.withValue(output.of(record.key(), record.value(), its.answer)));
    }
  }

  private void forward(Record<K, R> record) {
    if (children.length == 0) {
      context.forward(record);
    }
    for (String child : children) {
      context.forward(record, child);
    }
  }

  @Override
  public void close() {
    if (rounds != null) {
      rounds.close();
    }
  }
}

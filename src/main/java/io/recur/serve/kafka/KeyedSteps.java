package io.recur.serve.kafka;

import io.recur.nn.Snapshot;
import io.recur.serve.Request;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Steps a session of a model for each key: each record is a step of its key's session, and its
 * answer is forwarded with its key, timestamp and headers. Answers are those of a {@code Recur} of
 * the key's own, bit for bit on the kernels of the processor. A record without a value closes the
 * session and is forwarded as it is; the next record of its key begins from state0.
 *
 * <p>Records wait until those of enough sessions fill a batch, or until the longest wait is over
 * ({@link #withLargest}, {@link #withLongestWait}). Records of a key are stepped in order, and
 * answers leave in the order in which the records came. Those that wait when Kafka Streams commits
 * are in a store with a changelog, so that with {@code processing.guarantee=exactly_once_v2} each
 * is answered once, whatever fails.
 *
 * <p>Settings are values: each {@code with} gives other steps and changes nothing.
 *
 * <pre>{@code
 * KeyedSteps<String, float[], float[]> patient =
 *     detector.withLargest(512).withLongestWait(Duration.ofMillis(20));
 * }</pre>
 *
 * @param <K> the keys
 * @param <V> the records
 * @param <R> the answers
 */
public final class KeyedSteps<K, V, R> {
  private final Settings settings;
  private final Serde<K> keys;
  private final Serde<V> values;
  private final BiFunction<K, V, Request> input;
  private final Answer<K, V, R> output;
  private final BadRecords<K, V, R> bad;

  KeyedSteps(
      Settings settings,
      Serde<K> keys,
      Serde<V> values,
      BiFunction<K, V, Request> input,
      Answer<K, V, R> output,
      BadRecords<K, V, R> bad) {
    this.settings = settings;
    this.keys = keys;
    this.values = values;
    this.input = input;
    this.output = output;
    this.bad = bad;
  }

  private KeyedSteps<K, V, R> with(Settings other) {
    return new KeyedSteps<>(other, keys, values, input, output, bad);
  }

  private KeyedSteps<K, V, R> with(BadRecords<K, V, R> other) {
    return new KeyedSteps<>(settings, keys, values, input, output, other);
  }

  // Batches.

  /**
   * With another size of batches; 256 without.
   *
   * @param most the most records of a batch, 1 to 65 536; with 1 none waits
   * @return such steps
   * @throws IllegalArgumentException if it is another number
   */
  public KeyedSteps<K, V, R> withLargest(int most) {
    return with(settings.withLargest(most));
  }

  /**
   * With another wait of a batch that does not become full; 5 ms without. Kafka Streams looks at
   * the clock between two polls: its {@code poll.ms} comes on top where no further record arrives.
   *
   * @param wait 1 ms or more
   * @return such steps
   * @throws IllegalArgumentException if it is less than 1 ms
   */
  public KeyedSteps<K, V, R> withLongestWait(Duration wait) {
    return with(settings.withLongestWait(wait));
  }

  // States.

  /**
   * With sessions that are closed when they have not stepped for some time: they leave the store,
   * and their next record begins from state0. Nothing is forwarded for them.
   *
   * @param after that time, 1 ms or more; it is looked at a few times in as long
   * @param clock {@code STREAM_TIME} counts by the timestamps of records, and gives the same
   *     answers whenever they are processed again; {@code WALL_CLOCK_TIME} by the system's clock
   * @return such steps
   * @throws IllegalArgumentException if it is less than 1 ms
   */
  public KeyedSteps<K, V, R> withIdle(Duration after, PunctuationType clock) {
    return with(settings.withIdle(after, Objects.requireNonNull(clock, "clock")));
  }

  /**
   * With another store of the states; RocksDB, {@code Stores::persistentKeyValueStore}, without.
   *
   * @param stores makes a store of a name, such as {@code Stores::inMemoryKeyValueStore}
   * @return such steps
   */
  public KeyedSteps<K, V, R> withStates(Function<String, KeyValueBytesStoreSupplier> stores) {
    return with(settings.withStores(Objects.requireNonNull(stores, "stores")));
  }

  /**
   * With a cache of Kafka Streams above the store of the states; there is none without this call. A
   * cached state goes to the store and to the changelog when the task commits, so that the steps of
   * a key between two commits are written once.
   *
   * <p>The cache has to hold all sessions that step between two commits: raise {@code
   * statestore.cache.max.bytes}. One that is full writes out again and again, the records that wait
   * included, which share it.
   *
   * @return such steps
   */
  public KeyedSteps<K, V, R> withCache() {
    return with(settings.withCache());
  }

  /**
   * With settings of the changelog of the states, which is compacted.
   *
   * @param topic settings of a topic, such as {@code min.cleanable.dirty.ratio}
   * @return such steps
   */
  public KeyedSteps<K, V, R> withChangelog(Map<String, String> topic) {
    return with(settings.withChangelog(topic));
  }

  // Records that cannot be stepped.

  /**
   * With a function that takes records that cannot be stepped, which are then skipped; without any
   * of these three, {@link BadRecordException} is thrown. A record is bad if it has no key, if the
   * function of the input throws, if its values do not fit the model or hold one that is not a
   * number, or if the step would give one.
   *
   * @param to takes the record on the thread that processes
   * @return such steps
   */
  public KeyedSteps<K, V, R> onBad(Consumer<BadRecord<K, V>> to) {
    return with(BadRecords.given(Objects.requireNonNull(to, "to")));
  }

  /**
   * With an answer for records that cannot be stepped, which is forwarded in the place of theirs.
   *
   * @param answer makes it
   * @return such steps
   */
  public KeyedSteps<K, V, R> answerBad(Function<BadRecord<K, V>, R> answer) {
    return with(BadRecords.answered(Objects.requireNonNull(answer, "answer")));
  }

  /**
   * With a child of the processor, such as a sink of a topic of errors, to which records that
   * cannot be stepped are forwarded as they came, with the headers {@code recur.reason}, {@code
   * recur.topic}, {@code recur.partition} and {@code recur.offset}. For topologies that name their
   * nodes: each answer then goes to all other children by {@link #supplier(String...)}.
   *
   * @param child its name
   * @return such steps
   */
  public KeyedSteps<K, V, R> sendBadTo(String child) {
    return with(BadRecords.sentTo(Objects.requireNonNull(child, "child")));
  }

  // In the topology.

  /**
   * The processor, with its stores.
   *
   * @param children to which answers are forwarded, by their names; all where none is named
   * @return what {@code KStream.process} and {@code Topology.addProcessor} take
   */
  public ProcessorSupplier<K, V, K, R> supplier(String... children) {
    String[] to = children.clone();
    return new ProcessorSupplier<>() {
      @Override
      public Processor<K, V, K, R> get() {
        return new KeyedProcessor<>(settings, keys, input, output, bad, to);
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return Set.of(statesBuilder(), waitingBuilder());
      }
    };
  }

  private StoreBuilder<KeyValueStore<K, byte[]>> statesBuilder() {
    StoreBuilder<KeyValueStore<K, byte[]>> builder =
        Stores.keyValueStoreBuilder(
                settings.stores().apply(settings.states()), keys, Serdes.ByteArray())
            .withLoggingEnabled(settings.changelog());
    return settings.isCached() ? builder.withCachingEnabled() : builder.withCachingDisabled();
  }

  /** Cached, so that the changelog gets what waits at a commit and not what has come and gone. */
  private StoreBuilder<KeyValueStore<Integer, WaitingRecord<K, V>>> waitingBuilder() {
    return Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore(settings.waiting()),
            Serdes.Integer(),
            new WaitingSerde<>(keys, values))
        .withLoggingEnabled(Map.of())
        .withCachingEnabled();
  }

  /** {@return the name of the store of the states, from keys to bytes} */
  public String states() {
    return settings.states();
  }

  /**
   * The state of a key, for interactive queries: that after its last step, before those of records
   * that wait.
   *
   * <pre>{@code
   * ReadOnlyKeyValueStore<String, byte[]> states =
   *     application.store(StoreQueryParameters.fromNameAndType(
   *         detector.states(), QueryableStoreTypes.keyValueStore()));
   * detector.snapshot(states, "sensor-17").ifPresent(model::restore);
   * }</pre>
   *
   * @param states the store of this name
   * @param key of the session
   * @return its state, for any fork or twin of the model; empty where this instance has none
   * @throws IllegalStateException if the state is one of another model
   */
  public Optional<Snapshot> snapshot(ReadOnlyKeyValueStore<K, byte[]> states, K key) {
    byte[] bytes = states.get(key);
    return Optional.ofNullable(bytes)
        .map(its -> settings.bytes().snapshot(settings.bytes().checked(states(), key, its)));
  }
}

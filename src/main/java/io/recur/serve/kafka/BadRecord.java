package io.recur.serve.kafka;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A record that could not be stepped. Its session is as it was before; records behind it step from
 * there.
 *
 * <pre>{@code
 * detector.onBad(bad -> System.err.println(bad.message()));
 * }</pre>
 *
 * @param key null where the record had none
 * @param value of the record; null where it has none
 * @param topic from which it came; empty where it came from no topic, such as from a punctuation
 * @param partition of the topic; -1 where it came from none
 * @param offset in the partition; -1 where it came from none
 * @param timestamp of the record, in ms
 * @param reason what stands in the way
 * @param <K> the keys
 * @param <V> the records
 */
public record BadRecord<K, V>(
    @Nullable K key,
    @Nullable V value,
    String topic,
    int partition,
    long offset,
    long timestamp,
    RuntimeException reason) {

  /** Checks that there is a reason. */
  public BadRecord {
    Objects.requireNonNull(topic, "topic");
    Objects.requireNonNull(reason, "reason");
  }

  /** {@return where the record is, and why it was not stepped} */
  public String message() {
    return "kafka: key=%s, topic=%s, partition=%d, offset=%d: %s"
        .formatted(
            key,
            topic,
            partition,
            offset,
            reason.getMessage() == null ? reason.toString() : reason.getMessage());
  }
}

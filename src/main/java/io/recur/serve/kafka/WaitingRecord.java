package io.recur.serve.kafka;

import org.apache.kafka.streams.processor.api.Record;

/**
 * A record that waits for its step, as its store keeps it.
 *
 * @param number grows from record to record
 * @param time when it came, by the clock that closes idle sessions, in ms
 * @param record without a value where it closes its session
 * @param topic from which it came; empty for none
 * @param partition -1 for none
 * @param offset -1 for none
 */
record WaitingRecord<K, V>(
    long number, long time, Record<K, V> record, String topic, int partition, long offset) {

  BadRecord<K, V> bad(RuntimeException reason) {
    return new BadRecord<>(
        record.key(), record.value(), topic, partition, offset, record.timestamp(), reason);
  }
}

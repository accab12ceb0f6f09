package io.recur.serve.kafka;

import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** What becomes of records that cannot be stepped. */
@FunctionalInterface
interface BadRecords<K, V, R> {
  void take(BadRecord<K, V> bad, Record<K, V> record, ProcessorContext<K, R> context);

  static <K, V, R> BadRecords<K, V, R> throwing() {
    return (bad, record, context) -> {
      throw new BadRecordException(bad);
    };
  }

  static <K, V, R> BadRecords<K, V, R> given(Consumer<BadRecord<K, V>> to) {
    return (bad, record, context) -> to.accept(bad);
  }

  static <K, V, R> BadRecords<K, V, R> answered(Function<BadRecord<K, V>, R> answer) {
    return (bad, record, context) -> context.forward(record.withValue(answer.apply(bad)));
  }

  /** Forwards the record as it came, with headers that say where it was and what is wrong. */
  static <K, V, R> BadRecords<K, V, R> sentTo(String child) {
    return (bad, record, context) -> {
      Record<K, V> copy = record.withHeaders(record.headers()); // a copy, of the headers too
      add(copy.headers(), "recur.reason", bad.message());
      add(copy.headers(), "recur.topic", bad.topic());
      add(copy.headers(), "recur.partition", Integer.toString(bad.partition()));
      add(copy.headers(), "recur.offset", Long.toString(bad.offset()));
      forward(context, copy, child);
    };
  }

  private static void add(Headers headers, String name, String text) {
    headers.add(name, new StringSerializer().serialize("", text));
  }

  /** The child takes records, not answers: which is which depends on its name alone. */
  @SuppressWarnings("unchecked")
  private static <K, V, R> void forward(
      ProcessorContext<K, R> context, Record<K, V> record, String child) {
    ((ProcessorContext<K, Object>) (ProcessorContext<K, ?>) context)
        .forward((Record<K, Object>) (Record<K, ?>) record, child);
  }
}

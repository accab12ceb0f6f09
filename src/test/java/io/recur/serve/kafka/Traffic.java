package io.recur.serve.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends records of some keys to a topic, and reads those of another that were committed. */
final class Traffic implements AutoCloseable {
  private static final int KEYS = 50;

  private final Admin admin;
  private final KafkaProducer<String, float[]> producer;
  private final KafkaConsumer<String, float[]> consumer;
  private final Random random = new Random(1);
  private final Map<String, Integer> sent = new TreeMap<>();
  private final Map<String, Integer> partitions = new TreeMap<>();
  private final Map<String, List<float[]>> answers = new TreeMap<>();
  private final String inputs;
  private final List<TopicPartition> parts;
  private final int[] readOf;
  private int read;

  /** From the topic {@code inputs} to the topic {@code answers}, of two partitions each. */
  Traffic(Broker broker) {
    this(broker, "inputs", "answers", 2);
  }

  Traffic(Broker broker, String inputs, String outputs, int partitions) {
    this.inputs = inputs;
    this.readOf = new int[partitions];
    this.parts =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(outputs, partition))
            .toList();
    FloatsSerde floats = new FloatsSerde();
    admin = broker.admin();
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.address()),
            new StringSerializer(),
            floats.serializer());
    consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers",
                broker.address(),
                "isolation.level",
                "read_committed",
                "enable.auto.commit",
                false),
            new StringDeserializer(),
            floats.deserializer());
    consumer.assign(parts);
    consumer.seekToBeginning(parts);
  }

  /** What a key's record of a number holds. */
  float[] input(String key, int number) {
    return Alone.input(Application.ROWS, 31L * key.hashCode() + number);
  }

  /** Sends records, and waits until the broker has them. */
  void send(int count) throws Exception {
    List<Future<RecordMetadata>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String key = "key-" + random.nextInt(KEYS);
      int number = sent.merge(key, 1, Integer::sum) - 1;
      var metadata = producer.send(new ProducerRecord<>(inputs, key, input(key, number)));
      all.add(metadata);
      if (number == 0) {
        partitions.put(key, metadata.get().partition());
      }
    }
    producer.flush();
    for (Future<RecordMetadata> one : all) {
      one.get(); // fails where a record was not taken
    }
  }

  /** The records that were sent. */
  int sent() {
    return sent.values().stream().mapToInt(Integer::intValue).sum();
  }

  int sent(String key) {
    return sent.get(key);
  }

  int sentTo(int partition) {
    return sent.entrySet().stream()
        .filter(entry -> partitions.get(entry.getKey()) == partition)
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  List<String> keys() {
    return List.copyOf(sent.keySet());
  }

  /** A key of a partition. */
  String keyOf(int partition) {
    return keys().stream()
        .filter(key -> partitions.get(key) == partition)
        .findFirst()
        .orElseThrow();
  }

  /** The records whose offsets the application has committed. */
  long committed() throws Exception {
    return admin
        .listConsumerGroupOffsets("application")
        .partitionsToOffsetAndMetadata()
        .get()
        .values()
        .stream()
        .mapToLong(OffsetAndMetadata::offset)
        .sum();
  }

  /** Reads what there is, and returns the number of all answers so far. */
  int read() {
    for (ConsumerRecord<String, float[]> answer : consumer.poll(Duration.ofMillis(50))) {
      answers.computeIfAbsent(answer.key(), key -> new ArrayList<>()).add(answer.value());
      readOf[answer.partition()]++;
      read++;
    }
    return read;
  }

  /** The answers that were read of each partition. */
  int[] readOf() {
    return readOf.clone();
  }

  /** Reads until nothing is left; nobody writes any more. */
  void readToTheEnd() {
    Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
    while (parts.stream().anyMatch(part -> consumer.position(part) < ends.get(part))) {
      read();
    }
  }

  Map<String, List<float[]>> answers() {
    return answers;
  }

  @Override
  public void close() {
    producer.close();
    consumer.close();
    admin.close();
  }
}

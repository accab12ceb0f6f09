package io.recur.jmh.kafka;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import io.recur.serve.kafka.FloatsSerde;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.LongSerializer;

/**
 * Steps per second of an LSTM of 128 units on Kafka Streams, by key, exactly once: one broker and
 * one instance with one thread, each in a process of its own. All records are there before the
 * instance starts. Then the committed answers are counted, and those of some keys compared with
 * Recurs.
 *
 * <p>{@code --short}: fewer keys and records.
 */
public final class KafkaServe {
  private static final int PARTITIONS = 2;
  private static final int INPUTS = 1 << 10;

  private KafkaServe() {}

  /**
   * Measures and prints.
   *
   * @param arguments perhaps {@code --short}
   * @throws Exception if a process ends, or an answer differs
   */
  public static void main(String[] arguments) throws Exception {
    boolean isShort = List.of(arguments).contains("--short");
    int keys = isShort ? 10_000 : 100_000;
    int records = isShort ? 150_000 : 1_000_000;
    for (String store : isShort ? List.of("rocksdb") : List.of("rocksdb", "memory")) {
      Path folder = Files.createTempDirectory("kafka");
      try (Broker broker = new Broker(folder)) {
        measure(broker, folder, store, keys, records);
      } finally {
        delete(folder);
      }
    }
  }

  private static void measure(Broker broker, Path folder, String store, int keys, int records)
      throws Exception {
    int[] sent = send(broker, keys, records);
    Process application =
        broker.java(
            Application.class.getName(),
            "-Xmx1g",
            broker.address(),
            folder.resolve("states").toString(),
            store);
    try (Admin admin = broker.admin()) {
      List<long[]> times = follow(admin, application, broker, records);
      long[] first = times.stream().filter(t -> t[1] >= records / 5).findFirst().orElseThrow();
      long[] last = times.getLast();
      double seconds = (last[0] - first[0]) * 1e-9;
      double all = (last[0] - times.getFirst()[0]) * 1e-9;
      System.out.printf(
          Locale.ROOT,
          "Kafka, states in %s, %,d keys: %,.0f steps/s exactly once, %.1f MB/s of changelog; µs of a"
              + " core per step: application %.1f, broker %.1f%n",
          store,
          keys,
          (last[1] - first[1]) / seconds,
          bytes(admin) * 1e-6 / all,
          1e-3 * (last[2] - first[2]) / (last[1] - first[1]),
          1e-3 * (last[3] - first[3]) / (last[1] - first[1]));
    } finally {
      application.destroyForcibly().waitFor();
    }
    compare(broker, sent);
  }

  private static float[] input(int number) {
    Random random = new Random(number % INPUTS);
    float[] x = new float[Application.UNITS];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    return x;
  }

  /** Sends records to keys at random; returns the key of each. */
  private static int[] send(Broker broker, int keys, int records) throws Exception {
    try (Admin admin = broker.admin()) {
      admin
          .createTopics(
              Stream.of("inputs", "answers")
                  .map(topic -> new NewTopic(topic, PARTITIONS, (short) 1))
                  .toList())
          .all()
          .get();
    }
    float[][] inputs =
        IntStream.range(0, INPUTS).mapToObj(KafkaServe::input).toArray(float[][]::new);
    int[] sent = new Random(1).ints(records, 0, keys).toArray();
    Map<String, Object> settings =
        Map.of("bootstrap.servers", broker.address(), "batch.size", 1 << 17, "linger.ms", 20);
    try (KafkaProducer<Long, float[]> producer =
        new KafkaProducer<>(settings, new LongSerializer(), new FloatsSerde().serializer())) {
      for (int i = 0; i < records; i++) {
        producer.send(new ProducerRecord<>("inputs", (long) sent[i], inputs[i % INPUTS]));
      }
    }
    return sent;
  }

  /**
   * From the first commit to the last: the time, the committed records, and both processes' own.
   */
  private static List<long[]> follow(Admin admin, Process application, Broker broker, int records)
      throws Exception {
    List<long[]> times = new ArrayList<>();
    long committed = 0;
    while (committed < records) {
      Thread.sleep(50);
      if (!application.isAlive()) {
        throw new IllegalStateException(broker.said());
      }
      committed =
          admin
              .listConsumerGroupOffsets("bench")
              .partitionsToOffsetAndMetadata()
              .get()
              .values()
              .stream()
              .mapToLong(OffsetAndMetadata::offset)
              .sum();
      if (committed == 0) {
        times.clear();
      }
      times.add(
          new long[] {System.nanoTime(), committed, core(application), core(broker.process())});
    }
    return times;
  }

  /** Nanoseconds of a core. */
  private static long core(Process process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }

  /** The bytes of the changelogs. */
  private static long bytes(Admin admin) throws Exception {
    return admin.describeLogDirs(List.of(1)).allDescriptions().get().values().stream()
        .flatMap(folders -> folders.values().stream())
        .flatMap(log -> log.replicaInfos().entrySet().stream())
        .filter(replica -> replica.getKey().topic().endsWith("-changelog"))
        .map(Map.Entry::getValue)
        .mapToLong(ReplicaInfo::size)
        .sum();
  }

  /** Counts the committed answers, and compares those of some keys with Recurs of their own. */
  private static void compare(Broker broker, int... sent) {
    Map<Long, List<float[]>> answers = new HashMap<>();
    int count = read(broker, sent.length, answers);
    int compared = 0;
    try (Device device = Device.cpu(1);
        Tape tape = Tape.inference(device)) {
      Recur model = Application.model(device);
      Map<Long, Recur> forks = new HashMap<>();
      Map<Long, Integer> next = new HashMap<>();
      for (int i = 0; i < sent.length; i++) {
        long key = sent[i];
        if (key % 100 == 0) {
          Recur fork = forks.computeIfAbsent(key, k -> model.fork());
          float[] expected = fork.apply(tape.input(input(i % INPUTS))).toArray();
          int number = next.merge(key, 1, Integer::sum) - 1;
          if (!Arrays.equals(expected, answers.get(key).get(number))) {
            throw new IllegalStateException("key " + key + ", answer " + number + " differs");
          }
          tape.clear();
          compared++;
        }
      }
      forks.values().forEach(Recur::close);
    }
    System.out.printf(
        Locale.ROOT, "  %,d answers, each once; %,d compared with Recurs%n", count, compared);
  }

  private static int read(Broker broker, int records, Map<Long, List<float[]>> answers) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", broker.address(), "isolation.level", "read_committed");
    List<TopicPartition> parts =
        IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition("answers", p)).toList();
    int count = 0;
    try (KafkaConsumer<Long, float[]> consumer =
        new KafkaConsumer<>(settings, new LongDeserializer(), new FloatsSerde().deserializer())) {
      consumer.assign(parts);
      consumer.seekToBeginning(parts);
      Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
      while (parts.stream().anyMatch(part -> consumer.position(part) < ends.get(part))) {
        for (ConsumerRecord<Long, float[]> answer : consumer.poll(Duration.ofMillis(100))) {
          count++;
          if (answer.key() % 100 == 0) {
            answers.computeIfAbsent(answer.key(), k -> new ArrayList<>()).add(answer.value());
          }
        }
      }
    }
    if (count != records) {
      throw new IllegalStateException(
          "%d answers to %d records; need one each".formatted(count, records));
    }
    return count;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

package io.recur.serve.kafka;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Steps in a topology without a broker: records of the topic {@code inputs} with keys that are
 * texts, answers in the topic {@code answers}. The driver commits after each record.
 */
final class Driven<V, R> implements AutoCloseable {
  final TopologyTestDriver driver;
  final TestInputTopic<String, V> inputs;
  final TestOutputTopic<String, R> answers;

  Driven(Path folder, KeyedSteps<String, V, R> steps, Serde<V> values, Serde<R> results) {
    this(folder, topology(steps, values, results), Map.of(), values, results);
  }

  Driven(
      Path folder,
      Topology topology,
      Map<String, Object> settings,
      Serde<V> values,
      Serde<R> results) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "driven");
    properties.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
    properties.putAll(settings);
    driver = new TopologyTestDriver(topology, properties, Instant.ofEpochMilli(0));
    inputs =
        driver.createInputTopic(
            "inputs",
            Serdes.String().serializer(),
            values.serializer(),
            Instant.EPOCH,
            Duration.ZERO);
    answers =
        driver.createOutputTopic("answers", Serdes.String().deserializer(), results.deserializer());
  }

  static Driven<float[], float[]> dense(Path folder, KeyedSteps<String, float[], float[]> steps) {
    return new Driven<>(folder, steps, new FloatsSerde(), new FloatsSerde());
  }

  static <V, R> Topology topology(
      KeyedSteps<String, V, R> steps, Serde<V> values, Serde<R> results) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("inputs", Consumed.with(Serdes.String(), values))
        .process(steps.supplier())
        .to("answers", Produced.with(Serdes.String(), results));
    return builder.build();
  }

  /** Lets the longest wait pass, and gives the answers. */
  List<KeyValue<String, R>> answered() {
    driver.advanceWallClockTime(Duration.ofSeconds(1));
    return answers.readKeyValuesToList();
  }

  @Override
  public void close() {
    driver.close();
  }
}

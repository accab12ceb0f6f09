package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Guide;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import io.recur.nn.Snapshot;
import io.recur.serve.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the lines of the guide to Kafka Streams, and holds that they are those lines. */
@Tag(Devices.CPU)
class KafkaGuideTest {
  private static final Path HERE = Path.of("src/test/java/io/recur/serve/kafka");

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  @Test
  void theGuideShowsTheProgramAndTheLinesOfThisTest() throws IOException {
    Guide.shows(
        Path.of("docs/kafka.md"),
        5,
        HERE.resolve("KafkaGuideTest.java"),
        HERE.resolve("Detector.java"));
  }

  @Test
  void theTopologyOfTheProgramScoresEachSensor() {
    Chain model = chain(lstm(3, 128), dense(128, 1)).on(device, 42);
    try (Alone alone = new Alone(model, device);
        TopologyTestDriver driver = driver(Detector.topology(Detector.steps(model, device)))) {
      var floats = new FloatsSerde();
      var readings =
          driver.createInputTopic("readings", new StringSerializer(), floats.serializer());
      var scores =
          driver.createOutputTopic("scores", new StringDeserializer(), floats.deserializer());
      for (int i = 0; i < 20; i++) {
        readings.pipeInput("sensor-" + i % 3, Alone.input(3, i));
      }
      driver.advanceWallClockTime(Duration.ofSeconds(1));
      for (int i = 0; i < 20; i++) {
        assertArrayEquals(alone.step("sensor-" + i % 3, Alone.input(3, i)), scores.readValue());
      }
    }
  }

  private TopologyTestDriver driver(Topology topology) {
    Properties settings = new Properties();
    settings.put("state.dir", folder.toString());
    return new TopologyTestDriver(topology, settings);
  }

  @Test
  void recordsOfYourOwn() {
    Chain model = chain(lstm(65, 65)).on(device, 42);

    KafkaModel letters = KafkaModel.of("letters", model, device);
    KeyedSteps<String, Integer, float[]> symbols = letters.symbols(Serdes.String(), 65);
    KeyedSteps<Long, String, Integer> likely =
        letters.steps(
            Serdes.Long(),
            Serdes.String(),
            (user, word) -> Request.symbols(65, word.chars().map(c -> c - 32).toArray()),
            (user, word, y) -> y.length / 65);

    assertEquals("letters-states", symbols.states());
    Topology topology =
        new Topology()
            .addSource("in", Serdes.Long().deserializer(), Serdes.String().deserializer(), "words")
            .addProcessor("step", likely.supplier(), "in")
            .addSink(
                "out", "counts", Serdes.Long().serializer(), Serdes.Integer().serializer(), "step");
    try (TopologyTestDriver driver = driver(topology)) {
      driver
          .createInputTopic("words", Serdes.Long().serializer(), Serdes.String().serializer())
          .pipeValueList(List.of());
      driver
          .createInputTopic("words", Serdes.Long().serializer(), Serdes.String().serializer())
          .pipeInput(7L, "HELLO");
      driver.advanceWallClockTime(Duration.ofSeconds(1));
      assertEquals(
          5,
          driver
              .createOutputTopic(
                  "counts", Serdes.Long().deserializer(), Serdes.Integer().deserializer())
              .readValue());
    }
  }

  @Test
  void settingsAndBadRecords() {
    Chain model = chain(lstm(3, 4)).on(device, 42);
    KeyedSteps<String, float[], float[]> detector =
        KafkaModel.of("detector", model, device).dense(Serdes.String());

    KeyedSteps<String, float[], float[]> tuned =
        detector
            .withLargest(128)
            .withLongestWait(Duration.ofMillis(2))
            .withStates(Stores::inMemoryKeyValueStore)
            .withCache()
            .withChangelog(Map.of("segment.bytes", "104857600"))
            .withIdle(Duration.ofHours(1), PunctuationType.WALL_CLOCK_TIME);
    KeyedSteps<String, float[], float[]> counted =
        detector.onBad(bad -> System.err.println(bad.message()));
    KeyedSteps<String, float[], float[]> answered = detector.answerBad(bad -> new float[0]);
    Topology topology =
        new Topology()
            .addSource("in", new StringDeserializer(), new FloatsSerde().deserializer(), "readings")
            .addProcessor("step", detector.sendBadTo("errors").supplier("out"), "in")
            .addSink(
                "out", "scores", new StringSerializer(), new FloatsSerde().serializer(), "step")
            .addSink(
                "errors", "bad", new StringSerializer(), new FloatsSerde().serializer(), "step");

    driver(topology).close();
    driver(Driven.topology(tuned, new FloatsSerde(), new FloatsSerde())).close();
    assertEquals(counted.states(), answered.states());
  }

  /** Stands for a running application. */
  private interface Running {
    <T> T store(StoreQueryParameters<T> of);
  }

  @Test
  @SuppressWarnings("unchecked")
  void states() {
    Chain model = chain(lstm(3, 4)).on(device, 42);
    KeyedSteps<String, float[], float[]> detector =
        KafkaModel.of("detector", model, device).dense(Serdes.String());
    try (Driven<float[], float[]> driven = Driven.dense(folder, detector)) {
      driven.inputs.pipeInput("sensor-17", Alone.input(3, 1));
      driven.answered();
      Running application =
          new Running() {
            @Override
            public <T> T store(StoreQueryParameters<T> of) {
              return (T) driven.driver.getKeyValueStore(of.storeName());
            }
          };

      ReadOnlyKeyValueStore<String, byte[]> states =
          application.store(
              StoreQueryParameters.fromNameAndType(
                  detector.states(), QueryableStoreTypes.keyValueStore()));
      Optional<Snapshot> state = detector.snapshot(states, "sensor-17");
      state.ifPresent(model::restore);

      assertArrayEquals(state.orElseThrow().toBytes(), model.save().toBytes());
    }
  }
}

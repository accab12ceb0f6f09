package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import io.recur.serve.Request;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for steps by key, in a topology without a broker. */
@Tag(Devices.CPU)
class KeyedStepsTest {
  private static final int ROWS = 3;

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private final Chain model = chain(lstm(ROWS, 9), gru(9, 5), dense(5, 4)).on(device, 42);

  private KeyedSteps<String, float[], float[]> steps() {
    return KafkaModel.of("model", model, device).dense(Serdes.String());
  }

  private void answersAreThoseOfRecurs(KeyedSteps<String, float[], float[]> steps) {
    Random random = new Random(1);
    List<KeyValue<String, float[]>> expected = new ArrayList<>();
    List<KeyValue<String, float[]>> found = new ArrayList<>();
    try (Alone alone = new Alone(model, device);
        Driven<float[], float[]> driven = Driven.dense(folder, steps)) {
      for (int i = 0; i < 500; i++) {
        String key = "key-" + random.nextInt(20);
        float[] x = Alone.input(ROWS, i);
        driven.inputs.pipeInput(key, x);
        expected.add(KeyValue.pair(key, alone.step(key, x)));
        if (random.nextInt(100) == 0) {
          found.addAll(driven.answered());
        }
      }
      found.addAll(driven.answered());
    }
    same(expected, found);
  }

  private static void same(
      List<KeyValue<String, float[]>> expected, List<KeyValue<String, float[]>> found) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i).key, found.get(i).key, "answer " + i);
      assertArrayEquals(expected.get(i).value, found.get(i).value, "answer " + i);
    }
  }

  @Test
  void answersAreThoseOfARecurOfTheKeysOwnInTheOrderOfTheRecords() {
    answersAreThoseOfRecurs(steps().withLargest(16));
  }

  @Test
  void answersAreTheSameWhereNoneWaits() {
    answersAreThoseOfRecurs(steps().withLargest(1));
  }

  @Test
  void answersAreTheSameFromAStoreInMemoryBehindACache() {
    answersAreThoseOfRecurs(
        steps().withStates(Stores::inMemoryKeyValueStore).withCache().withLargest(7));
  }

  @Test
  void aBatchIsSteppedWhenItIsFullOrTheWaitIsOver() {
    try (Driven<float[], float[]> driven =
        Driven.dense(folder, steps().withLargest(3).withLongestWait(Duration.ofMillis(20)))) {
      driven.inputs.pipeInput("a", Alone.input(ROWS, 1));
      driven.inputs.pipeInput("a", Alone.input(ROWS, 2));
      driven.driver.advanceWallClockTime(Duration.ofMillis(10));
      assertEquals(0, driven.answers.getQueueSize());
      driven.inputs.pipeInput("b", Alone.input(ROWS, 3));
      assertEquals(3, driven.answers.readKeyValuesToList().size());
      driven.inputs.pipeInput("b", Alone.input(ROWS, 4));
      assertEquals(0, driven.answers.getQueueSize());
      driven.driver.advanceWallClockTime(Duration.ofMillis(10));
      assertEquals(1, driven.answers.getQueueSize());
    }
  }

  @Test
  void timestampsAndHeadersGoOnWithTheAnswers() {
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps())) {
      driven.inputs.pipeInput("a", Alone.input(ROWS, 1), 77);
      driven.inputs.pipeInput("b", Alone.input(ROWS, 2), 55);
      driven.driver.advanceWallClockTime(Duration.ofSeconds(1));
      assertEquals(77, driven.answers.readRecord().timestamp());
      assertEquals(55, driven.answers.readRecord().timestamp());
    }
  }

  @Test
  void aRecordWithoutAValueClosesItsSession() {
    try (Alone alone = new Alone(model, device);
        Driven<float[], float[]> driven = Driven.dense(folder, steps())) {
      float[] x = Alone.input(ROWS, 1);
      driven.inputs.pipeInput("a", x);
      driven.inputs.pipeInput("a", x);
      driven.inputs.pipeInput("a", null);
      driven.inputs.pipeInput("a", x);
      List<KeyValue<String, float[]>> answers = driven.answered();
      float[] first = alone.step("a", x);
      assertArrayEquals(first, answers.get(0).value);
      assertArrayEquals(alone.step("a", x), answers.get(1).value);
      assertEquals(null, answers.get(2).value);
      assertArrayEquals(first, answers.get(3).value);
      driven.inputs.pipeInput("a", null);
      driven.answered();
      assertTrue(steps().snapshot(driven.driver.getKeyValueStore(steps().states()), "a").isEmpty());
    }
  }

  @Test
  void theStateOfAKeyIsThatOfItsRecur() {
    try (Alone alone = new Alone(model, device);
        Driven<float[], float[]> driven = Driven.dense(folder, steps())) {
      for (int i = 0; i < 10; i++) {
        driven.inputs.pipeInput("a" + i % 2, Alone.input(ROWS, i));
        alone.step("a" + i % 2, Alone.input(ROWS, i));
      }
      driven.answered();
      var states = driven.driver.<String, byte[]>getKeyValueStore(steps().states());
      assertArrayEquals(
          alone.save("a1").toBytes(), steps().snapshot(states, "a1").orElseThrow().toBytes());
      assertTrue(steps().snapshot(states, "nobody").isEmpty());
    }
  }

  @Test
  void twoModelsStandSideBySide() {
    Chain other = chain(gru(ROWS, 6)).on(device, 7);
    var its = KafkaModel.of("other", other, device).dense(Serdes.String());
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, float[]> inputs =
        builder.stream("inputs", Consumed.with(Serdes.String(), new FloatsSerde()));
    inputs
        .process(steps().supplier())
        .merge(inputs.process(its.supplier()))
        .to("answers", Produced.with(Serdes.String(), new FloatsSerde()));
    try (Alone alone = new Alone(model, device);
        Alone alongside = new Alone(other, device);
        Driven<float[], float[]> driven =
            new Driven<>(
                folder,
                builder.build(),
                java.util.Map.of(),
                new FloatsSerde(),
                new FloatsSerde())) {
      for (int i = 0; i < 3; i++) {
        float[] x = Alone.input(ROWS, i);
        driven.inputs.pipeInput("a", x);
        List<KeyValue<String, float[]>> answers = driven.answered();
        float[] y = answers.get(0).value.length == 4 ? answers.get(0).value : answers.get(1).value;
        float[] z = answers.get(0).value.length == 4 ? answers.get(1).value : answers.get(0).value;
        assertArrayEquals(alone.step("a", x), y);
        assertArrayEquals(alongside.step("a", x), z);
      }
    }
  }

  @Test
  void symbolsAndSequencesAndDenseStepsShareABatch() {
    Chain letters = chain(lstm(5, 6)).on(device, 3);
    KeyedSteps<String, String, String> mixed =
        KafkaModel.of("letters", letters, device)
            .steps(
                Serdes.String(),
                Serdes.String(),
                (key, word) ->
                    word.length() == 1
                        ? Request.symbol(5, word.charAt(0) - 'a')
                        : Request.symbols(5, word.chars().map(c -> c - 'a').toArray()),
                (key, word, y) -> key + ":" + word + ":" + y.length);
    try (Driven<String, String> driven =
        new Driven<>(folder, mixed, Serdes.String(), Serdes.String())) {
      driven.inputs.pipeInput("k", "a");
      driven.inputs.pipeInput("l", "abc");
      driven.inputs.pipeInput("k", "abe");
      driven.inputs.pipeInput("m", "d");
      assertEquals(
          List.of("k:a:6", "l:abc:18", "k:abe:18", "m:d:6"),
          driven.answered().stream().map(answer -> answer.value).toList());
    }
    KeyedSteps<String, Integer, float[]> symbols =
        KafkaModel.of("symbols", letters, device).symbols(Serdes.String(), 5);
    try (Alone alone = new Alone(letters, device);
        Driven<Integer, float[]> driven =
            new Driven<>(folder, symbols, Serdes.Integer(), new FloatsSerde())) {
      driven.inputs.pipeInput("k", 2);
      assertArrayEquals(alone.step("k", 0, 0, 1, 0, 0), driven.answered().getFirst().value);
    }
  }

  @Test
  void aStateOfAnotherModelIsRefused() {
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps())) {
      var states = driven.driver.<String, byte[]>getKeyValueStore(steps().states());
      states.put("a", new byte[100]);
      driven.inputs.pipeInput("a", Alone.input(ROWS, 1));
      StreamsException thrown = assertThrows(StreamsException.class, driven::answered);
      String message = thrown.getCause().getMessage();
      assertTrue(
          message.contains("another state for key=a: bytes=100") && message.contains("has 108"),
          message);
    }
  }

  @Test
  void whatCannotBeIsRefusedAtOnce() {
    KafkaModel named = KafkaModel.of("model", model, device);
    for (String name : new String[] {"", "a/b", "ü", "x".repeat(65)}) {
      assertThrows(IllegalArgumentException.class, () -> KafkaModel.of(name, model, device), name);
    }
    try (Device other = Device.cpu()) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> KafkaModel.of("m", model, other))
              .getMessage();
      assertTrue(message.contains("give the device of the model"), message);
    }
    Chain stateless = chain(dense(3, 3)).on(device, 1);
    assertThrows(
        IllegalArgumentException.class, () -> KafkaModel.of("stateless", stateless, device));
    assertThrows(IllegalArgumentException.class, () -> named.symbols(Serdes.String(), 0));
    assertThrows(IllegalArgumentException.class, () -> steps().withLargest(0));
    assertThrows(
        IllegalArgumentException.class, () -> steps().withLongestWait(Duration.ofNanos(5)));
  }
}

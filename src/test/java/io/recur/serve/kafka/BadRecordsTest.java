package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import io.recur.serve.Request;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A record that cannot be stepped concerns nobody else. */
@Tag(Devices.CPU)
class BadRecordsTest {
  private static final int ROWS = 3;
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private final Chain model = chain(lstm(ROWS, 4), dense(4, 2)).on(device, 42);

  private KeyedSteps<String, float[], float[]> steps() {
    return KafkaModel.of("model", model, device).dense(Serdes.String());
  }

  private static Throwable root(Throwable thrown) {
    return thrown instanceof BadRecordException ? thrown : root(thrown.getCause());
  }

  private void refuses(String what, String key, float... x) {
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps())) {
      StreamsException thrown =
          assertThrows(
              StreamsException.class,
              () -> {
                driven.inputs.pipeInput("good", Alone.input(ROWS, 1));
                driven.inputs.pipeInput(key, x);
                driven.answered();
              });
      String message = root(thrown).getMessage();
      assertTrue(
          message.contains("key=%s, topic=inputs, partition=0, offset=1".formatted(key))
              && message.contains(what)
              && message.contains("; skip it by onBad"),
          message);
    }
  }

  @Test
  void withoutAnythingElseABadRecordIsThrownByItsKeyTopicPartitionAndOffset() {
    refuses("x[1] is not a number", "bad", 1, Float.NaN, 2);
    refuses("no values", "bad");
    refuses("2", "bad", 1, 2); // the model's own refusal, by its sizes
    refuses("it has no key", null, 1, 2, 3);
    refuses("the step gave a value that is not a number", "bad", INFINITY, INFINITY, -INFINITY);
  }

  /** It does not wait with the others: what waits in memory alone, a crash would lose. */
  @Test
  void aRecordThatCannotStepIsToldAtOnce() {
    List<String> told = new ArrayList<>();
    KeyedSteps<String, float[], float[]> steps = steps().onBad(bad -> told.add(bad.message()));
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps)) {
      driven.inputs.pipeInput("good", Alone.input(ROWS, 1));
      assertEquals(0, driven.answers.getQueueSize());
      driven.inputs.pipeInput("bad", new float[] {1, Float.NaN, 2});
      assertEquals(1, told.size());
      assertEquals("good", driven.answers.readKeyValue().key);
    }
  }

  /** Sends good and bad records in one batch, and compares the answers to the good ones. */
  private void othersAreUnharmed(Driven<float[], float[]> driven, List<float[]> others) {
    try (Alone alone = new Alone(model, device)) {
      List<KeyValue<String, float[]>> expected = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        String key = "key-" + i % 3;
        float[] x = Alone.input(ROWS, i);
        driven.inputs.pipeInput(key, x);
        expected.add(KeyValue.pair(key, alone.step(key, x)));
        if (i % 4 == 1) {
          driven.inputs.pipeInput(key, new float[] {1, 2, 3, 4, 5}); // of another size
        }
        if (i % 4 == 2) {
          driven.inputs.pipeInput(key, new float[] {1, Float.NaN, 2});
        }
        if (i % 4 == 3) {
          driven.inputs.pipeInput((String) null, x);
        }
      }
      List<KeyValue<String, float[]>> found = driven.answered();
      List<KeyValue<String, float[]>> good =
          found.stream().filter(answer -> answer.value.length == 2).toList();
      found.stream()
          .filter(answer -> answer.value.length != 2)
          .forEach(answer -> others.add(answer.value));
      assertEquals(expected.size(), good.size());
      for (int i = 0; i < good.size(); i++) {
        assertEquals(expected.get(i).key, good.get(i).key);
        assertArrayEquals(expected.get(i).value, good.get(i).value);
      }
    }
  }

  @Test
  void aHandlerThatContinuesSkipsTheBadRecordAlone() {
    Topology topology = Driven.topology(steps(), new FloatsSerde(), new FloatsSerde());
    Map<String, Object> settings =
        Map.of(
            StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
            LogAndContinueProcessingExceptionHandler.class);
    try (Driven<float[], float[]> driven =
        new Driven<>(folder, topology, settings, new FloatsSerde(), new FloatsSerde())) {
      othersAreUnharmed(driven, new ArrayList<>());
    }
  }

  @Test
  void badRecordsAreTaken() {
    List<BadRecord<String, float[]>> taken = new ArrayList<>();
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps().onBad(taken::add))) {
      othersAreUnharmed(driven, new ArrayList<>());
    }
    assertEquals(9, taken.size());
    assertEquals(List.of(2L, 4L, 6L), taken.stream().map(BadRecord::offset).limit(3).toList());
    assertEquals("key-1", taken.getFirst().key());
    assertEquals(5, taken.getFirst().value().length);
    assertTrue(taken.get(1).message().contains("x[1] is not a number"));
  }

  @Test
  void badRecordsAreAnsweredInTheirPlace() {
    List<float[]> others = new ArrayList<>();
    try (Driven<float[], float[]> driven =
        Driven.dense(folder, steps().answerBad(bad -> new float[] {bad.offset()}))) {
      othersAreUnharmed(driven, others);
    }
    assertEquals(9, others.size());
    assertArrayEquals(new float[] {2}, others.getFirst());
  }

  @Test
  void badRecordsGoToASinkOfTheirOwn() {
    var floats = new FloatsSerde();
    var texts = Serdes.String();
    Topology topology =
        new Topology()
            .addSource("in", texts.deserializer(), floats.deserializer(), "inputs")
            .addProcessor("step", steps().sendBadTo("errors").supplier("out"), "in")
            .addSink("out", "answers", texts.serializer(), floats.serializer(), "step")
            .addSink("errors", "bad", texts.serializer(), floats.serializer(), "step");
    try (Driven<float[], float[]> driven =
        new Driven<>(folder, topology, Map.of(), floats, floats)) {
      var bad = driven.driver.createOutputTopic("bad", texts.deserializer(), floats.deserializer());
      othersAreUnharmed(driven, new ArrayList<>());
      List<TestRecord<String, float[]>> records = bad.readRecordsToList();
      assertEquals(9, records.size());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5}, records.getFirst().value());
      assertEquals("2", header(records.getFirst(), "recur.offset"));
      assertEquals("inputs", header(records.getFirst(), "recur.topic"));
      assertEquals("0", header(records.getFirst(), "recur.partition"));
      assertTrue(header(records.get(1), "recur.reason").contains("x[1] is not a number"));
    }
  }

  private static String header(TestRecord<String, float[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  @Test
  void whatTheFunctionsOfTheUserThrowConcernsTheirRecordAlone() {
    KeyedSteps<String, String, String> odd =
        KafkaModel.of("odd", model, device)
            .steps(
                Serdes.String(),
                Serdes.String(),
                (key, text) -> Request.of(Float.parseFloat(text), 1, 1),
                (key, text, y) -> {
                  if (text.equals("13")) {
                    throw new ArithmeticException("unlucky");
                  }
                  return text;
                });
    Topology topology = Driven.topology(odd, Serdes.String(), Serdes.String());
    Map<String, Object> settings =
        Map.of(
            StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
            LogAndContinueProcessingExceptionHandler.class);
    try (Driven<String, String> driven =
        new Driven<>(folder, topology, settings, Serdes.String(), Serdes.String())) {
      for (String text : List.of("1", "two", "13", "4", "x", "13", "5")) {
        driven.inputs.pipeInput("key", text);
      }
      assertEquals(
          List.of("1", "4", "5"), driven.answered().stream().map(answer -> answer.value).toList());
    }
  }
}

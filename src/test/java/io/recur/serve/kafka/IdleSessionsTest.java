package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions that have not stepped for some time leave the store. */
@Tag(Devices.CPU)
class IdleSessionsTest {
  private static final Duration AFTER = Duration.ofSeconds(10);

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private final Chain model = chain(lstm(2, 3)).on(device, 1);

  private KeyedSteps<String, float[], float[]> steps(PunctuationType clock) {
    return KafkaModel.of("model", model, device)
        .dense(Serdes.String())
        .withStates(Stores::inMemoryKeyValueStore)
        .withIdle(AFTER, clock);
  }

  private static int count(Driven<?, ?> driven) {
    KeyValueStore<String, byte[]> states = driven.driver.getKeyValueStore("model-states");
    int count = 0;
    try (var all = states.all()) {
      for (; all.hasNext(); all.next()) {
        count++;
      }
    }
    return count;
  }

  @Test
  void byTheClockOfTheSystem() {
    try (Driven<float[], float[]> driven =
        Driven.dense(folder, steps(PunctuationType.WALL_CLOCK_TIME))) {
      float[] x = {1, 2};
      driven.inputs.pipeInput("a", x, 0);
      driven.inputs.pipeInput("b", x, 0);
      float[] first = driven.answered().getFirst().value;
      driven.driver.advanceWallClockTime(Duration.ofSeconds(6));
      driven.inputs.pipeInput("b", x, 0);
      assertFalse(java.util.Arrays.equals(first, driven.answered().getFirst().value));
      assertEquals(2, count(driven));
      driven.driver.advanceWallClockTime(Duration.ofSeconds(4));
      assertEquals(1, count(driven));
      driven.inputs.pipeInput("a", x, 0);
      assertArrayEquals(first, driven.answered().getFirst().value);
    }
  }

  @Test
  void byTheTimestampsOfRecords() {
    try (Driven<float[], float[]> driven =
        Driven.dense(folder, steps(PunctuationType.STREAM_TIME))) {
      float[] x = {1, 2};
      driven.inputs.pipeInput("a", x, 0);
      driven.inputs.pipeInput("b", x, 9_999);
      driven.driver.advanceWallClockTime(Duration.ofDays(1));
      assertEquals(2, count(driven));
      driven.inputs.pipeInput("b", x, 12_500);
      driven.answered();
      assertEquals(1, count(driven));
    }
  }

  /** Its last step came in time, and has not been made when others look for idle sessions. */
  @Test
  void aSessionThatWaitsIsNotIdle() {
    try (Driven<float[], float[]> driven =
            Driven.dense(folder, steps(PunctuationType.STREAM_TIME));
        Alone alone = new Alone(model, device)) {
      float[] x = {1, 2};
      driven.inputs.pipeInput("a", x, 0);
      assertArrayEquals(alone.step("a", x), driven.answered().getFirst().value);
      driven.inputs.pipeInput("a", x, 9_000);
      driven.inputs.pipeInput("b", x, 13_000);
      assertArrayEquals(alone.step("a", x), driven.answered().getFirst().value);
      driven.inputs.pipeInput("a", x, 14_000);
      assertArrayEquals(alone.step("a", x), driven.answered().getFirst().value);
    }
  }

  /** Whether or not somebody looked for it in the meantime. */
  @ParameterizedTest
  @EnumSource(PunctuationType.class)
  void aSessionThatWasIdleBeginsAnew(PunctuationType clock) {
    try (Driven<float[], float[]> driven = Driven.dense(folder, steps(clock).withLargest(1))) {
      float[] x = {1, 2};
      driven.inputs.pipeInput("a", x, 0);
      float[] first = driven.answered().getFirst().value;
      driven.driver.advanceWallClockTime(Duration.ofSeconds(20));
      driven.inputs.pipeInput("a", x, 20_000);
      assertArrayEquals(first, driven.answered().getFirst().value);
    }
  }

  @Test
  void manySessionsAreLookedAtInParts() {
    try (Driven<float[], float[]> driven =
        Driven.dense(folder, steps(PunctuationType.WALL_CLOCK_TIME))) {
      KeyValueStore<String, byte[]> states = driven.driver.getKeyValueStore("model-states");
      byte[] bytes = StateBytes.of(model).fresh();
      for (int i = 0; i < 25_000; i++) {
        states.put("key-" + i, bytes);
      }
      driven.driver.advanceWallClockTime(AFTER);
      assertEquals(15_000, count(driven));
      driven.driver.advanceWallClockTime(Duration.ofSeconds(1));
      driven.driver.advanceWallClockTime(Duration.ofSeconds(1));
      assertEquals(0, count(driven));
    }
  }
}

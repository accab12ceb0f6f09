package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records that wait are in a store, from which another processor goes on. */
@Tag(Devices.CPU)
class WaitingRecordsTest {
  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private final Chain model = chain(lstm(2, 3)).on(device, 1);
  private final KeyedSteps<String, float[], float[]> steps =
      KafkaModel.of("model", model, device)
          .dense(Serdes.String())
          .withStates(Stores::inMemoryKeyValueStore);

  private MockProcessorContext<String, float[]> context() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "waiting");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1");
    MockProcessorContext<String, float[]> context =
        new MockProcessorContext<>(properties, new TaskId(0, 0), folder.toFile());
    context.setCurrentSystemTimeMs(0);
    return context;
  }

  private static KeyValueStore<Integer, WaitingRecord<String, float[]>> waiting(
      MockProcessorContext<String, float[]> context) {
    return context.getStateStore("model-waiting");
  }

  @Test
  void anotherProcessorStepsThoseThatWaited() {
    var before = context();
    List<StateStore> stores =
        steps.supplier().stores().stream()
            .<StateStore>map(
                builder ->
                    ((StoreBuilder<?>) builder).withLoggingDisabled().withCachingDisabled().build())
            .toList();
    stores.forEach(
        store -> {
          store.init(before.getStateStoreContext(), store);
          before.addStateStore(store);
        });
    Processor<String, float[], String, float[]> first = steps.withLargest(3).supplier().get();
    first.init(before);
    try (Alone alone = new Alone(model, device)) {
      for (int i = 0; i < 5; i++) {
        first.process(new Record<>("key-" + i % 2, Alone.input(2, i), i));
        float[] expected = alone.step("key-" + i % 2, Alone.input(2, i));
        if (i < 3) {
          assertEquals(i < 2 ? 0 : 3, before.forwarded().size());
        }
        if (i == 2) {
          assertArrayEquals(expected, (float[]) before.forwarded().get(2).record().value());
        }
      }
      first.close();
      assertEquals(3, before.forwarded().size());
      assertEquals(2, count(waiting(before)));

      var between = context();
      stores.forEach(between::addStateStore);
      Processor<String, float[], String, float[]> other = steps.withLargest(9).supplier().get();
      other.init(between);
      other.process(new Record<>("key-1", Alone.input(2, 5), 5)); // behind those that it took up
      alone.step("key-1", Alone.input(2, 5));
      other.close();
      assertEquals(3, count(waiting(between)));

      var after = context();
      stores.forEach(after::addStateStore);
      // of another size, as a new release of the application may choose
      Processor<String, float[], String, float[]> second = steps.withLargest(1).supplier().get();
      second.init(after);
      after.scheduledPunctuators().getFirst().getPunctuator().punctuate(0);
      assertEquals(List.of(3L, 4L, 5L), timestamps(after));
      second.process(new Record<>("key-1", Alone.input(2, 6), 6));
      assertArrayEquals(
          alone.step("key-1", Alone.input(2, 6)),
          (float[]) after.forwarded().get(3).record().value());
      assertEquals(0, count(waiting(after)));
      second.close();
    }
    stores.forEach(StateStore::close);
  }

  private static List<Long> timestamps(MockProcessorContext<String, float[]> context) {
    return context.forwarded().stream().map(forward -> forward.record().timestamp()).toList();
  }

  private static int count(KeyValueStore<Integer, WaitingRecord<String, float[]>> store) {
    int count = 0;
    try (var all = store.all()) {
      for (; all.hasNext(); all.next()) {
        count++;
      }
    }
    return count;
  }

  private static final WaitingSerde<String, float[]> SERDE =
      new WaitingSerde<>(Serdes.String(), new FloatsSerde());

  private static byte[] bytes(float... value) {
    var headers = new RecordHeaders().add("a", new byte[] {1}).add("b", null);
    var record = new Record<>("key", value, 77, headers);
    return SERDE
        .serializer()
        .serialize("topic", new WaitingRecord<>(5, 6, record, "inputs", 3, 1L << 40));
  }

  @Test
  void aRecordComesBackAsItWas() {
    var back = SERDE.deserializer().deserialize("topic", bytes(1, 2));
    assertEquals(5, back.number());
    assertEquals(6, back.time());
    assertEquals("inputs", back.topic());
    assertEquals(3, back.partition());
    assertEquals(1L << 40, back.offset());
    assertEquals("key", back.record().key());
    assertEquals(77, back.record().timestamp());
    assertArrayEquals(new float[] {1, 2}, back.record().value());
    assertArrayEquals(new byte[] {1}, back.record().headers().lastHeader("a").value());
    assertEquals(null, back.record().headers().lastHeader("b").value());
    assertEquals(
        null, SERDE.deserializer().deserialize("topic", bytes((float[]) null)).record().value());
  }

  @Test
  void bytesThatAreCutOffOrOfAnotherVersionAreRefused() {
    byte[] whole = bytes(1, 2);
    for (int length = 1; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThrows(
          SerializationException.class,
          () -> SERDE.deserializer().deserialize("topic", part),
          "length=" + length);
    }
    whole[0] = 2;
    String message =
        assertThrows(
                SerializationException.class,
                () -> SERDE.deserializer().deserialize("topic", whole))
            .getMessage();
    assertTrue(message.contains("version=2"), message);
  }

  @Test
  void floatsAreLittleEndianAndWhole() {
    FloatsSerde floats = new FloatsSerde();
    byte[] bytes = floats.serializer().serialize("t", new float[] {1, -2});
    assertArrayEquals(new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, (byte) 0xc0}, bytes);
    assertArrayEquals(new float[] {1, -2}, floats.deserializer().deserialize("t", bytes));
    assertEquals(null, floats.serializer().serialize("t", null));
    assertEquals(null, floats.deserializer().deserialize("t", (byte[]) null));
    String message =
        assertThrows(
                SerializationException.class,
                () -> floats.deserializer().deserialize("t", new byte[7]))
            .getMessage();
    assertTrue(message.contains("bytes=7; need a multiple of 4"), message);
  }
}

package io.recur.jmh.kafka;

import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.nn.Recur;
import io.recur.serve.kafka.FloatsSerde;
import io.recur.serve.kafka.KafkaModel;
import io.recur.serve.kafka.KeyedSteps;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/** Steps an LSTM of 128 units by key, exactly once, until it is killed. */
final class Application {
  static final int UNITS = 128;

  private Application() {}

  static Recur model(Device device) {
    return lstm(UNITS, UNITS).on(device, 1);
  }

  /** The address of the broker, a folder, and {@code rocksdb} or {@code memory}. */
  public static void main(String[] arguments) throws InterruptedException {
    Properties settings = new Properties();
    settings.put("application.id", "bench");
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("state.dir", arguments[1]);
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("replication.factor", 1);
    settings.put("consumer.auto.offset.reset", "earliest");
    settings.put("producer.batch.size", 1 << 18); // 16 KB hold 15 states
    try (Device device = Device.cpu(1)) {
      KeyedSteps<Long, float[], float[]> steps =
          KafkaModel.of("lstm", model(device), device).dense(Serdes.Long());
      if (arguments[2].equals("memory")) {
        steps = steps.withStates(Stores::inMemoryKeyValueStore);
      }
      StreamsBuilder builder = new StreamsBuilder();
      builder.stream("inputs", Consumed.with(Serdes.Long(), new FloatsSerde()))
          .process(steps.supplier())
          .to("answers", Produced.with(Serdes.Long(), new FloatsSerde()));
      try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
        streams.start();
        Thread.currentThread().join();
      }
    }
  }
}

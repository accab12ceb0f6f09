package io.recur.hostile;

import io.recur.nn.Layer;
import io.recur.serve.Request;
import io.recur.serve.RequestBatch;
import io.recur.serve.kafka.Answer;
import io.recur.serve.kafka.KafkaModel;
import io.recur.serve.kafka.KeyedSteps;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Values of steps on Kafka Streams. */
final class KafkaSamples {
  private KafkaSamples() {}

  static void addTo(Samples samples) {
    samples
        .add(KafkaModel.class, "a model", KafkaSamples::model)
        .add(KeyedSteps.class, "dense", world -> model(world).dense(Serdes.String()))
        .add(KeyedSteps.class, "symbols", world -> model(world).symbols(Serdes.Long(), 2))
        .add(RuntimeException.class, "a reason", world -> new RuntimeException("a reason"))
        .add(RequestBatch.class, "of two", KafkaSamples::batch)
        .add(Serde.class, "texts", world -> Serdes.String())
        .add(Duration.class, "a second", world -> Duration.ofSeconds(1))
        .add(Duration.class, "none", world -> Duration.ZERO)
        .add(Duration.class, "backward", world -> Duration.ofSeconds(-1))
        .add(Duration.class, "for ever", world -> Duration.ofSeconds(Long.MAX_VALUE))
        .add(
            Function.class,
            "a store in memory",
            world -> (Function<String, KeyValueBytesStoreSupplier>) Stores::inMemoryKeyValueStore)
        .add(
            BiFunction.class,
            "a request",
            world -> (BiFunction<Object, Object, Request>) (key, value) -> Request.of(1, 2))
        .add(
            Answer.class,
            "a length",
            world -> (Answer<Object, Object, Integer>) (key, value, y) -> y.length)
        .add(ReadOnlyKeyValueStore.class, "of nobody", world -> new Store(null))
        .add(ReadOnlyKeyValueStore.class, "of another model", world -> new Store(new byte[5]));
  }

  private static KafkaModel model(World world) {
    return KafkaModel.of("model", world.model(), world.device());
  }

  private static RequestBatch batch(World world) {
    Layer fork = world.model().fork();
    RequestBatch batch = new RequestBatch(fork, world.device(), 2);
    world.keep(batch::close);
    return batch;
  }

  /** Gives the same for every key. */
  private record Store(byte[] value) implements ReadOnlyKeyValueStore<Object, byte[]> {
    @Override
    public byte[] get(Object key) {
      return value;
    }

    @Override
    public KeyValueIterator<Object, byte[]> range(Object from, Object to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public KeyValueIterator<Object, byte[]> all() {
      throw new UnsupportedOperationException();
    }

    @Override
    public long approximateNumEntries() {
      return 0;
    }
  }
}

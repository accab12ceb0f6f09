package io.recur.serve.kafka;

import io.recur.device.Device;
import io.recur.grad.ShapeException;
import io.recur.io.optional.OptionalLibrary;
import io.recur.nn.Layer;
import io.recur.serve.Request;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * A model for a topology of Kafka Streams, where it steps a session for each key of a topic. It
 * needs {@code org.apache.kafka:kafka-streams:4.4.0}, which you add.
 *
 * <pre>{@code
 * StreamsBuilder builder = new StreamsBuilder();
 * KeyedSteps<String, float[], float[]> steps =
 *     KafkaModel.of("detector", model, device).dense(Serdes.String());
 * builder.stream("inputs", Consumed.with(Serdes.String(), new FloatsSerde()))
 *     .process(steps.supplier())
 *     .to("answers", Produced.with(Serdes.String(), new FloatsSerde()));
 * }</pre>
 */
public final class KafkaModel {
  /** What a topic's name may hold; the names of the stores are parts of one. */
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9._-]{1,64}");

  private final Settings settings;

  private KafkaModel(Settings settings) {
    this.settings = settings;
  }

  /**
   * A model with a name.
   *
   * @param name of its stores, {@code name-states} and {@code name-waiting}, and part of the names
   *     of their changelogs: letters, digits, {@code . _ -}, at most 64. Another model in the same
   *     application takes another name
   * @param model with independent columns and one Recur or more; each task of the topology steps a
   *     fork of it. It stays the caller's, who closes it after the application
   * @param device that of the model
   * @return the model; choose what its records hold
   * @throws IllegalArgumentException if the name has other characters, or the model is on another
   *     device or of a kind that {@link io.recur.nn.StateBatch} refuses
   * @throws IllegalStateException if Kafka Streams is missing; the message gives its coordinates
   */
  public static KafkaModel of(String name, Layer model, Device device) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "kafka: name=%s; need 1 to 64 letters, digits, dots, underscores or hyphens"
              .formatted(name));
    }
    if (model.device() != Objects.requireNonNull(device, "device")) {
      throw new IllegalArgumentException(
          "kafka: %s is on %s, not on %s; give the device of the model"
              .formatted(
                  name, model.device().nameBeside(device), device.nameBeside(model.device())));
    }
    try {
      return new KafkaModel(Settings.of(name, model, device));
    } catch (LinkageError e) {
      throw OptionalLibrary.KAFKA_STREAMS.missing("kafka: " + name, e);
    }
  }

  /**
   * Steps on records of dense values, one step each, with answers of the same form.
   *
   * @param keys of the sessions
   * @param <K> the keys
   * @return the steps
   */
  public <K> KeyedSteps<K, float[], float[]> dense(Serde<K> keys) {
    return steps(keys, FloatsSerde.serde(), (key, x) -> Request.of(x), (key, x, y) -> y);
  }

  /**
   * Steps on records of one-hot symbols, one step each.
   *
   * @param keys of the sessions
   * @param classes rows of the input; a symbol is 0 or more and less than this
   * @param <K> the keys
   * @return the steps
   * @throws ShapeException if there is no class
   */
  public <K> KeyedSteps<K, Integer, float[]> symbols(Serde<K> keys, int classes) {
    if (classes < 1) {
      throw new ShapeException("kafka: classes=%d; need 1 or more".formatted(classes));
    }
    return steps(
        keys,
        Serdes.Integer(),
        (key, symbol) -> Request.symbol(classes, symbol),
        (key, symbol, y) -> y);
  }

  /**
   * Steps on records of your own.
   *
   * @param keys of the sessions; two keys are the same where their bytes are
   * @param values of the records, which writes those that wait to their store
   * @param input makes a request of a record: a step or a sequence, dense or one-hot. Its number,
   *     deadline and version, and that it starts or ends a session, have no meaning here. What it
   *     throws makes the record a bad one
   * @param output makes an answer of what the model gave
   * @param <K> the keys
   * @param <V> the records
   * @param <R> the answers
   * @return the steps
   */
  public <K, V, R> KeyedSteps<K, V, R> steps(
      Serde<K> keys, Serde<V> values, BiFunction<K, V, Request> input, Answer<K, V, R> output) {
    return new KeyedSteps<>(
        settings,
        Objects.requireNonNull(keys, "keys"),
        Objects.requireNonNull(values, "values"),
        Objects.requireNonNull(input, "input"),
        Objects.requireNonNull(output, "output"),
        BadRecords.throwing());
  }
}

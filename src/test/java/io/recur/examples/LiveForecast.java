package io.recur.examples;

import static io.recur.examples.Forecast.K;

import io.recur.device.Device;
import io.recur.nn.Chain;
import io.recur.serve.Request;
import io.recur.serve.kafka.*;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

/** Forecasts the next hour of every meter, live over Kafka: an interval that holds 90 %. */
final class LiveForecast {
  public static void main(String[] args) throws InterruptedException {
    Properties settings = new Properties();
    settings.put("application.id", "live-forecast");
    settings.put("bootstrap.servers", args[0]);
    settings.put("processing.guarantee", "exactly_once_v2");
    try (Device device = Device.cpu();
        KafkaStreams streams =
            new KafkaStreams(topology(Forecast.learn(device), device), settings)) {
      streams.start();
      Thread.currentThread().join();
    }
  }

  /** From the demand of an hour and the clock of the next to an interval, meter by meter. */
  static Topology topology(Chain model, Device device) {
    KeyedSteps<String, float[], float[]> forecast =
        KafkaModel.of("forecast", model, device)
            .steps(
                Serdes.String(),
                new FloatsSerde(),
                (meter, hour) -> Request.of(hour),
                (meter, hour, y) -> interval(y))
            .withLongestWait(Duration.ofMillis(50))
            .onBad(bad -> System.err.println(bad.message()));
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("hours", Consumed.with(Serdes.String(), new FloatsSerde()))
        .process(forecast.supplier())
        .to("forecasts", Produced.with(Serdes.String(), new FloatsSerde()));
    return builder.build();
  }

  /** The middle 90 % of a normal distribution with mean and variance of the mixture. */
  static float[] interval(float[] y) {
    double sum = 0, mean = 0, square = 0;
    for (int k = 0; k < K; k++) {
      double weight = Math.exp(y[k]), deviation = Math.exp(Math.clamp(y[2 * K + k], -5, 2));
      sum += weight;
      mean += weight * y[K + k];
      square += weight * (y[K + k] * y[K + k] + deviation * deviation);
    }
    mean /= sum;
    double half = 1.645 * Math.sqrt(square / sum - mean * mean);
    return new float[] {(float) (mean - half), (float) (mean + half)};
  }
}

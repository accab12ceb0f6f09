package io.recur.serve.kafka;

import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.nn.Chain;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;

/** Scores the readings of each sensor. */
final class Detector {
  static KeyedSteps<String, float[], float[]> steps(Chain model, Device device) {
    return KafkaModel.of("detector", model, device).dense(Serdes.String());
  }

  static Topology topology(KeyedSteps<String, float[], float[]> steps) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("readings", Consumed.with(Serdes.String(), new FloatsSerde()))
        .process(steps.supplier()) // a state for each sensor
        .to("scores", Produced.with(Serdes.String(), new FloatsSerde()));
    return builder.build();
  }

  public static void main(String[] args) throws InterruptedException {
    Properties settings = new Properties();
    settings.put("application.id", "detector");
    settings.put("bootstrap.servers", args[0]);
    settings.put("state.dir", args[1]);
    settings.put("processing.guarantee", "exactly_once_v2");
    CountDownLatch ended = new CountDownLatch(1);
    try (Device device = Device.cpu(1)) {
      Chain model = chain(lstm(3, 128), dense(128, 1)).on(device, 42); // or from a file of weights
      try (KafkaStreams streams = new KafkaStreams(topology(steps(model, device)), settings)) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(streams, ended)));
        streams.start();
        ended.await();
      }
    }
  }

  static void end(KafkaStreams streams, CountDownLatch ended) {
    streams.close(); // steps no more and commits; the model is closed after it
    ended.countDown();
  }
}

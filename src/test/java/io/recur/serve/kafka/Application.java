package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.nn.Chain;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * An application of Kafka Streams in a process of its own, which a test may kill. It prints the
 * tasks that it has, {@code TASKS 0_0 0_1}, whenever they change; answers {@code KEY} on its
 * standard input with that key's state; and closes at the end of its input.
 */
final class Application {
  static final int ROWS = 3;

  private Application() {}

  static Chain model(Device device) {
    return chain(lstm(ROWS, 8), dense(8, 4)).on(device, 42);
  }

  static KeyedSteps<String, float[], float[]> steps(Chain model, Device device) {
    return KafkaModel.of("model", model, device).dense(Serdes.String()).withLargest(64);
  }

  static Properties settings(String broker, String folder) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "application");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.POLL_MS_CONFIG, 10);
    settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 5000);
    settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 500);
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 5000);
    return settings;
  }

  /** The address of the broker, a folder, and the longest wait in ms. */
  public static void main(String[] arguments) throws Exception {
    try (Device device = Device.cpu(1)) {
      Chain model = model(device);
      var steps =
          steps(model, device).withLongestWait(Duration.ofMillis(Long.parseLong(arguments[2])));
      var topology = Driven.topology(steps, new FloatsSerde(), new FloatsSerde());
      try (KafkaStreams streams = new KafkaStreams(topology, settings(arguments[0], arguments[1]));
          BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
        streams.setUncaughtExceptionHandler(
            thrown -> {
              thrown.printStackTrace(System.out);
              return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler
                  .StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
        streams.start();
        Thread tasks = new Thread(() -> tasks(streams));
        tasks.setDaemon(true);
        tasks.start();
        for (String key = in.readLine(); key != null; key = in.readLine()) {
          var states =
              streams.store(
                  StoreQueryParameters.fromNameAndType(
                      steps.states(), QueryableStoreTypes.<String, byte[]>keyValueStore()));
          System.out.println(
              "STATE "
                  + steps
                      .snapshot(states, key)
                      .map(state -> Base64.getEncoder().encodeToString(state.toBytes()))
                      .orElse("none"));
        }
      }
    }
  }

  private static void tasks(KafkaStreams streams) {
    String before = "";
    while (true) {
      StringBuilder now = new StringBuilder("TASKS");
      streams.metadataForLocalThreads().stream()
          .filter(thread -> thread.threadState().equals("RUNNING"))
          .flatMap(thread -> thread.activeTasks().stream())
          .map(task -> task.taskId().toString())
          .sorted()
          .forEach(task -> now.append(' ').append(task));
      if (!now.toString().equals(before)) {
        before = now.toString();
        System.out.println(before);
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}

package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.AddedLibrary;
import io.recur.Without;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Layer;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kafka Streams is the user's to add. */
@Tag(Devices.CPU)
class KafkaLibraryTest {
  private static final AddedLibrary KAFKA =
      new AddedLibrary("org.apache.kafka:kafka-streams", "kafka.version");

  @AutoClose private final Device device = Devices.here();

  @Test
  void withoutKafkaACallNamesItsCoordinates() throws Exception {
    Layer model = chain(lstm(2, 3)).on(device, 1);
    Class<?> ours = new Without(KafkaModel.class, "org.apache.kafka.").its(KafkaModel.class);
    MethodHandle of =
        MethodHandles.publicLookup()
            .findStatic(
                ours, "of", MethodType.methodType(ours, String.class, Layer.class, Device.class));
    KAFKA.isAskedFor(() -> of.invokeWithArguments("model", model, device));
  }

  @Test
  void kafkaHasTheVersionOfThePomEverywhere() throws IOException {
    KAFKA.isNamedIn("src/main/java/io/recur/serve/kafka/KafkaModel.java", "docs/kafka.md");
  }

  /** The command does not need it, and RocksDB would be most of it. */
  @Test
  void kafkaIsForWhoAddsItAlone() throws IOException {
    String pom = Files.readString(Path.of("pom.xml")).replaceAll("\\s", "");
    assertTrue(
        pom.contains(
            "<artifactId>kafka-streams</artifactId><version>${kafka.version}</version>"
                + "<scope>provided</scope><optional>true</optional>"));
  }
}

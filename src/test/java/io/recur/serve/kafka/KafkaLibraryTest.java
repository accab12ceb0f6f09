package io.recur.serve.kafka;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kafka Streams is the user's to add. */
@Tag(Devices.CPU)
class KafkaLibraryTest {
  /** Loads this package anew, and has no Kafka. */
  private static final class WithoutKafka extends ClassLoader {
    private static final String OURS = KafkaModel.class.getPackageName() + ".";

    WithoutKafka() {
      super(KafkaModel.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("org.apache.kafka.")) {
        throw new ClassNotFoundException(name);
      }
      Class<?> known = findLoadedClass(name);
      if (known != null || !name.startsWith(OURS)) {
        return known != null ? known : super.loadClass(name, resolve);
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static final Pattern COORDINATES =
      Pattern.compile("org\\.apache\\.kafka:kafka-streams:(\\d[\\w.]*\\w)");

  @AutoClose private final Device device = Devices.here();

  @Test
  void withoutKafkaACallNamesItsCoordinates() throws Throwable {
    Layer model = chain(lstm(2, 3)).on(device, 1);
    Class<?> ours = new WithoutKafka().loadClass(KafkaModel.class.getName());
    MethodHandle of =
        MethodHandles.publicLookup()
            .findStatic(
                ours, "of", MethodType.methodType(ours, String.class, Layer.class, Device.class));
    for (int call = 0; call < 2; call++) {
      IllegalStateException thrown =
          assertThrows(
              IllegalStateException.class, () -> of.invokeWithArguments("model", model, device));
      assertTrue(
          thrown.getMessage().contains("add " + coordinates() + " to the class path"),
          thrown.getMessage());
    }
  }

  private static String coordinates() throws IOException {
    Matcher version =
        Pattern.compile("<kafka.version>(.*?)<").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find());
    return "org.apache.kafka:kafka-streams:" + version.group(1);
  }

  /** The coordinates that an error and the guide name. */
  @Test
  void kafkaHasTheVersionOfThePomEverywhere() throws IOException {
    for (Path file :
        new Path[] {
          Path.of("src/main/java/io/recur/serve/kafka/KafkaModel.java"), Path.of("docs/kafka.md")
        }) {
      Matcher named = COORDINATES.matcher(Files.readString(file));
      assertTrue(named.find(), file.toString());
      do {
        assertEquals(coordinates(), named.group(), file.toString());
      } while (named.find());
    }
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

package io.recur.serve.kafka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two instances of an application on a broker, in processes of their own. Whichever is killed,
 * whenever: each record is answered once, as if nothing had happened.
 */
@Tag(Devices.CPU)
class ExactlyOnceTest {
  private static final long MOST_SECONDS = 120;

  @TempDir private Path folder;

  /** A process of the application. */
  private final class Instance implements AutoCloseable {
    private final Path output;
    private final Process process;

    Instance(Broker broker, String name, long waitMillis) throws IOException {
      output = folder.resolve(name + ".txt");
      process =
          ChildJvm.start(
              output,
              Application.class,
              List.of("-Xmx256m"),
              broker.address(),
              folder.resolve(name).toString(),
              Long.toString(waitMillis));
    }

    /** The last line that begins with a word. */
    String last(String word) throws IOException {
      return Files.readAllLines(output).stream()
          .filter(line -> line.startsWith(word))
          .reduce("", (before, after) -> after);
    }

    int tasks() throws IOException {
      return Math.max(0, last("TASKS").split(" ").length - 1);
    }

    byte[] state(String key) throws Exception {
      process.getOutputStream().write((key + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      await("a state", () -> !last("STATE").isEmpty());
      return Base64.getDecoder().decode(last("STATE").substring(6));
    }

    void kill() {
      process.destroyForcibly().onExit().join();
    }

    /** Lets it end by itself. */
    void end() throws Exception {
      process.getOutputStream().close();
      assertTrue(process.waitFor(MOST_SECONDS, TimeUnit.SECONDS));
      assertEquals(0, process.exitValue(), Files.readString(output));
    }

    @Override
    public void close() {
      kill();
    }
  }

  private void await(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        StringBuilder said = new StringBuilder("waited in vain for " + what);
        try (var files = Files.list(folder)) {
          for (Path file : files.filter(f -> f.toString().endsWith(".txt")).toList()) {
            said.append('\n')
                .append(file.getFileName())
                .append(": ")
                .append(Files.readString(file));
          }
        }
        throw new AssertionError(said);
      }
      Thread.sleep(20);
    }
  }

  /** Compares all answers, key by key, with those of a Recur for each key. */
  private static void answersAreThoseOfRecurs(Traffic traffic) {
    try (Device device = Device.cpu(1);
        Alone alone = new Alone(Application.model(device), device)) {
      traffic
          .answers()
          .forEach((key, answers) -> assertEquals(traffic.sent(key), answers.size(), key));
      int count = 0;
      for (String key : traffic.keys()) {
        List<float[]> answers = traffic.answers().get(key);
        for (int i = 0; i < traffic.sent(key); i++) {
          float[] expected = alone.step(key, traffic.input(key, i));
          assertArrayEquals(expected, answers.get(i), key + ", step " + i);
          count++;
        }
      }
      assertEquals(traffic.sent(), count);
    }
  }

  @Test
  void whatWaitedInAKilledInstanceIsAnsweredByTheOther() throws Exception {
    try (Broker broker = new Broker(folder)) {
      broker.create(2, "inputs", "answers");
      try (Traffic traffic = new Traffic(broker);
          Instance doomed = new Instance(broker, "doomed", 3_600_000);
          Instance other = new Instance(broker, "other", 50)) {
        await("a task each", () -> doomed.tasks() == 1 && other.tasks() == 1);
        int partition = Integer.parseInt(doomed.last("TASKS").substring("TASKS 0_".length()));
        traffic.send(1000);
        await("a commit of all", () -> traffic.committed() == traffic.sent());
        int waiting = traffic.sentTo(partition) % 64;
        assertNotEquals(0, waiting, "the batch is to be half full");
        await("answers", () -> traffic.read() >= traffic.sent() - waiting);
        assertEquals(traffic.sent() - waiting, traffic.read());

        doomed.kill();
        traffic.send(500);
        await("all answers", () -> traffic.read() >= traffic.sent());
        assertEquals(2, other.tasks());
        String key = traffic.keyOf(partition);
        byte[] state = other.state(key);
        other.end();
        traffic.readToTheEnd();
        assertEquals(traffic.sent(), traffic.read());
        answersAreThoseOfRecurs(traffic);
        try (Device device = Device.cpu(1);
            Alone alone = new Alone(Application.model(device), device)) {
          for (int i = 0; i < traffic.sent(key); i++) {
            alone.step(key, traffic.input(key, i));
          }
          assertArrayEquals(alone.save(key).toBytes(), state);
        }
      }
    }
  }

  @Test
  void theProgramOfTheGuideRuns() throws Exception {
    try (Broker broker = new Broker(folder)) {
      broker.create(1, "readings", "scores");
      Path output = folder.resolve("detector.txt");
      Process program =
          ChildJvm.start(
              output,
              Detector.class,
              List.of("-Xmx256m"),
              broker.address(),
              folder.resolve("states").toString());
      try (Traffic traffic = new Traffic(broker, "readings", "scores", 1)) {
        traffic.send(3);
        await("three scores", () -> traffic.read() == 3);
        program.destroy(); // it ends by itself, in its shutdown hook
        assertTrue(program.waitFor(MOST_SECONDS, TimeUnit.SECONDS));
        traffic.readToTheEnd();
        assertEquals(3, traffic.read());
      } finally {
        program.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  @Tag("soak")
  void fiveKillsAtRandomMomentsLoseAndDoubleNothing() throws Exception {
    Random random = new Random(5);
    List<Instance> instances = new ArrayList<>();
    try (Broker broker = new Broker(folder)) {
      broker.create(2, "inputs", "answers");
      try (Traffic traffic = new Traffic(broker)) {
        instances.add(new Instance(broker, "0", 30));
        instances.add(new Instance(broker, "1", 30));
        for (int kill = 0; kill < 5; kill++) {
          int before = traffic.read();
          for (int i = 0; i < 20; i++) {
            traffic.send(random.nextInt(200));
            Thread.sleep(random.nextInt(50));
          }
          await("some answers", () -> traffic.read() > before);
          Thread.sleep(random.nextInt(300));
          instances.remove(random.nextInt(2)).kill();
          instances.add(new Instance(broker, Integer.toString(kill + 2), 30));
        }
        await("all answers", () -> traffic.read() >= traffic.sent());
        for (Instance instance : instances) {
          instance.end();
        }
        traffic.readToTheEnd();
        assertEquals(traffic.sent(), traffic.read());
        answersAreThoseOfRecurs(traffic);
        System.out.printf(
            "soak: 5 kills of instances on Kafka: %d records answered once each%n", traffic.sent());
      }
    } finally {
      for (Instance instance : instances) {
        instance.close();
      }
    }
  }

  /** Sends until it is told that it is over, whatever becomes of the broker. */
  private static CompletableFuture<Void> sending(Traffic traffic, AtomicBoolean isOver) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            for (Random random = new Random(6); !isOver.get(); ) {
              traffic.send(1 + random.nextInt(100));
              Thread.sleep(random.nextInt(50));
            }
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        Thread::startVirtualThread);
  }

  /**
   * The broker is killed while records come, for longer than a transaction may be open, and an
   * instance while it is away; then it ends cleanly, when nothing is open.
   */
  @Test
  @Tag("soak")
  void restartsOfTheBrokerLoseAndDoubleNothing() throws Exception {
    Random random = new Random(8);
    List<Instance> instances = new ArrayList<>();
    AtomicBoolean isOver = new AtomicBoolean();
    try (Broker broker = new Broker(folder, true)) {
      broker.create(2, "inputs", "answers");
      try (Traffic traffic = new Traffic(broker)) {
        instances.add(new Instance(broker, "0", 30));
        instances.add(new Instance(broker, "1", 30));
        CompletableFuture<Void> sending = sending(traffic, isOver);
        for (int kill = 0; kill < 4; kill++) {
          awaitMore(traffic);
          Thread.sleep(random.nextInt(300));
          broker.killAndAwait();
          if (kill % 2 == 1) {
            instances.remove(random.nextInt(2)).kill();
          }
          broker.start();
          if (kill % 2 == 1) {
            instances.add(new Instance(broker, Integer.toString(2 + kill), 30));
          }
        }
        awaitMore(traffic);
        isOver.set(true);
        sending.join();
        await("all answers", () -> traffic.read() >= traffic.sent());
        await("a commit of all", () -> traffic.committed() == traffic.sent());
        broker.stop();
        broker.start();
        traffic.send(1000);
        await("all answers", () -> traffic.read() >= traffic.sent());
        for (Instance instance : instances) {
          instance.end();
        }
        traffic.readToTheEnd();
        assertEquals(traffic.sent(), traffic.read());
        answersAreThoseOfRecurs(traffic);
        System.out.printf(
            "soak: 4 kills and an end of the broker, 2 kills of instances: %d records answered once"
                + " each%n",
            traffic.sent());
      }
    } finally {
      isOver.set(true);
      for (Instance instance : instances) {
        instance.close();
      }
    }
  }

  private void awaitMore(Traffic traffic) throws Exception {
    int[] before = traffic.readOf();
    await("answers of both partitions", () -> isMore(traffic, before));
  }

  /** Whether there are more answers of each partition than before. */
  private static boolean isMore(Traffic traffic, int... before) {
    traffic.read();
    int[] now = traffic.readOf();
    return IntStream.range(0, now.length).allMatch(i -> now[i] > before[i]);
  }
}

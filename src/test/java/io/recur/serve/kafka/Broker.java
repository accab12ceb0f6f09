package io.recur.serve.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * A broker of Kafka in a process of its own, controller and broker in one, on the loopback address.
 */
final class Broker implements AutoCloseable {
  private static final long MOST_SECONDS = 60;

  private final Path folder;
  private final int port;
  private final Process process;

  /** Starts a broker with its files in a folder, and waits until it answers. */
  Broker(Path folder) throws IOException, InterruptedException {
    this.folder = folder;
    int[] ports = free(2);
    this.port = ports[0];
    Path settings = folder.resolve("server.properties");
    Files.writeString(
        settings,
        """
        process.roles=broker,controller
        node.id=1
        controller.listener.names=CONTROLLER
        controller.quorum.voters=1@127.0.0.1:%2$d
        listeners=PLAINTEXT://127.0.0.1:%1$d,CONTROLLER://127.0.0.1:%2$d
        advertised.listeners=PLAINTEXT://127.0.0.1:%1$d
        listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
        log.dirs=%3$s
        auto.create.topics.enable=false
        offsets.topic.replication.factor=1
        offsets.topic.num.partitions=2
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        transaction.state.log.num.partitions=2
        transaction.abort.timed.out.transaction.cleanup.interval.ms=200
        group.min.session.timeout.ms=500
        group.initial.rebalance.delay.ms=0
        log.cleaner.dedupe.buffer.size=8000000
        """
            .formatted(ports[0], ports[1], folder.resolve("log").toString().replace('\\', '/')));
    run(
        "format",
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "AAAAAAAAAAAAAAAAAAAAAQ",
        "-c",
        settings.toString());
    process = start("kafka.Kafka", settings.toString());
    await();
  }

  private static int[] free(int count) throws IOException {
    ServerSocket[] sockets = new ServerSocket[count];
    try {
      for (int i = 0; i < count; i++) {
        sockets[i] = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
      }
      return Arrays.stream(sockets).mapToInt(ServerSocket::getLocalPort).toArray();
    } finally {
      for (ServerSocket socket : sockets) {
        if (socket != null) {
          socket.close();
        }
      }
    }
  }

  private Process start(String program, String... arguments) throws IOException {
    try {
      return ChildJvm.start(
          output(program), Class.forName(program), List.of("-Xmx512m"), arguments);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path output(String program) {
    return folder.resolve(program + ".txt");
  }

  private void run(String what, String program, String... arguments)
      throws IOException, InterruptedException {
    Process child = start(program, arguments);
    boolean ended = child.waitFor(MOST_SECONDS, TimeUnit.SECONDS);
    child.destroyForcibly().waitFor();
    String said = Files.readString(output(program));
    assertTrue(ended, () -> what + " did not end: " + said);
    assertEquals(0, child.exitValue(), said);
  }

  private void await() throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    while (true) {
      try (Admin admin = admin()) {
        admin.describeCluster().nodes().get();
        return;
      } catch (ExecutionException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          close();
          throw new IllegalStateException(Files.readString(output("kafka.Kafka")), e);
        }
      }
    }
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  Admin admin() {
    return Admin.create(
        Map.of(
            "bootstrap.servers", address(),
            "default.api.timeout.ms", 5000,
            "request.timeout.ms", 4000));
  }

  void create(int partitions, String... topics) throws InterruptedException, ExecutionException {
    try (Admin admin = admin()) {
      admin
          .createTopics(
              Arrays.stream(topics)
                  .map(topic -> new NewTopic(topic, partitions, (short) 1))
                  .toList())
          .all()
          .get();
    }
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}

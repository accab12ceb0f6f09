package io.recur.jmh.kafka;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;

/** A broker in a process of its own, controller and broker in one, on the loopback address. */
final class Broker implements AutoCloseable {
  private static final long MOST_NANOS = 60_000_000_000L;

  private final Path folder;
  private final int port;
  private final Process process;

  Broker(Path folder) throws IOException, InterruptedException {
    this.folder = folder;
    this.port = free();
    int controller = free();
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
        offsets.topic.num.partitions=1
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        transaction.state.log.num.partitions=1
        group.initial.rebalance.delay.ms=0
        """
            .formatted(port, controller, folder.resolve("log")));
    String[] format = {"format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", settings.toString()};
    if (java("kafka.tools.StorageTool", "-Xmx256m", format).waitFor() != 0) {
      throw new IllegalStateException(said());
    }
    process = java("kafka.Kafka", "-Xmx512m", settings.toString());
    await();
  }

  private static int free() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Starts a program on the class path of this one. */
  Process java(String program, String heap, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", heap));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("said.txt").toFile()))
        .start();
  }

  /** What the processes have printed. */
  String said() throws IOException {
    return Files.readString(folder.resolve("said.txt"));
  }

  private void await() throws IOException, InterruptedException {
    long end = System.nanoTime() + MOST_NANOS;
    while (true) {
      try (Admin admin = admin()) {
        admin.describeCluster().nodes().get();
        return;
      } catch (ExecutionException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          close();
          throw new IllegalStateException(said(), e);
        }
      }
    }
  }

  Process process() {
    return process;
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", address()));
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}

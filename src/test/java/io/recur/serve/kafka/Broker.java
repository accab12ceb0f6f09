package io.recur.serve.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * A broker of Kafka in a process of its own on the loopback address, with its controller inside or
 * apart. One whose controller is apart may end, cleanly or not, and be started again with its files
 * and on its port.
 *
 * <p>A broker that is killed with its controller inside must not be started again while a
 * transaction is open. Kafka 4.4.0 keeps the old registration for {@code broker.session.timeout.ms}
 * (9 s) and refuses the new one ({@code DUPLICATE_BROKER_REGISTRATION}); meanwhile the broker is
 * the coordinator again, rolls transactions back that have timed out, and cannot reach itself with
 * their markers. Then the old registration ends, partitions have no leader, and the coordinator
 * takes them for deleted ({@code TransactionMarkerChannelManager}: "Couldn't find leader endpoint
 * for partitions … these partitions are likely deleted already and hence can be skipped"): it notes
 * that the transaction is complete, and its markers are never written. Readers of what is
 * committed, and tasks that restore, wait for ever behind it.
 */
final class Broker implements AutoCloseable {
  private static final long MOST_SECONDS = 60;

  /** After which the controller notices that its broker is gone. */
  private static final long SESSION_MILLIS = 4000;

  private static final String CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ";
  private static final String SETTINGS =
      """
      controller.listener.names=CONTROLLER
      listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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
      """;

  private final Path folder;
  private final int port;
  private final List<Process> controllers = new ArrayList<>();
  private Process process;
  private int starts;

  /** Starts a broker with its files in a folder, and waits until it answers. */
  Broker(Path folder) throws IOException, InterruptedException {
    this(folder, false);
  }

  /**
   * Starts a broker.
   *
   * @param isApart whether its controller is another process
   */
  Broker(Path folder, boolean isApart) throws IOException, InterruptedException {
    this.folder = folder;
    int[] ports = free(2);
    this.port = ports[0];
    String listens = "PLAINTEXT://127.0.0.1:%d".formatted(ports[0]);
    String controls = "CONTROLLER://127.0.0.1:%d".formatted(ports[1]);
    if (isApart) {
      String more =
          "listeners=%s\nbroker.session.timeout.ms=%d".formatted(controls, SESSION_MILLIS);
      format("controller", "controller", 2, 2, ports[1], more);
      controllers.add(start("controller", settings("controller")));
    }
    format(
        "broker",
        isApart ? "broker" : "broker,controller",
        1,
        isApart ? 2 : 1,
        ports[1],
        "listeners=%s\nadvertised.listeners=%s"
            .formatted(isApart ? listens : listens + "," + controls, listens));
    start();
  }

  private String settings(String name) {
    return folder.resolve(name + ".properties").toString();
  }

  private void format(
      String name, String roles, int node, int controller, int controllerPort, String more)
      throws IOException, InterruptedException {
    Files.writeString(
        Path.of(settings(name)),
        """
        process.roles=%s
        node.id=%d
        controller.quorum.voters=%d@127.0.0.1:%d
        log.dirs=%s
        %s
        %s"""
            .formatted(
                roles,
                node,
                controller,
                controllerPort,
                folder.resolve(name).toString().replace('\\', '/'),
                more,
                SETTINGS));
    run("format-" + name, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", settings(name));
  }

  /** Starts it, again where it has ended, and waits until it answers. */
  void start() throws IOException, InterruptedException {
    starts++;
    process = start("broker-" + starts, settings("broker"));
    await();
  }

  private Process start(String output, String settings) throws IOException {
    return start(output(output), "kafka.Kafka", settings);
  }

  private Path output(String name) {
    return folder.resolve(name + ".txt");
  }

  /** Ends it as an operator does: it writes what it has and says that it goes. */
  void stop() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("broker: it does not end: " + said());
    }
  }

  /** Ends it at once, in the middle of whatever it does. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** Kills it, and waits until its controller has noticed. */
  void killAndAwait() throws InterruptedException {
    kill();
    Thread.sleep(2 * SESSION_MILLIS);
  }

  private String said() throws IOException {
    return Files.readString(output("broker-" + starts));
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

  private static Process start(Path output, String program, String... arguments)
      throws IOException {
    try {
      return ChildJvm.start(output, Class.forName(program), List.of("-Xmx512m"), arguments);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private void run(String what, String program, String... arguments)
      throws IOException, InterruptedException {
    Path output = output(what);
    Process child = start(output, program, arguments);
    boolean ended = child.waitFor(MOST_SECONDS, TimeUnit.SECONDS);
    child.destroyForcibly().waitFor();
    String said = Files.readString(output);
    assertTrue(ended, () -> what + " did not end: " + said);
    assertEquals(0, child.exitValue(), said);
  }

  private void await() throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    while (true) {
      try (Admin admin = admin()) {
        if (!admin.describeCluster().nodes().get().isEmpty()) {
          return;
        }
        Thread.sleep(50);
      } catch (ExecutionException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          close();
          throw new IllegalStateException(said(), e);
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
    kill();
    controllers.forEach(controller -> controller.destroyForcibly().onExit().join());
  }
}

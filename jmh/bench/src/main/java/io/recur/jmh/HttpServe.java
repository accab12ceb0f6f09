package io.recur.jmh;

import io.recur.device.Device;
import io.recur.io.onnx.OnnxExport;
import io.recur.nn.Recur;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * An LSTM of 512 units behind HTTP, 64 clients in a process of their own, JSON and binary data:
 * steps per second and the time of a step from request to answer. Beside it the same routes behind
 * Jetty and behind Helidon, where their classes are given, ONNX Runtime behind the same server with
 * the same batches, where its classes are given, and PyTorch behind a server in Python, where a
 * Python with torch is. Every server computes with one thread; answers are compared first. All
 * servers of a format run, and are called in turn: the machine is not the same from minute to
 * minute. A figure is the median of the turns.
 */
public final class HttpServe {
  private static final String EXACT = "0";
  private static final String CLOSE = "1e-5";

  private HttpServe() {}

  /**
   * Measures and prints.
   *
   * @param arguments nothing or {@code --short}; {@code --rival=CLASSPATH} of ONNX Runtime behind
   *     our server; {@code --jetty=CLASSPATH} of our routes behind Jetty, {@code
   *     --helidon=CLASSPATH} behind Helidon; {@code --python=PROGRAM}; or {@code server}, or {@code
   *     load} and what it needs, which this starts by itself
   * @throws Exception if a process cannot be started, or an answer is wrong
   */
  public static void main(String[] arguments) throws Exception {
    List<String> all = List.of(arguments);
    if (all.contains("server")) {
      serve();
    } else if (all.contains("load")) {
      HttpLoad.main(all.subList(1, all.size()).toArray(String[]::new));
    } else {
      boolean isShort = all.contains("--short");
      measure(all, isShort ? new Turns(2, 1, 1) : new Turns(25, 7, 4));
    }
  }

  /**
   * How long servers are called.
   *
   * @param warming seconds of each before the first turn: for 20 Java's compiler takes half a core
   *     from a server under load
   * @param count of the turns
   * @param seconds of each server in a turn
   */
  private record Turns(int warming, int count, int seconds) {}

  /** Serves until its input ends. */
  private static void serve() throws IOException {
    try (Device device = Device.cpu(1);
        Recur model = HttpLoad.model(device);
        Sessions sessions = Sessions.open(model, device);
        Server server =
            Server.open(
                ServerSettings.LOCAL.withPort(0),
                ServedModel.of("lstm", sessions).withSizes(HttpLoad.UNITS, HttpLoad.UNITS))) {
      System.out.println(server.uri());
      while (System.in.read() >= 0) {
        // whoever has started this closes it
      }
    }
  }

  private static String given(List<String> arguments, String option) {
    return arguments.stream()
        .filter(argument -> argument.startsWith(option) && argument.length() > option.length())
        .map(argument -> argument.substring(option.length()))
        .findFirst()
        .orElse("");
  }

  private static List<String> java(String classPath, String main, String... more) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "-Xmx512m", "-cp", classPath, main));
    command.addAll(List.of(more));
    return command;
  }

  private static void measure(List<String> arguments, Turns turns) throws Exception {
    Path graph = Files.createTempFile("lstm", ".onnx");
    try {
      try (Device device = Device.cpu(1);
          Recur model = HttpLoad.model(device)) {
        System.out.println(Results.circumstances(device));
        OnnxExport.of(model).write(graph);
      }
      for (String format : List.of("binary", "json")) {
        List<Called> servers = new ArrayList<>();
        try {
          open(servers, arguments, graph, format);
          turns(servers, turns);
          servers.forEach(server -> System.out.printf("%s, %s: %s%n", server.name, format, server));
        } finally {
          servers.forEach(Called::close);
        }
      }
    } finally {
      Files.delete(graph);
    }
  }

  private static void turns(List<Called> servers, Turns turns) throws IOException {
    for (Called server : servers) {
      server.call(turns.warming);
    }
    for (int turn = 0; turn < turns.count; turn++) {
      for (Called server : servers) {
        server.figures.add(server.call(turns.seconds));
      }
    }
  }

  /** Starts all servers that can be had, and says which cannot. */
  private static void open(List<Called> servers, List<String> arguments, Path graph, String format)
      throws IOException {
    List<String> ours =
        java(System.getProperty("java.class.path"), HttpServe.class.getName(), "server");
    add(servers, "Recur", ours, format, EXACT);
    for (String name : List.of("Jetty", "Helidon")) {
      String its = given(arguments, "--%s=".formatted(name.toLowerCase(Locale.ROOT)));
      if (its.isEmpty()) {
        System.out.printf("Recur behind %s: left out, its classes are not there%n", name);
      } else {
        List<String> command = java(its, "io.recur.jmh.%sServe".formatted(name));
        add(servers, "Recur behind " + name, command, format, EXACT);
      }
    }
    String rival = given(arguments, "--rival=");
    if (rival.isEmpty()) {
      System.out.println("ONNX Runtime: left out, its classes are not there");
    } else {
      List<String> its = java(rival, "io.recur.peers.OnnxServer", graph.toString());
      add(servers, "ONNX Runtime behind the same server", its, format, CLOSE);
    }
    String python = given(arguments, "--python=");
    if (!python.isEmpty()) {
      List<String> its = List.of(python, "jmh/peers/serve.py", graph.toString());
      add(servers, "PyTorch behind a server in Python", its, format, CLOSE);
    }
  }

  private static void add(
      List<Called> servers, String name, List<String> command, String format, String tolerance)
      throws IOException {
    Process server = started(command);
    String uri = server.inputReader().readLine();
    if (uri == null) {
      System.out.printf("%s: left out, it cannot be started%n", name);
      return;
    }
    List<String> load =
        java(
            System.getProperty("java.class.path"),
            HttpServe.class.getName(),
            "load",
            uri,
            format,
            tolerance);
    servers.add(new Called(name, server, started(load)));
  }

  private static Process started(List<String> command) throws IOException {
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** A server and its clients, a process each. */
  private static final class Called {
    private final String name;
    private final Process server;
    private final Process load;

    /** Of each turn steps per second, and milliseconds of p50, p99 and p99.9. */
    private final List<double[]> figures = new ArrayList<>();

    Called(String name, Process server, Process load) {
      this.name = name;
      this.server = server;
      this.load = load;
    }

    double[] call(int seconds) throws IOException {
      load.outputWriter().write(seconds + "\n");
      load.outputWriter().flush();
      String line = load.inputReader().readLine();
      if (line == null) {
        throw new IllegalStateException(name + ": the clients failed");
      }
      return Arrays.stream(line.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    private double[] sorted(int figure) {
      return figures.stream().mapToDouble(turn -> turn[figure]).sorted().toArray();
    }

    private double median(int figure) {
      return sorted(figure)[figures.size() / 2];
    }

    /** Ends the clients, and then the server. */
    void close() {
      load.destroy();
      server.destroy();
      try {
        load.waitFor();
        server.waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // both have been told
      }
    }

    @Override
    public String toString() {
      double[] rates = sorted(0);
      return String.format(
          Locale.ROOT,
          "%,.0f steps/s (%,.0f to %,.0f); p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms",
          median(0),
          rates[0],
          rates[rates.length - 1],
          median(1),
          median(2),
          median(3));
    }
  }
}

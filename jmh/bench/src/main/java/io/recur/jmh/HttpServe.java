package io.recur.jmh;

import io.recur.device.Device;
import io.recur.io.onnx.OnnxExport;
import io.recur.nn.Recur;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An LSTM of 512 units behind HTTP, 64 clients in a process of their own, JSON and binary data:
 * steps per second and the time of a step from request to answer. Beside it the same routes behind
 * Jetty and behind Helidon, where their classes are given, ONNX Runtime behind the same server with
 * the same batches, where its classes are given, and PyTorch behind a server in Python, where a
 * Python with torch is. Every server computes with one thread; answers are compared first.
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
      measure(all, all.contains("--short") ? "1" : "10");
    }
  }

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

  private static void measure(List<String> arguments, String seconds) throws Exception {
    String classPath = System.getProperty("java.class.path");
    Path graph = Files.createTempFile("lstm", ".onnx");
    try {
      try (Device device = Device.cpu(1);
          Recur model = HttpLoad.model(device)) {
        System.out.println(Results.circumstances(device));
        OnnxExport.of(model).write(graph);
      }
      List<String> ours = java(classPath, HttpServe.class.getName(), "server");
      String rival = given(arguments, "--rival=");
      String python = given(arguments, "--python=");
      for (String format : List.of("binary", "json")) {
        row("Recur", ours, format, EXACT, seconds);
        for (String name : List.of("Jetty", "Helidon")) {
          String its = given(arguments, "--%s=".formatted(name.toLowerCase(Locale.ROOT)));
          if (its.isEmpty()) {
            System.out.printf("Recur behind %s: left out, its classes are not there%n", name);
          } else {
            List<String> command = java(its, "io.recur.serve.http.%sServe".formatted(name));
            row("Recur behind " + name, command, format, EXACT, seconds);
          }
        }
        if (rival.isEmpty()) {
          System.out.println("ONNX Runtime: left out, its classes are not there");
        } else {
          List<String> its = java(rival, "io.recur.peers.OnnxServer", graph.toString());
          row("ONNX Runtime behind the same server", its, format, CLOSE, seconds);
        }
        if (!python.isEmpty()) {
          List<String> its = List.of(python, "jmh/peers/serve.py", graph.toString());
          row("PyTorch behind a server in Python", its, format, CLOSE, seconds);
        }
      }
    } finally {
      Files.delete(graph);
    }
  }

  /** Starts a server, has the clients call it, and prints their line. */
  private static void row(
      String name, List<String> command, String format, String tolerance, String seconds)
      throws Exception {
    Process server =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      BufferedReader lines = server.inputReader();
      String uri = lines.readLine();
      if (uri == null) {
        System.out.printf("%s: left out, it cannot be started%n", name);
        return;
      }
      Process load =
          new ProcessBuilder(
                  java(
                      System.getProperty("java.class.path"),
                      HttpServe.class.getName(),
                      "load",
                      uri,
                      format,
                      tolerance,
                      seconds))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String line = load.inputReader().readLine();
      if (load.waitFor() != 0 || line == null) {
        throw new IllegalStateException(name + ": the clients failed");
      }
      System.out.printf("%s, %s: %s%n", name, format, line);
    } finally {
      server.getOutputStream().close();
      server.destroy();
      server.waitFor();
    }
  }
}

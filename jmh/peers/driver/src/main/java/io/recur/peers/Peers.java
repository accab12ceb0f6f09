package io.recur.peers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** How each contender is started: 2 threads, and otherwise its own defaults. */
final class Peers {
  static final int THREADS = 2;

  private static final Map<String, String> ENVIRONMENT =
      Map.of("OMP_NUM_THREADS", "" + THREADS, "OPENBLAS_NUM_THREADS", "" + THREADS);

  private final Path home;
  private final Path scratch;

  /**
   * The contenders of a checkout.
   *
   * @param home jmh/peers
   * @param scratch where logs and unpacked natives go
   */
  Peers(Path home, Path scratch) {
    this.home = home;
    this.scratch = scratch;
  }

  /** Recur as the command line's jar has it, on a plain JVM. */
  Peer ours(String log) {
    return java(
        "Recur",
        "recur",
        "RecurContender",
        log,
        List.of("--enable-native-access=ALL-UNNAMED"),
        "target/recur-cli.jar");
  }

  /** A build of Recur: the root of a checkout in which its command and its contender were built. */
  Peer built(String name, Path root) {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            root.resolve(Path.of("jmh", "peers", "target", "gpu.jar"))
                + File.pathSeparator
                + root.resolve(Path.of("target", "recur-cli.jar")),
            "io.recur.peers.RecurContender");
    return new Peer(name, command, ENVIRONMENT, scratch.resolve(name + ".log"));
  }

  /** Recur on a device, with the class path and the properties of this JVM. */
  Peer oursOn(String device) {
    List<String> command =
        Child.java(
            List.of(), System.getProperty("java.class.path"), "io.recur.peers.RecurContender");
    command.add(device);
    return new Peer("Recur", command, Map.of(), scratch.resolve("recur-gpu.log"));
  }

  /** PyTorch on a device. */
  Peer pyTorchOn(String python, String device) {
    String script = home.resolve("pytorch.py").toString();
    List<String> command = List.of(python, "-u", script, device);
    return new Peer(Job.PYTORCH, command, Map.of(), scratch.resolve("pytorch-gpu.log"));
  }

  List<Peer> rivals(String python) {
    return List.of(
        new Peer(
            Job.PYTORCH,
            List.of(python, "-u", home.resolve("pytorch.py").toString()),
            ENVIRONMENT,
            scratch.resolve("pytorch.log")),
        java(
            Job.ONNX_RUNTIME,
            "onnxruntime",
            "OnnxRuntimeContender",
            "onnxruntime",
            List.of("--enable-native-access=ALL-UNNAMED")),
        java(
            Job.DJL,
            "djl",
            "DjlContender",
            "djl",
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dai.djl.pytorch.num_threads=" + THREADS,
                "-Dai.djl.offline=true",
                "-DDJL_CACHE_DIR=" + scratch.resolve("djl"))),
        java(
            Job.DL4J,
            "dl4j",
            "Dl4jContender",
            "dl4j",
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.cachedir=" + scratch.resolve("javacpp"))),
        java(
            Job.ONEDNN,
            "onednn",
            "OneDnnContender",
            "onednn",
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.cachedir=" + scratch.resolve("javacpp"))));
  }

  private Peer java(
      String name, String module, String main, String log, List<String> options, String... more) {
    Path target = home.resolve(module).resolve("target");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-cp");
    try {
      String resolved = Files.readString(target.resolve("classpath.txt")).strip();
      List<String> path = new ArrayList<>(List.of(target.resolve("classes").toString(), resolved));
      path.addAll(List.of(more));
      command.add(String.join(File.pathSeparator, path));
    } catch (IOException e) {
      return Peer.missing(name, "its jars could not be resolved, see jmh/peers/target/build.log");
    }
    command.add("io.recur.peers." + main);
    return new Peer(name, command, ENVIRONMENT, scratch.resolve(log + ".log"));
  }
}

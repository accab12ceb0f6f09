package io.recur.peers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How each contender is started: 2 threads, and otherwise its own defaults. */
final class Peers {
  static final int THREADS = 2;

  /** Where results are published, from the root of the checkout. */
  static final Path JMH = Path.of("jmh");

  /** Works, logs, unpacked natives, and the results of part of a run. */
  static final Path SCRATCH = JMH.resolve("peers").resolve("target");

  private static final Path CHECKOUT = Path.of("");
  private static final Path CONTENDERS = JMH.resolve("peers").resolve("contenders");
  private static final String PYTORCH_SCRIPT =
      JMH.resolve("peers").resolve("pytorch.py").toString();

  private static final String RECUR = "io.recur.peers.RecurContender";

  /** To compile a row. */
  private static final long LONG_PATIENCE_SECONDS = 600;

  private static final Map<String, String> ENVIRONMENT =
      Map.of("OMP_NUM_THREADS", "" + THREADS, "OPENBLAS_NUM_THREADS", "" + THREADS);

  private Peers() {}

  /** Recur as the command line's jar of this checkout has it, on a plain JVM. */
  static Peer ours(String log) {
    return built("Recur", CHECKOUT, log);
  }

  /** A build of Recur: the root of a checkout in which its command and its contender were built. */
  static Peer built(String name, Path root) {
    return built(name, root, name);
  }

  private static Peer built(String name, Path root, String log) {
    Path command = root.resolve(Path.of("target", "recur-cli.jar"));
    Path contender = root.resolve(SCRATCH).resolve("gpu.jar");
    return java(name, log, contender + File.pathSeparator + command, RECUR, List.of());
  }

  /** Recur on a device, with the class path and the properties of this JVM. */
  static Peer oursOn(String device) {
    List<String> command = Child.java(List.of(), System.getProperty("java.class.path"), RECUR);
    command.add(device);
    return new Peer("Recur", command, Map.of(), SCRATCH.resolve("recur-gpu.log"));
  }

  /** The machine's own limits, by the C program that make has built, or has not. */
  static Peer limits() {
    Path program = SCRATCH.resolve("limits");
    return Files.isExecutable(program)
        ? new Peer(
            "limits",
            List.of(program.toString(), "" + THREADS),
            Map.of(),
            SCRATCH.resolve("limits.log"))
        : Peer.missing("limits", "there is no C compiler");
  }

  /** PyTorch on a device. */
  static Peer pyTorchOn(String python, String device) {
    List<String> command = List.of(python, "-u", PYTORCH_SCRIPT, device);
    return new Peer(Job.PYTORCH, command, Map.of(), SCRATCH.resolve("pytorch-gpu.log"));
  }

  static List<Peer> rivals(String python) {
    String javacpp = "-Dorg.bytedeco.javacpp.cachedir=" + SCRATCH.resolve("javacpp");
    return List.of(
        pyTorch(python, Job.PYTORCH, "eager"),
        pyTorch(python, Job.PADDED, "padded"),
        pyTorch(python, Job.COMPILED, "compile"),
        pyTorch(python, Job.LOOP, Job.LOOP),
        pyTorch(python, Job.LOGARITHMS, Job.LOGARITHMS),
        pyTorch(python, Job.CHUNKS, Job.CHUNKS),
        pyTorch(python, Job.ASSOCIATIVE, Job.ASSOCIATIVE),
        rival(Job.ONNX_RUNTIME, "onnxruntime", "OnnxRuntimeContender"),
        rival(
            Job.DJL,
            "djl",
            "DjlContender",
            "-Dai.djl.pytorch.num_threads=" + THREADS,
            "-Dai.djl.offline=true",
            "-DDJL_CACHE_DIR=" + SCRATCH.resolve("djl")),
        rival(Job.DL4J, "dl4j", "Dl4jContender", javacpp),
        rival(Job.ONEDNN, "onednn", "OneDnnContender", javacpp));
  }

  /** PyTorch on the processor, in one of the ways that pytorch.py knows. */
  private static Peer pyTorch(String python, String name, String way) {
    Map<String, String> environment = new HashMap<>(ENVIRONMENT);
    // What it has compiled serves the next run too.
    environment.put("TORCHINDUCTOR_CACHE_DIR", SCRATCH.resolve("inductor").toAbsolutePath() + "");
    return new Peer(
        name,
        List.of(python, "-u", PYTORCH_SCRIPT, "cpu", way),
        environment,
        SCRATCH.resolve("pytorch-" + way + ".log"),
        LONG_PATIENCE_SECONDS);
  }

  /** A rival of the contenders' project, with the class path that Maven resolved for it alone. */
  private static Peer rival(String name, String folder, String main, String... options) {
    Path target = CONTENDERS.resolve("target").resolve(folder);
    try {
      String resolved = Files.readString(target.resolve("classpath.txt")).strip();
      String classPath = target.resolve("classes") + File.pathSeparator + resolved;
      return java(name, folder, classPath, "io.recur.peers." + main, List.of(options));
    } catch (IOException e) {
      return Peer.missing(
          name, "its jars could not be resolved, see " + target.resolve("build.log"));
    }
  }

  private static Peer java(
      String name, String log, String classPath, String main, List<String> options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main));
    return new Peer(name, command, ENVIRONMENT, SCRATCH.resolve(log + ".log"));
  }
}

package io.recur.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * A step of the first minutes on a card.
 *
 * @param name for the page, of letters and digits for its log
 * @param kind what its output is read as
 * @param limit seconds on a card
 * @param options of the JVM
 * @param arguments of the program
 */
record BringUpStep(
    String name, Kind kind, double limit, List<String> options, List<String> arguments) {
  /** What runs. */
  enum Kind {
    /** The recur command: its output is figures. */
    COMMAND,
    /** JUnit's console launcher. */
    TESTS,
    /** The same, split into shards for several JVMs where there are cores for them. */
    SHARDED_TESTS,
    /** The benchmark beside PyTorch. */
    BENCHMARK,
    /** A program of the system, which need not be there. */
    SYSTEM
  }

  private static final double SHORT = 60;
  private static final double ALL_TESTS = 400;
  private static final double BENCHMARK = 120;

  private static final String CHECK = "-Dio.recur.cuda.check=true";
  private static final String WITHOUT_GRAPHS = "-Dio.recur.cuda.graphs=false";

  /** Those that all others stand on, simplest first. */
  private static final List<String> FIRST =
      List.of("device.PointwiseTest", "device.BlasTest", "device.cuda.QueueTest");

  private static final List<String> SINGLE =
      List.of(
          "device.ColumnsTest",
          "device.cuda.KernelTest",
          "device.SoftmaxKernelsTest",
          "device.BandsTest",
          "device.ElementwiseTest",
          "device.UlpsTest",
          "device.UpdatesTest",
          "nn.DevicesAgreeTest",
          "nn.WholeSequenceTest",
          "device.cuda.CudaDeviceTest");

  /** What needs the checkout or a library of its own. */
  private static final List<String> ELSEWHERE = List.of("ArchitectureTest");

  /** All of them in order; tests are read from a folder of classes. */
  static List<BringUpStep> plan(String device, String tests) {
    List<BringUpStep> plan = new ArrayList<>();
    plan.add(
        new BringUpStep(
            "driver",
            Kind.SYSTEM,
            SHORT,
            List.of(),
            List.of(
                "nvidia-smi",
                "--query-gpu=name,driver_version,memory.used,memory.total",
                "--format=csv")));
    plan.add(new BringUpStep("devices", Kind.COMMAND, SHORT, List.of(), List.of("devices")));
    List<String> single = new ArrayList<>(FIRST);
    single.addAll(SINGLE);
    single.forEach(test -> plan.add(single("io.recur." + test, List.of(), "")));
    List<String> rest = new ArrayList<>(List.of("--scan-classpath", tests));
    single.forEach(test -> excluded(rest, "io.recur." + test));
    ELSEWHERE.forEach(test -> excluded(rest, "io.recur." + test));
    plan.add(new BringUpStep("all other tests", Kind.SHARDED_TESTS, ALL_TESTS, List.of(), rest));
    plan.add(
        new BringUpStep(
            "training beside PyTorch", Kind.BENCHMARK, BENCHMARK, List.of(), List.of(device)));
    return plan;
  }

  boolean isTests() {
    return kind == Kind.TESTS || kind == Kind.SHARDED_TESTS;
  }

  private static void excluded(List<String> arguments, String test) {
    arguments.addAll(List.of("--exclude-classname", test.replace(".", "\\.")));
  }

  private static BringUpStep single(String test, List<String> options, String how) {
    String name = test.substring(test.lastIndexOf('.') + 1) + how;
    return new BringUpStep(name, Kind.TESTS, SHORT, options, List.of("--select-class", test));
  }

  /** The class again, told which call met the fault. */
  static BringUpStep checked(String test) {
    return single(test, List.of(CHECK), ", each call checked");
  }

  /** What to run next, to tell the work itself from its graphs; nothing where that says no more. */
  List<BringUpStep> again() {
    return name.equals("QueueTest")
        ? List.of(single("io.recur.device.cuda.QueueTest", List.of(WITHOUT_GRAPHS), ", no graphs"))
        : List.of();
  }
}

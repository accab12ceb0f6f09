package io.recur.jmh;

import io.recur.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.Main;

/**
 * What {@code make bench} runs. Without arguments: every JMH benchmark, its figures to
 * jmh/bench.csv, and then {@link Targets}, {@link PanamaAgainstC}, {@link SteadyState}, {@link
 * Lengths}, {@link StartUp} and {@link CellSpeeds}. With the name of one of these first: that one
 * alone, with the arguments that follow. All else goes to JMH as it stands.
 */
public final class Bench {
  private Bench() {}

  /**
   * Runs benchmarks.
   *
   * @param arguments a name, or patterns and options of JMH, or nothing
   * @throws Exception if one of them fails
   */
  public static void main(String[] arguments) throws Exception {
    String first = arguments.length == 0 ? "" : arguments[0];
    String[] rest =
        arguments.length == 0 ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length);
    switch (first) {
      case "" -> {
        jmh("-foe", "true", "-rf", "csv", "-rff", Targets.CSV.toString());
        Targets.main(rest);
        PanamaAgainstC.main(rest);
        SteadyState.main(rest);
        Lengths.main(rest);
        StartUp.main(rest);
        CellSpeeds.main(rest);
      }
      case "PanamaAgainstC" -> PanamaAgainstC.main(rest);
      case "Targets" -> Targets.main(rest);
      case "SteadyState" -> SteadyState.main(rest);
      case "Lengths" -> Lengths.main(rest);
      case "StartUp" -> StartUp.main(rest);
      case "CellSpeeds" -> CellSpeeds.main(rest);
      default -> jmh(arguments);
    }
  }

  private static void jmh(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (!all.contains("-h") && !hasKernels()) {
      System.out.println("PanamaBenchmark: no C kernels in this build, so forward is left out");
      all.addAll(List.of("-p", "routine=sgemm,sgemv"));
    }
    Main.main(all.toArray(String[]::new));
  }

  private static boolean hasKernels() {
    try (Device device = Device.cpu(1)) {
      return NativeCall.hasKernels(device);
    }
  }
}

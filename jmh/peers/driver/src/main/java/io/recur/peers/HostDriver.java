package io.recur.peers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;

/**
 * The host's side of a step on a GPU, counted on its CPU double: a table of RESULTS-GPU.md. The
 * counts are exact and the same on a card; the host's time is this machine's.
 *
 * <p>Arguments: the double, units separated by commas, the folder of test classes, which count the
 * steps. Runs in the root of the checkout.
 */
final class HostDriver {
  private static final String COMMAND = "make host-gpu";

  /** All sizes of the largest model compute on the processor. */
  private static final double LIMIT = 3600;

  private static final String ROW = "= ";

  private HostDriver() {}

  public static void main(String[] args) throws IOException {
    Files.createDirectories(Peers.SCRATCH);
    String classPath = args[2] + File.pathSeparator + System.getProperty("java.class.path");
    List<String> command = Child.java(List.of(), classPath, "io.recur.train.CharacterSteps");
    command.add(args[1]);
    Map<String, String> environment = Map.of("RECUR_CUDA", args[0]);
    Child.Ended ended =
        Child.run(command, environment, LIMIT, Peers.SCRATCH.resolve("host-gpu.log"));
    List<String> rows = ended.lines().stream().filter(line -> line.startsWith(ROW)).toList();
    if (ended.status() != 0 || rows.isEmpty()) {
      ended.lines().forEach(System.err::println);
      System.err.printf("%s: its process ended with %d%n", COMMAND, ended.status());
      System.exit(1);
    }
    String section = section(rows);
    System.out.print(section);
    Section.replace(Peers.JMH.resolve("RESULTS-GPU.md"), COMMAND, section);
  }

  private static String section(List<String> rows) {
    Table table =
        new Table(
            List.of(
                "cell",
                "H",
                "pass",
                "kernels",
                "products",
                "copies, fills",
                "graphs",
                "bytes to",
                "bytes from",
                "host µs"));
    rows.forEach(row -> table.row(List.of(row.substring(ROW.length()).split(","))));
    return "%s.\nCommit %s.\n\n%s".formatted(Machine.describe(), Machine.commit(), table);
  }
}

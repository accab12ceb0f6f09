package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a step asks of a GPU, as the CPU double has counted it, and the time that a card would need.
 *
 * @param opens of devices
 * @param launches of kernels, products, fills and copies within the device, one call each
 * @param graphs launched
 * @param waits of the host
 * @param bytes across the bus
 * @param hostSeconds of all else: the JVM's start, and what tests compute themselves
 */
record DoubleCounts(
    long opens, long launches, long graphs, long waits, long bytes, double hostSeconds) {
  /** The variable that makes the double write its counts. */
  static final String VARIABLE = "RECUR_DOUBLE_COUNTS";

  static final DoubleCounts NONE = new DoubleCounts(0, 0, 0, 0, 0, 0);

  // What a card is taken to need: a context with cuBLAS, a call of the driver, a bus of 10 GB/s.
  private static final double SECONDS_TO_OPEN = 0.5;
  private static final double SECONDS_TO_LAUNCH = 5e-6;
  private static final double SECONDS_TO_LAUNCH_A_GRAPH = 100e-6;
  private static final double SECONDS_TO_WAIT = 20e-6;
  private static final double SECONDS_TO_SEND = 1e-10;

  private static final String OPENS = "cuDevicePrimaryCtxRetain";
  private static final String GRAPHS = "cuGraphLaunch";
  private static final String WAITS = "cuStreamSynchronize|cuEventSynchronize";
  private static final String LAUNCHES =
      "cuLaunchKernel|cublasGemmEx_64|cublasSgemv_v2_64|cuMemsetD32Async|cuMemcpyDtoDAsync_v2";
  private static final String NANOS = "nanos";

  /** Whether a device's name is that of the double. */
  static boolean isDouble(String device) {
    return device.contains("CPU double");
  }

  /** Of all processes that have written to a file, which ran that long. */
  static DoubleCounts read(Path file, double seconds) throws IOException {
    if (!Files.exists(file)) {
      return new DoubleCounts(0, 0, 0, 0, 0, seconds);
    }
    List<String[]> rows = Files.readAllLines(file).stream().map(line -> line.split(" ")).toList();
    long bytes = rows.stream().mapToLong(row -> Long.parseLong(row[2])).sum();
    double inside = 1e-9 * sum(rows, NANOS);
    return new DoubleCounts(
        sum(rows, OPENS),
        sum(rows, LAUNCHES),
        sum(rows, GRAPHS),
        sum(rows, WAITS),
        bytes,
        Math.max(0, seconds - inside));
  }

  private static long sum(List<String[]> rows, String names) {
    return rows.stream()
        .filter(row -> row[0].matches(names))
        .mapToLong(row -> Long.parseLong(row[1]))
        .sum();
  }

  DoubleCounts plus(DoubleCounts other) {
    return new DoubleCounts(
        opens + other.opens,
        launches + other.launches,
        graphs + other.graphs,
        waits + other.waits,
        bytes + other.bytes,
        hostSeconds + other.hostSeconds);
  }

  /** The seconds that all of it should take on a card. */
  double estimate() {
    return hostSeconds
        + SECONDS_TO_OPEN * opens
        + SECONDS_TO_LAUNCH * launches
        + SECONDS_TO_LAUNCH_A_GRAPH * graphs
        + SECONDS_TO_WAIT * waits
        + SECONDS_TO_SEND * bytes;
  }

  static Table table() {
    return new Table(
        List.of(
            "step",
            "opens",
            "launches",
            "graphs",
            "waits",
            "MB across the bus",
            "host s",
            "estimate s"));
  }

  List<String> row(String step) {
    return List.of(
        step,
        "" + opens,
        "" + launches,
        "" + graphs,
        "" + waits,
        Table.format("%.1f", bytes / 1e6),
        Table.format("%.1f", hostSeconds),
        Table.format("%.1f", estimate()));
  }
}

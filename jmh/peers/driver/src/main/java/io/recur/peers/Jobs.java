package io.recur.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The works that are measured on the processor, and what we want to reach. */
final class Jobs {
  static final String CHARACTERS = "character model LSTM-256 B32 T64";

  /** Steps that the answers of a step at a time are compared over. */
  private static final int COMPARED = 16;

  private static final double AHEAD = 1.02;
  private static final double OF_ONNX_RUNTIME = 1.1;
  private static final double OF_DL4J = 20;
  private static final int LONG = 65_536;

  /** Sizes that fill no vector register and no tile: batch, time, in, hidden. */
  private static final int[][] ODD = {{3, 200, 320, 96}, {7, 33, 100, 200}, {12, 50, 130, 70}};

  private final Path folder;
  private final List<Job> jobs = new ArrayList<>();

  private Jobs(Path folder) {
    this.folder = folder;
  }

  /** All works; their files go below the folder. */
  static List<Job> all(Path folder) {
    Jobs all = new Jobs(folder);
    all.builtIn();
    all.steps();
    all.jobs.add(characters(folder.resolve(fileName(CHARACTERS)), false, 1.8));
    all.lengths("LSTM", 3.2, 1.9);
    all.lengths("GRU", 2.5, 2.5);
    all.directions();
    all.ownGru(32, 128, 256);
    all.ownGru(1, 64, 64);
    for (String cell : Recurrence.GATED) {
      all.gated(cell, 32, 128, 256);
      all.gated(cell, 1, 64, 64);
    }
    Recurrence.LINEAR.forEach(all::linear);
    return all.jobs;
  }

  /** The machine's own product: of this size through our device's BLAS. */
  static Work product(Path folder) {
    return new Work(Work.PRODUCT, "", 0, 0, 0, 2048, 0, folder.resolve("product"));
  }

  private void builtIn() {
    sequence("LSTM", 1, 32, 64, 128, 256, 1.3);
    sequence("LSTM", 1, 64, 50, 512, 512, 1.1);
    sequence("LSTM", 2, 32, 64, 256, 512, 1.1);
    sequence("LSTM", 1, 128, 25, 1024, 1024, 1.1);
    sequence("LSTM", 1, 1, 64, 64, 64, 4);
    sequence("LSTM", 1, 1, 100, 256, 256, 2);
    odd("LSTM");
    sequence("GRU", 1, 32, 64, 128, 256, 2.2);
    sequence("GRU", 1, 64, 50, 512, 512, 1.35);
    sequence("GRU", 1, 1, 64, 64, 64, 20);
    sequence("GRU", 1, 1, 100, 256, 256, 6);
    odd("GRU");
    sequence("RNN", 1, 32, 64, 128, 256, 2.5);
    sequence("RNN", 1, 64, 50, 512, 512, AHEAD);
    sequence("RNN", 1, 1, 64, 64, 64, 6);
    sequence("RNN", 1, 1, 100, 256, 256, 4);
    odd("RNN");
  }

  private void odd(String cell) {
    for (int[] size : ODD) {
      sequence(cell, 1, size[0], size[1], size[2], size[3], AHEAD);
    }
  }

  private void sequence(
      String cell, int layers, int batch, int time, int in, int hidden, double ofPyTorch) {
    String name =
        "%s %sB%d T%d %d→%d"
            .formatted(cell, layers == 1 ? "" : layers + " layers ", batch, time, in, hidden);
    Map<String, Double> targets = new LinkedHashMap<>();
    targets.put(Job.TRAIN + " " + Job.PYTORCH, ofPyTorch);
    targets.put(Job.FORWARD + " " + Job.PYTORCH, AHEAD);
    targets.put(
        Job.FORWARD + " " + Job.ONNX_RUNTIME,
        cell.equals(Recurrence.LSTM) && batch == 1 ? 1.15 : OF_ONNX_RUNTIME);
    for (String pass : List.of(Job.TRAIN, Job.FORWARD)) {
      targets.put(pass + " " + Job.DJL, AHEAD);
      targets.put(pass + " " + Job.ONEDNN, AHEAD);
      targets.put(pass + " " + Job.DL4J, OF_DL4J);
      if (batch >= 32) {
        double share = pass.equals(Job.TRAIN) ? 0.83 : 0.87;
        targets.put(pass + " " + Job.LIMIT, hidden >= 512 ? 0.92 : share);
      }
    }
    Work work = work(Work.SEQUENCE, cell, layers, batch, time, in, hidden, name);
    jobs.add(new Job(name, cell, work, List.of(Job.TRAIN, Job.FORWARD), targets));
  }

  private void steps() {
    step(64, 20, 8);
    step(256, 5, 2.5);
    step(512, 5, 1.8);
  }

  private void step(int hidden, double ofPyTorch, double ofOnnxRuntime) {
    String name = "LSTM step B1 %d→%d".formatted(hidden, hidden);
    Work work = work(Work.STEP, Recurrence.LSTM, 1, 1, COMPARED, hidden, hidden, name);
    Map<String, Double> targets = new LinkedHashMap<>();
    targets.put(Job.STEP + " " + Job.PYTORCH, ofPyTorch);
    targets.put(Job.STEP + " " + Job.ONNX_RUNTIME, ofOnnxRuntime);
    targets.put(Job.STEP + " " + Job.DL4J, OF_DL4J);
    targets.put(Job.STEP + " " + Job.ONEDNN, AHEAD);
    jobs.add(new Job(name, Recurrence.LSTM, work, List.of(Job.STEP), targets));
  }

  /** The works of one step of each cell, whose times are held against each other. */
  static List<Job> oneStep(Path folder, int hidden) {
    Jobs all = new Jobs(folder);
    List<String> cells = new ArrayList<>(Recurrence.BUILT_IN);
    cells.addAll(Recurrence.GATED);
    for (String cell : cells) {
      String name = "one step B1 H%d %s".formatted(hidden, cell);
      Work work = all.work(Work.STEP, cell, 1, 1, COMPARED, hidden, hidden, name);
      all.jobs.add(new Job(name, "One step", work, List.of(Job.STEP), Map.of()));
    }
    return all.jobs;
  }

  static Job characters(Path files, boolean isRehearsal, double ofPyTorch) {
    Work work =
        isRehearsal
            ? new Work(Work.CHARACTERS, Recurrence.LSTM, 1, 8, 32, 29, 32, files)
            : new Work(Work.CHARACTERS, Recurrence.LSTM, 1, 32, 64, 107, 256, files);
    Map<String, Double> targets =
        ofPyTorch == 0 ? Map.of() : Map.of(Job.TRAIN + " " + Job.PYTORCH, ofPyTorch);
    return new Job(CHARACTERS, "Character model", work, List.of(Job.TRAIN), targets);
  }

  private void lengths(String cell, double ofPacked, double ofPadded) {
    String name = cell + " B64 lengths 1…100 256→256";
    Map<String, Double> targets = new LinkedHashMap<>();
    targets.put(Job.TRAIN + " " + Job.PYTORCH, ofPacked);
    targets.put(Job.TRAIN + " " + Job.PADDED, ofPadded);
    Work work = work(Work.LENGTHS, cell, 1, 64, 100, 256, 256, name);
    jobs.add(new Job(name, "Lengths and directions", work, List.of(Job.TRAIN), targets));
  }

  private void directions() {
    String name = "LSTM bidirectional B32 T64 128→2·256";
    Map<String, Double> targets = Map.of(Job.TRAIN + " " + Job.PYTORCH, 1.5);
    Work work = work(Work.DIRECTIONS, Recurrence.LSTM, 1, 32, 64, 128, 256, name);
    jobs.add(new Job(name, "Lengths and directions", work, List.of(Job.TRAIN), targets));
  }

  /** The GRU as its user would write it, beside the built-in one. */
  private void ownGru(int batch, int in, int hidden) {
    own("Cells of a user's own", Recurrence.OWN_GRU, batch, in, hidden, Map.of(), 0.95);
  }

  private void gated(String cell, int batch, int in, int hidden) {
    boolean isWide = batch > 1;
    Map<String, Double> targets =
        isWide
            ? Map.of(Job.TRAIN + " " + Job.PYTORCH, 2.5, Job.TRAIN + " " + Job.COMPILED, 1.6)
            : Map.of(Job.TRAIN + " " + Job.PYTORCH, 30.0);
    own("Cells of the catalogue", cell, batch, in, hidden, targets, isWide ? 0.9 : 0);
  }

  private void own(
      String group,
      String cell,
      int batch,
      int in,
      int hidden,
      Map<String, Double> wanted,
      double ofGru) {
    String sizes = " B%d T64 %d→%d".formatted(batch, in, hidden);
    Work gru = work(Work.SEQUENCE, Recurrence.GRU, 1, batch, 64, in, hidden, "beside" + sizes);
    Map<String, Double> targets = new LinkedHashMap<>(wanted);
    if (ofGru > 0) {
      targets.put(Job.TRAIN + " " + Job.GRU_RATE, ofGru);
      if (cell.equals(Recurrence.OWN_GRU)) {
        targets.put(Job.FORWARD + " " + Job.GRU_RATE, ofGru);
      }
    }
    String name = cell + sizes;
    Work work = work(Work.SEQUENCE, cell, 1, batch, 64, in, hidden, name);
    jobs.add(new Job(name, group, work, List.of(Job.TRAIN, Job.FORWARD), targets, gru));
  }

  private void linear(String cell) {
    boolean isScan = Recurrence.SCANS.contains(cell);
    int hidden = 256;
    int in = isScan ? 2 * hidden : hidden;
    String name = "%s B1 T%d %s".formatted(cell, LONG, isScan ? "H256" : "256→256");
    Map<String, Double> targets = new LinkedHashMap<>();
    for (String pass : List.of(Job.TRAIN, Job.FORWARD)) {
      Job.SCANS.forEach(way -> targets.put(pass + " " + way, isScan ? 3.0 : 1.3));
    }
    Work work = work(Work.SEQUENCE, cell, 1, 1, LONG, in, hidden, name);
    jobs.add(new Job(name, "Linear in the state", work, List.of(Job.TRAIN, Job.FORWARD), targets));
  }

  private Work work(
      String kind, String cell, int layers, int batch, int time, int in, int hidden, String name) {
    return new Work(kind, cell, layers, batch, time, in, hidden, folder.resolve(fileName(name)));
  }

  private static String fileName(String name) {
    return name.replaceAll("[^A-Za-z0-9]+", "-");
  }
}

package io.recur.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A work with its name, its passes and what we want to reach.
 *
 * @param name as the tables write it
 * @param group of works that share a table
 * @param work what is computed
 * @param passes forward, train, step
 * @param targets ratios by pass and rival, such as {@code "train PyTorch"}
 * @param share of the machine's own product rate that training should reach, or 0
 */
record Job(
    String name,
    String group,
    Work work,
    List<String> passes,
    Map<String, Double> targets,
    double share) {
  static final String TRAIN = "train";
  static final String FORWARD = "forward";
  static final String STEP = "step";
  static final List<String> PASSES = List.of(TRAIN, FORWARD, STEP);

  /** The share of a training step on a GPU in which the host does not wait for it. */
  static final String SHARE = "share";

  static final String PYTORCH = "PyTorch";
  static final String ONNX_RUNTIME = "ONNX Runtime";
  static final String DJL = "DJL";
  static final String DL4J = "DL4J";
  static final String ONEDNN = "oneDNN";

  static final String CHARACTERS = "character model LSTM-256 B32 T64";

  /** Steps that the answers of a step at a time are compared over. */
  private static final int COMPARED = 16;

  private static final double OF_ONNX_RUNTIME = 1.1;
  private static final double OF_DL4J = 20;

  /** Those of the processor; their files go below the folder. */
  static List<Job> all(Path folder) {
    List<Job> jobs = new ArrayList<>();
    jobs.add(sequence(folder, "LSTM", 1, 32, 64, 128, 256, 1.3, 0));
    jobs.add(sequence(folder, "LSTM", 1, 64, 50, 512, 512, 1.1, 0.9));
    jobs.add(sequence(folder, "LSTM", 2, 32, 64, 256, 512, 1.1, 0.9));
    jobs.add(sequence(folder, "LSTM", 1, 128, 25, 1024, 1024, 1.1, 0.9));
    jobs.add(sequence(folder, "LSTM", 1, 1, 64, 64, 64, 4, 0));
    jobs.add(sequence(folder, "LSTM", 1, 1, 100, 256, 256, 2, 0));
    jobs.add(sequence(folder, "GRU", 1, 32, 64, 128, 256, 2.2, 0));
    jobs.add(sequence(folder, "GRU", 1, 64, 50, 512, 512, 1.35, 0));
    jobs.add(sequence(folder, "GRU", 1, 1, 64, 64, 64, 20, 0));
    jobs.add(sequence(folder, "GRU", 1, 1, 100, 256, 256, 6, 0));
    jobs.add(sequence(folder, "RNN", 1, 32, 64, 128, 256, 2.5, 0));
    jobs.add(sequence(folder, "RNN", 1, 64, 50, 512, 512, 0, 0));
    jobs.add(sequence(folder, "RNN", 1, 1, 64, 64, 64, 6, 0));
    jobs.add(sequence(folder, "RNN", 1, 1, 100, 256, 256, 4, 0));
    jobs.add(step(folder, 64, 20, 8));
    jobs.add(step(folder, 256, 5, 2.5));
    jobs.add(step(folder, 512, 5, 1.8));
    jobs.add(characters(folder.resolve(fileName(CHARACTERS)), false, 1.8));
    return jobs;
  }

  /** Those of a GPU, in each precision; few and tiny ones for a rehearsal. */
  static List<Job> onGpu(Path folder, boolean isRehearsal) {
    int[] units = isRehearsal ? new int[] {17} : new int[] {128, 256, 512, 1024, 2048};
    int[] batches = isRehearsal ? new int[] {1, 5} : new int[] {1, 16, 64, 256};
    List<Job> jobs = new ArrayList<>();
    for (String cell : new String[] {"LSTM", "GRU"}) {
      for (int layers = 1; layers <= 2; layers++) {
        for (int hidden : units) {
          for (int batch : batches) {
            jobs.add(onGpu(folder, cell, layers, batch, isRehearsal ? 64 : 256, hidden));
          }
        }
      }
    }
    jobs.add(characters(folder.resolve("gpu-characters"), isRehearsal, 0));
    return jobs;
  }

  /** The machine's own limit: a product of this size through our device's BLAS. */
  static Work product(Path folder) {
    return new Work(Work.PRODUCT, "", 0, 0, 0, 2048, 0, folder.resolve("product"));
  }

  private static Job sequence(
      Path folder,
      String cell,
      int layers,
      int batch,
      int time,
      int in,
      int hidden,
      double ofPyTorch,
      double share) {
    String name =
        "%s %sB%d T%d %d→%d"
            .formatted(cell, layers == 1 ? "" : layers + " layers ", batch, time, in, hidden);
    Map<String, Double> targets = new LinkedHashMap<>();
    if (ofPyTorch > 0) {
      targets.put(TRAIN + " " + PYTORCH, ofPyTorch);
    }
    targets.put(FORWARD + " " + ONNX_RUNTIME, OF_ONNX_RUNTIME);
    targets.put(TRAIN + " " + DL4J, OF_DL4J);
    targets.put(FORWARD + " " + DL4J, OF_DL4J);
    Path files = folder.resolve(fileName(name));
    Work work = new Work(Work.SEQUENCE, cell, layers, batch, time, in, hidden, files);
    return new Job(name, cell, work, List.of(TRAIN, FORWARD), targets, share);
  }

  private static Job step(Path folder, int hidden, double ofPyTorch, double ofOnnxRuntime) {
    String name = "LSTM step B1 %d→%d".formatted(hidden, hidden);
    Path files = folder.resolve(fileName(name));
    Work work = new Work(Work.STEP, "LSTM", 1, 1, COMPARED, hidden, hidden, files);
    Map<String, Double> targets = new LinkedHashMap<>();
    targets.put(STEP + " " + PYTORCH, ofPyTorch);
    targets.put(STEP + " " + ONNX_RUNTIME, ofOnnxRuntime);
    targets.put(STEP + " " + DL4J, OF_DL4J);
    return new Job(name, "LSTM", work, List.of(STEP), targets, 0);
  }

  private static Job characters(Path files, boolean isRehearsal, double ofPyTorch) {
    Work work =
        isRehearsal
            ? new Work(Work.CHARACTERS, "LSTM", 1, 8, 32, 29, 32, files)
            : new Work(Work.CHARACTERS, "LSTM", 1, 32, 64, 107, 256, files);
    Map<String, Double> targets =
        ofPyTorch == 0 ? Map.of() : Map.of(TRAIN + " " + PYTORCH, ofPyTorch);
    return new Job(CHARACTERS, "Character model", work, List.of(TRAIN), targets, 0);
  }

  /** The first steps of a long sequence are in files and compared; all of it is timed. */
  private static Job onGpu(Path folder, String cell, int layers, int batch, int time, int hidden) {
    String group = "%s %s".formatted(cell, layers == 1 ? "1 layer" : "2 layers");
    int compared = 32;
    Work work =
        new Work(
            Work.SEQUENCE,
            cell,
            layers,
            batch,
            compared,
            hidden,
            hidden,
            time / compared,
            Work.FLOAT32,
            folder.resolve("gpu"));
    Map<String, Double> targets = new LinkedHashMap<>();
    if (batch == 256 && hidden == 2048) {
      targets.put(FORWARD + " " + PYTORCH, 0.95);
      targets.put(TRAIN + " " + PYTORCH, 0.95);
    } else if (batch >= 16) {
      targets.put(TRAIN + " " + PYTORCH, 0.9);
    } else if (hidden >= 256 && hidden <= 1024) {
      targets.put(STEP + " " + PYTORCH, 4.0);
    }
    String name = "%s H%d B%d".formatted(group, hidden, batch);
    return new Job(name, group, work, List.of(FORWARD, TRAIN, STEP), targets, 0);
  }

  private static String fileName(String name) {
    return name.replaceAll("[^A-Za-z0-9]+", "-");
  }

  /** Whether a rival is asked at all. */
  boolean isFor(String rival, String pass) {
    return switch (work.kind()) {
      case Work.CHARACTERS -> rival.equals(PYTORCH);
      case Work.STEP -> !rival.equals(DJL);
      default -> !(rival.equals(ONNX_RUNTIME) && pass.equals(TRAIN)); // which does inference only
    };
  }

  /** In which precisions it is measured on a GPU. */
  List<Products> products() {
    return work.kind().equals(Work.CHARACTERS)
        ? List.of(Products.FLOAT32)
        : List.of(Products.values());
  }

  double target(String pass, String rival) {
    return targets.getOrDefault(pass + " " + rival, 0.0);
  }

  /**
   * Floating-point operations of the matrix products of a pass: forward 2·T·B·gates·H·(in + H) per
   * layer, three times that in training. 0 for the character model, whose input is no product.
   */
  double operations(String pass) {
    if (work.kind().equals(Work.CHARACTERS)) {
      return 0;
    }
    double sum = 0;
    double steps = pass.equals(STEP) ? 1 : (double) work.time() * work.repeats();
    for (int l = 0; l < work.layers(); l++) {
      double inputs = work.in(l) + work.hidden();
      sum += 2 * steps * work.batch() * work.gates() * work.hidden() * inputs;
    }
    return pass.equals(TRAIN) ? 3 * sum : sum;
  }
}

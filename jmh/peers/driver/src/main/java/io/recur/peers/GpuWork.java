package io.recur.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A stack of recurrent layers that is measured on a GPU in several precisions and passes.
 *
 * @param cell LSTM or GRU
 * @param layers one above the other
 * @param hidden length of x, h and y
 * @param batch columns
 * @param time steps of a sequence
 */
record GpuWork(String cell, int layers, int hidden, int batch, int time) {
  /** How matrices are multiplied, and how far its answers may be from ours in float32. */
  enum Products {
    FLOAT32(Answers.FLOAT32),
    TF32(new Answers.Tolerance(5e-3, 2e-2)),
    BF16(new Answers.Tolerance(3e-2, 1e-1)),
    /** PyTorch's alone; held against our bf16. */
    FP16(new Answers.Tolerance(1e-2, 5e-2));

    final Answers.Tolerance tolerance;

    Products(Answers.Tolerance tolerance) {
      this.tolerance = tolerance;
    }

    boolean isOurs() {
      return this != FP16;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final List<String> PASSES = List.of(Job.FORWARD, Job.TRAIN, Job.STEP);

  /** Steps in the files of a sequence, whose outputs and gradients are compared. */
  private static final int COMPARED = 32;

  /** All of them; few and tiny ones for a rehearsal. */
  static List<GpuWork> all(boolean rehearsal) {
    int[] hidden = rehearsal ? new int[] {17} : new int[] {128, 256, 512, 1024, 2048};
    int[] batches = rehearsal ? new int[] {1, 5} : new int[] {1, 16, 64, 256};
    List<GpuWork> all = new ArrayList<>();
    for (String cell : new String[] {"LSTM", "GRU"}) {
      for (int layers = 1; layers <= 2; layers++) {
        for (int h : hidden) {
          for (int batch : batches) {
            all.add(new GpuWork(cell, layers, h, batch, rehearsal ? 2 * COMPARED : 256));
          }
        }
      }
    }
    return all;
  }

  String name() {
    return "%s %s H%d B%d".formatted(cell, layers == 1 ? "1 layer" : "2 layers", hidden, batch);
  }

  /** Its files, below a folder. */
  Work work(Path folder) {
    return new Work(
        Work.SEQUENCE,
        cell,
        layers,
        batch,
        COMPARED,
        hidden,
        hidden,
        time / COMPARED,
        Work.FLOAT32,
        folder.resolve("gpu"));
  }

  /** What we want to reach of PyTorch in the same precision, or 0. */
  double target(String pass, Products products) {
    if (!products.isOurs()) {
      return 0;
    }
    if (pass.equals(Job.STEP)) {
      return batch == 1 && hidden >= 256 && hidden <= 1024 ? 4 : 0;
    }
    if (batch == 256 && hidden == 2048) {
      return 0.95;
    }
    return pass.equals(Job.TRAIN) && batch >= 16 ? 0.9 : 0;
  }

  /** Operations of the matrix products: 2·T·B·gates·H·2H a layer, three times that in training. */
  double operations(String pass) {
    double gates = cell.equals("LSTM") ? 4 : 3;
    double forward = 2.0 * (pass.equals(Job.STEP) ? 1 : time) * batch * gates * hidden * 2 * hidden;
    return layers * forward * (pass.equals(Job.TRAIN) ? 3 : 1);
  }
}

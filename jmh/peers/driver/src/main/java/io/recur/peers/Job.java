package io.recur.peers;

import java.util.List;
import java.util.Map;

/**
 * A work with its name, its passes and what we want to reach.
 *
 * @param name as the tables write it
 * @param group of works that share a table
 * @param work what is computed
 * @param passes forward, train, step
 * @param targets ratios by pass and rival, such as {@code "train PyTorch"}; of {@link #LIMIT} the
 *     share of the machine's limit
 * @param beside the built-in GRU of the same sizes, whose rate is measured in the same rounds; or
 *     null
 */
record Job(
    String name,
    String group,
    Work work,
    List<String> passes,
    Map<String, Double> targets,
    Work beside) {
  static final String TRAIN = "train";
  static final String FORWARD = "forward";
  static final String STEP = "step";
  static final List<String> PASSES = List.of(TRAIN, FORWARD, STEP);

  /** The share of a training step on a GPU in which the host does not wait for it. */
  static final String SHARE = "share";

  /** The bytes of the tape that trains. */
  static final String MEMORY = "memory";

  static final String PYTORCH = "PyTorch";
  static final String ONNX_RUNTIME = "ONNX Runtime";
  static final String DJL = "DJL";
  static final String DL4J = "DL4J";
  static final String ONEDNN = "oneDNN";

  /** PyTorch on all columns and steps, what stands behind the ends then set to 0. */
  static final String PADDED = "PyTorch padded";

  /** PyTorch's compiler, on the whole sequence. */
  static final String COMPILED = "torch.compile";

  // PyTorch's ways through a sequence that is linear in the state.
  static final String LOOP = "loop";
  static final String LOGARITHMS = "logarithms";
  static final String CHUNKS = "chunks";
  static final String ASSOCIATIVE = "associative_scan";
  static final List<String> SCANS = List.of(LOOP, LOGARITHMS, CHUNKS, ASSOCIATIVE);

  /** Contenders that are PyTorch once more. */
  static final List<String> WAYS = List.of(PADDED, COMPILED, LOOP, LOGARITHMS, CHUNKS, ASSOCIATIVE);

  /** The built-in GRU of the same sizes: the ratio is that of the rates, not of the times. */
  static final String GRU_RATE = "GRU's rate";

  /** No rival: the machine's own limit. */
  static final String LIMIT = "limit";

  Job(String name, String group, Work work, List<String> passes, Map<String, Double> targets) {
    this(name, group, work, passes, targets, null);
  }

  /** Whether a rival is asked at all. */
  boolean isFor(String rival, String pass) {
    if (SCANS.contains(rival)) {
      return Recurrence.LINEAR.contains(work.cell());
    }
    if (rival.equals(PADDED) && !work.kind().equals(Work.LENGTHS)) {
      return false;
    }
    if (rival.equals(COMPILED)) {
      return Recurrence.GATED.contains(work.cell()) && pass.equals(TRAIN);
    }
    if (!Recurrence.BUILT_IN.contains(work.cell())) {
      return rival.equals(PYTORCH) && !Recurrence.LINEAR.contains(work.cell());
    }
    return switch (work.kind()) {
      case Work.LENGTHS -> rival.equals(PYTORCH) || rival.equals(PADDED);
      case Work.DIRECTIONS, Work.CHARACTERS -> rival.equals(PYTORCH);
      case Work.STEP -> !rival.equals(DJL);
      default -> !(rival.equals(ONNX_RUNTIME) && pass.equals(TRAIN)); // which does inference only
    };
  }

  /** What an earlier commit is asked for, or null where it may not know the cell or the kind. */
  Work ofBase() {
    if (Recurrence.BUILT_IN.contains(work.cell())) {
      boolean isKnown = !List.of(Work.LENGTHS, Work.DIRECTIONS).contains(work.kind());
      return isKnown ? work : null;
    }
    return work.cell().equals(Recurrence.OWN_GRU) ? beside : null;
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
}

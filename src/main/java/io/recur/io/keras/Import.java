package io.recur.io.keras;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One call that imports layers of a file: which tensors it expects, what does not fit, and what it
 * maps to what. The layers say what they expect before a value is read.
 */
final class Import {
  /** A size that is not known before. */
  static final int ANY = -1;

  private static final int MOST_SHOWN = 40;

  /** Groups that hold what training alone needs. */
  private static final Set<String> OF_TRAINING =
      Set.of("optimizer", "optimizer_weights", "metrics", "compile_metrics");

  private final String where;
  private final HdfTree tree;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();
  private final List<String> report = new ArrayList<>();

  /**
   * Begins a call.
   *
   * @param where what an error begins with
   */
  Import(String where, HdfTree tree) {
    this.where = where;
    this.tree = tree;
  }

  /** A tensor that a layer expects. */
  final class Slot {
    private final String path;
    private final @Nullable HdfTensor tensor;

    private Slot(String path) {
      this.path = path;
      this.tensor = tree.tensors().get(path);
    }

    /** {@return a size of the tensor, {@link #ANY} where it is missing} */
    int size(int dimension) {
      return tensor == null || tensor.sizes().length <= dimension ? ANY : tensor.sizes()[dimension];
    }

    /** Reads the values of a tensor that {@link #check} has passed, last dimension contiguous. */
    float[] values(String to) {
      if (tensor == null) {
        throw new IllegalStateException(path);
      }
      report.add("%s %s -> %s".formatted(ConfigJson.shown(path), tensor, to));
      return tensor.values();
    }
  }

  /**
   * Expects a tensor.
   *
   * @param name its name in Keras
   * @param sizes each, or {@link #ANY}
   */
  Slot slot(String path, String name, int... sizes) {
    Slot slot = new Slot(path);
    HdfTensor tensor = slot.tensor;
    String shown = "%s (%s)".formatted(ConfigJson.shown(path), name);
    if (tensor == null) {
      problems.add("%s %s is missing".formatted(shown, HdfTensor.shown(sizes)));
    } else if (!fits(tensor.sizes(), sizes)) {
      String found = HdfTensor.shown(tensor.sizes());
      problems.add("%s=%s, need %s".formatted(shown, found, HdfTensor.shown(sizes)));
    } else if (!tensor.isFloat()) {
      problems.add("%s is %s, need floats".formatted(shown, tensor));
    }
    slots.put(path, slot);
    return slot;
  }

  private static boolean fits(int[] found, int... need) {
    boolean fits = found.length == need.length;
    for (int i = 0; fits && i < need.length; i++) {
      fits = found[i] > 0 && (need[i] == ANY || need[i] == found[i]);
    }
    return fits;
  }

  HdfTree tree() {
    return tree;
  }

  /** Notes what does not fit. */
  void problem(String problem) {
    problems.add(problem);
  }

  /** Notes a line of the report. */
  void note(Object what, String to) {
    report.add(what + " -> " + to);
  }

  /**
   * Compares the tensors with what is expected.
   *
   * @param mine the tensors of which each is expected
   * @throws IllegalArgumentException if one is missing, surplus or of other sizes, or holds no
   *     floats; the message lists all of them
   */
  void check(Predicate<String> mine) {
    List<String> wrong = new ArrayList<>(problems);
    tree.tensors().keySet().stream()
        .filter(path -> mine.test(path) && !slots.containsKey(path) && !isOfTraining(path))
        .forEach(path -> wrong.add(ConfigJson.shown(path) + " is surplus"));
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: %s; expected are %s; the file has %s"
              .formatted(
                  where, listed(wrong), shown(slots.keySet()), shown(tree.tensors().keySet())));
    }
  }

  /** {@return the paths of the tensors that were expected} */
  Set<String> paths() {
    return slots.keySet();
  }

  /** {@return a line for each tensor that was read, and for what else is to be known} */
  List<String> report() {
    return report;
  }

  /** Whether training alone needs a tensor. */
  static boolean isOfTraining(String path) {
    List<String> steps = List.of(path.split("/"));
    return OF_TRAINING.contains(steps.getFirst()) || steps.contains("seed_generator");
  }

  /** {@return some names in quotes, and how many more there are} */
  static String shown(Collection<String> names) {
    return listed(names.stream().map(ConfigJson::shown).toList());
  }

  private static String listed(Collection<String> names) {
    String first = names.stream().limit(MOST_SHOWN).collect(Collectors.joining(", "));
    return names.isEmpty()
        ? "none"
        : names.size() <= MOST_SHOWN
            ? first
            : "%s and %d more".formatted(first, names.size() - MOST_SHOWN);
  }
}

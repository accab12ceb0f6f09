package io.recur.io.onnx;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The names of the values and nodes of a model, each once: those of bodies of Scan too. */
final class ExportNames {
  private final Set<String> taken = new HashSet<>();
  private final Map<String, Integer> counts = new HashMap<>();

  /** {@return the name itself, or with a number behind it where it is taken} */
  String unique(String wish) {
    String name = wish;
    for (int n = 2; !taken.add(name); n++) {
      name = wish + "." + n;
    }
    return name;
  }

  /** {@return a new name for what there may be many of, such as {@code MatMul_3}} */
  String numbered(String kind) {
    String name;
    do {
      name = kind + "_" + counts.merge(kind, 1, Integer::sum);
    } while (!taken.add(name));
    return name;
  }
}

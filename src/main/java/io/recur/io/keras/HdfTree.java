package io.recur.io.keras;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an HDF5 file holds, by path, such as {@code layers/lstm/cell/vars/0}.
 *
 * @param tensors its datasets
 * @param groups its groups and datasets, with their attributes of text by name
 */
record HdfTree(Map<String, HdfTensor> tensors, Map<String, Map<String, List<String>>> groups) {
  boolean hasGroup(String path) {
    return groups.containsKey(path) && !tensors.containsKey(path);
  }

  /** {@return an attribute that is one text, or null} */
  @Nullable String text(String path, String name) {
    List<String> texts = texts(path, name);
    return texts == null || texts.size() != 1 ? null : texts.getFirst();
  }

  /** {@return an attribute that is a list of texts, or null; Keras cuts a long one in pieces} */
  @Nullable List<String> texts(String path, String name) {
    Map<String, List<String>> attributes = groups.getOrDefault(path, Map.of());
    if (attributes.containsKey(name)) {
      return attributes.get(name);
    }
    List<String> joined = new ArrayList<>();
    for (int i = 0; attributes.containsKey(name + i); i++) {
      joined.addAll(attributes.get(name + i));
    }
    return joined.isEmpty() ? null : joined;
  }
}

package io.recur.io.keras;

import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of one layer, in Keras's order. Keras 3 keeps those of each part in a group of its
 * own, {@code layers/lstm/cell/vars/0}; the older format keeps a list for the whole layer.
 */
final class LayerTensors {
  private final Import into;
  private final String group;

  /** The paths of the older format; null in a file of Keras 3. */
  private final @Nullable Iterator<String> list;

  private int next;

  private LayerTensors(Import into, String group, @Nullable Iterator<String> list) {
    this.into = into;
    this.group = group;
    this.list = list;
  }

  /** The tensors of a group in a file of Keras 3. */
  static LayerTensors of(Import into, String group) {
    return new LayerTensors(into, group, null);
  }

  /** The tensors that a group of the older format lists. */
  static LayerTensors listed(Import into, String group) {
    List<String> names = into.tree().texts(group, "weight_names");
    if (names == null) {
      into.problem(ConfigJson.shown(group) + " with weight_names is missing");
    }
    return new LayerTensors(
        into,
        group,
        (names == null ? List.<String>of() : names)
            .stream().map(name -> group + "/" + name).iterator());
  }

  /** The tensors of a part of the layer. */
  LayerTensors part(String name) {
    return list == null ? new LayerTensors(into, group + "/" + name, null) : this;
  }

  /** Expects the next tensor. */
  Import.Slot next(String name, int... sizes) {
    if (list == null) {
      return into.slot(group + "/vars/" + next++, name, sizes);
    }
    String path = list.hasNext() ? list.next() : group + "/" + name;
    if (!path.replaceFirst(":0$", "").endsWith("/" + name)) {
      into.problem("%s stands where %s is expected".formatted(ConfigJson.shown(path), name));
    }
    return into.slot(path, name, sizes);
  }

  /** Whether there is a further tensor. */
  boolean hasNext() {
    return list == null
        ? into.tree().tensors().containsKey(group + "/vars/" + next)
        : list.hasNext();
  }
}

package io.recur.io.keras;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The operations by which a functional model of Keras 3 spells the mask of a {@code Masking} or of
 * an {@code Embedding}: {@code NotEqual}, and {@code Any} over the features. They are what these
 * layers do, and are checked to be no more.
 */
final class MaskGraph {
  private MaskGraph() {}

  private static boolean isMask(ModelReader.Node node) {
    return node.settings().kind().equals("NotEqual") || node.settings().kind().equals("Any");
  }

  /** {@return the nodes that are no masks, in their order} */
  static List<ModelReader.Node> without(Settings model, List<ModelReader.Node> nodes) {
    Map<String, ModelReader.Node> masks = new HashMap<>();
    nodes.stream().filter(MaskGraph::isMask).forEach(node -> masks.put(node.name(), node));
    List<ModelReader.Node> layers = new ArrayList<>();
    for (ModelReader.Node node : nodes) {
      if (isMask(node)) {
        check(node, masks, nodes);
        continue;
      }
      String mask = node.call().mask();
      if (mask != null && !masks.containsKey(mask)) {
        throw node.settings()
            .wrong("its mask is %s; need that of a layer".formatted(ConfigJson.shown(mask)));
      }
      layers.add(node);
    }
    return layers;
  }

  private static void check(
      ModelReader.Node node, Map<String, ModelReader.Node> masks, List<ModelReader.Node> nodes) {
    List<String> sources = node.call().sources();
    boolean isOfLayer;
    if (node.settings().kind().equals("Any")) {
      ModelReader.Node inner = sources.size() == 1 ? masks.get(sources.getFirst()) : null;
      isOfLayer =
          inner != null
              && inner.settings().kind().equals("NotEqual")
              && Long.valueOf(-1).equals(node.settings().value("axis"))
              && !node.settings().flag("keepdims", false)
              && node.call().constants().isEmpty();
    } else {
      isOfLayer = nodes.stream().anyMatch(layer -> marks(layer, node));
    }
    if (!isOfLayer) {
      throw node.settings().wrong("it computes no mask of a Masking or an Embedding; need a line");
    }
  }

  /** Whether a layer masks what an operation computes. */
  private static boolean marks(ModelReader.Node layer, ModelReader.Node mask) {
    List<Object> constants = mask.call().constants();
    if (!layer.call().sources().equals(mask.call().sources())
        || constants.size() != 1
        || !(constants.getFirst() instanceof Number constant)) {
      return false;
    }
    return switch (layer.settings().kind()) {
      case "Masking" -> layer.settings().number("mask_value", 0) == constant.doubleValue();
      case "Embedding" -> layer.settings().flag("mask_zero", false) && constant.doubleValue() == 0;
      default -> false;
    };
  }
}

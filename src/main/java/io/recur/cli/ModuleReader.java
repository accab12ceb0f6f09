package io.recur.cli;

import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import io.recur.io.layers.Applied;
import io.recur.nn.BatchNorm;
import io.recur.nn.Conv1d;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the modules of PyTorch that a description names, and tells what a file looks like. */
final class ModuleReader {
  private ModuleReader() {}

  /** {@return the layer of a part that has no parameters} */
  static Layer function(Part part) {
    return switch (part.kind()) {
      case SOFTMAX -> new Applied(Applied.SOFTMAX);
      case LOG_SOFTMAX -> new Applied(Applied.LOG_SOFTMAX);
      default -> new Applied(part.function());
    };
  }

  /** {@return a convolution with the settings of a part} */
  static Conv1d set(Conv1d layer, Part part) {
    return layer
        .stride(part.whole("stride", 1, 1))
        .padding(part.whole("padding", 0, 0))
        .dilation(part.whole("dilation", 1, 1));
  }

  static float epsilon(Part part) {
    return part.number(
        "eps", part.kind() == Part.Kind.LAYER_NORM ? LayerNorm.EPSILON : BatchNorm.EPSILON);
  }

  static float momentum(Part part) {
    return part.number("momentum", BatchNorm.MOMENTUM);
  }

  /** Imports a module. */
  static Layer read(Part part, StateDict weights) throws IOException {
    return switch (part.kind()) {
      case RNN -> weights.rnn(part.module(), part.function());
      case LSTM -> weights.lstm(part.module());
      case GRU -> weights.gru(part.module());
      case RNN_CELL -> weights.rnnCell(part.module(), part.function());
      case LSTM_CELL -> weights.lstmCell(part.module());
      case GRU_CELL -> weights.gruCell(part.module());
      case LINEAR -> weights.linear(part.module(), part.function());
      case EMBEDDING -> weights.embedding(part.module());
      case LAYER_NORM -> weights.layerNorm(part.module(), epsilon(part));
      case BATCH_NORM -> weights.batchNorm(part.module(), epsilon(part), momentum(part));
      case CONV1D -> set(weights.conv1d(part.module(), part.whole("groups", 1, 1)), part);
      case GRUV3 ->
          throw new IllegalArgumentException(
              "layer '%s': PyTorch has no such module".formatted(Printable.of(part.toString())));
      case SOFTMAX, LOG_SOFTMAX, MAP -> function(part);
    };
  }

  /** {@return a part with what the tensors of its module tell} */
  static Part completed(Part part, Map<String, StoredTensor> tensors) {
    if (!part.kind().isModule()) {
      return part;
    }
    String prefix = part.module().isEmpty() ? "" : part.module() + ".";
    Set<String> names = new LinkedHashSet<>();
    tensors.keySet().stream()
        .filter(name -> name.startsWith(prefix))
        .forEach(name -> names.add(name.substring(prefix.length())));
    Part whole = part.withoutSizes();
    long layers = names.stream().filter(name -> name.matches("weight_ih_l\\d+")).count();
    if (layers > 1) {
      whole = whole.with("layers", "" + layers);
    }
    if (names.contains("weight_ih_l0_reverse")) {
      whole = whole.with("directions", "2");
    }
    boolean hasBiases = names.stream().anyMatch(name -> name.startsWith("bias"));
    boolean mayHave = part.kind() != Part.Kind.EMBEDDING && part.kind() != Part.Kind.BATCH_NORM;
    if (!hasBiases && mayHave) {
      whole = whole.with("biases", "none");
    }
    StoredTensor weight = tensors.get(prefix + "weight");
    boolean isConvolution = part.kind() == Part.Kind.CONV1D && weight != null;
    return isConvolution ? whole.with("kernel", "" + weight.dimensions()[0]) : whole;
  }

  /**
   * Guesses a description from names and sizes. Functions between the modules are not in the file,
   * and the order may be another one.
   *
   * @return the parts in the file's order, joined by commas
   */
  static String guess(Map<String, StoredTensor> tensors) {
    Map<String, Map<String, StoredTensor>> modules = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          int dot = name.lastIndexOf('.');
          modules
              .computeIfAbsent(dot < 0 ? "." : name.substring(0, dot), key -> new LinkedHashMap<>())
              .put(name.substring(dot + 1), tensor);
        });
    List<String> parts =
        modules.entrySet().stream()
            .map(entry -> kind(entry.getKey(), entry.getValue()) + " " + entry.getKey())
            .toList();
    return Printable.of(String.join(", ", parts));
  }

  private static String kind(String module, Map<String, StoredTensor> tensors) {
    if (tensors.containsKey("weight_hh_l0")) {
      return recurrent(tensors, "_l0");
    }
    if (tensors.containsKey("weight_hh")) {
      return recurrent(tensors, "") + "-cell";
    }
    StoredTensor weight = tensors.get("weight");
    if (tensors.containsKey("running_mean")) {
      return "batch-norm";
    }
    return switch (weight == null ? 0 : weight.dimensions().length) {
      case 1 -> "layer-norm";
      case 2 -> !tensors.containsKey("bias") && module.contains("emb") ? "embedding" : "linear";
      case 3 -> "conv1d";
      default -> "?";
    };
  }

  /** The kind of a recurrent module: how many gates its matrices stack. */
  private static String recurrent(Map<String, StoredTensor> tensors, String suffix) {
    long[] sizes = tensors.get("weight_hh" + suffix).dimensions(); // in reverse order
    if (tensors.containsKey("weight_hr" + suffix) || sizes.length != 2 || sizes[0] == 0) {
      return "lstm";
    }
    return sizes[1] == sizes[0] ? "rnn" : sizes[1] == 3 * sizes[0] ? "gru" : "lstm";
  }
}

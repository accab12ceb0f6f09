package io.recur.io.keras;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a layer of a functional model is called with, in the forms of Keras 3 and of Keras 2. */
final class Graph {
  private static final int MOST_OUTPUTS = 8;

  private final Settings layer;
  private final List<String> sources = new ArrayList<>();
  private final List<Object> constants = new ArrayList<>();
  private @Nullable String mask;

  private Graph(Settings layer) {
    this.layer = layer;
  }

  /**
   * The call of a layer.
   *
   * @param sources the layers that it reads, then those of its initial state; an output other than
   *     the first is that of a state, LAYER.0 and so on
   * @param constants its other arguments
   * @param mask the operation that computes its mask, or null
   */
  record Call(List<String> sources, List<Object> constants, @Nullable String mask) {
    static final Call NONE = new Call(List.of(), List.of(), null);
  }

  /**
   * Reads the call of a layer.
   *
   * @param inbound its calls in the configuration
   * @throws IllegalArgumentException if it is called twice, or with named arguments beside a mask
   *     and an initial state
   */
  static Call call(Settings layer, @Nullable Object inbound) {
    if (!(inbound instanceof List<?> calls)) {
      throw layer.wrong("inbound_nodes=%s; need a list".formatted(ConfigJson.shownValue(inbound)));
    }
    if (calls.size() > 1) {
      throw layer.wrong("it is called %d times; need one call".formatted(calls.size()));
    }
    if (calls.isEmpty()) {
      return Call.NONE;
    }
    Graph graph = new Graph(layer);
    if (calls.getFirst() instanceof Map<?, ?> parts) {
      graph.collect(parts.get("args"));
      graph.named(parts.get("kwargs"));
    } else {
      graph.collectOld(calls.getFirst());
    }
    if (graph.sources.isEmpty()) {
      throw layer.wrong("its call has no input; need one");
    }
    return new Call(graph.sources, graph.constants, graph.mask);
  }

  /** Finds the tensors of Keras 3 in the arguments of a call. */
  private void collect(@Nullable Object value) {
    if (value instanceof List<?> list) {
      list.forEach(this::collect);
    } else if (isTensor(value)) {
      sources.add(source(value));
    } else if (value != null) {
      constants.add(value);
    }
  }

  private static boolean isTensor(@Nullable Object value) {
    return value instanceof Map<?, ?> map && "__keras_tensor__".equals(map.get("class_name"));
  }

  private String source(@Nullable Object tensor) {
    boolean isWhole = tensor instanceof Map<?, ?> map && map.get("config") instanceof Map<?, ?>;
    Object config = isWhole ? ((Map<?, ?>) tensor).get("config") : Map.of();
    return name(((Map<?, ?>) config).get("keras_history"));
  }

  /** Finds those of Keras 2: one input, or a list. */
  private void collectOld(@Nullable Object value) {
    if (value instanceof List<?> list && !list.isEmpty() && list.getFirst() instanceof List<?>) {
      list.forEach(this::collectOld);
    } else {
      sources.add(name(value));
      if (value instanceof List<?> parts && parts.size() > 3) {
        named(parts.get(3));
      }
    }
  }

  /** {@return the layer of [layer, call, output], or its state} */
  private String name(@Nullable Object history) {
    if (history instanceof List<?> parts
        && parts.size() >= 3
        && parts.get(0) instanceof String name
        && parts.get(2) instanceof Long output
        && output >= 0
        && output <= MOST_OUTPUTS) {
      return output == 0 ? name : name + "." + (output - 1);
    }
    throw layer.wrong(
        "it reads %s; need [layer, call, output]".formatted(ConfigJson.shownValue(history)));
  }

  /** Takes a mask and an initial state; refuses other named arguments. */
  private void named(@Nullable Object value) {
    if (value instanceof Map<?, ?> arguments) {
      arguments.forEach(
          (key, argument) -> {
            if ("mask".equals(key) && isTensor(argument)) {
              mask = source(argument);
            } else if ("initial_state".equals(key) && argument != null) {
              collect(argument);
            } else if (argument != null && !argument.equals(false)) {
              throw layer.wrong(
                  "it is called with %s=%s; need its input alone"
                      .formatted(ConfigJson.shownValue(key), ConfigJson.shownValue(argument)));
            }
          });
    }
  }

  /** {@return the names of the layers whose outputs are those of a model} */
  static List<String> outputs(Settings model) {
    return ends(model, "output_layers");
  }

  /** {@return the names of the inputs of a model, in their order} */
  static List<String> inputs(Settings model) {
    return ends(model, "input_layers");
  }

  private static List<String> ends(Settings model, String key) {
    Graph graph = new Graph(model);
    graph.collectEnds(model.value(key));
    return graph.sources;
  }

  /** One end, or a list or a dictionary of several. */
  private void collectEnds(@Nullable Object value) {
    if (value instanceof Map<?, ?> named) {
      named.values().forEach(this::collectEnds);
    } else if (value instanceof List<?> list
        && !list.isEmpty()
        && !(list.getFirst() instanceof String)) {
      list.forEach(this::collectEnds);
    } else {
      sources.add(name(value));
    }
  }
}

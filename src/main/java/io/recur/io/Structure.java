package io.recur.io;

import static io.recur.io.StructureCells.CELLS;

import io.recur.grad.Parameter;
import io.recur.io.json.Json;
import io.recur.io.layers.Applied;
import io.recur.io.layers.Backwards;
import io.recur.io.layers.BothEnds;
import io.recur.io.layers.Causal;
import io.recur.io.layers.LastStep;
import io.recur.io.layers.Masked;
import io.recur.io.layers.MaskedZero;
import io.recur.io.layers.Pooled;
import io.recur.io.layers.Repeated;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Dropout;
import io.recur.nn.Embedding;
import io.recur.nn.Highway;
import io.recur.nn.Join;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Network;
import io.recur.nn.Recur;
import io.recur.nn.Residual;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a model is built of, as text from which the same layers are built again: a tree in JSON with
 * the kind, the sizes and the settings of each. Values of parameters are no part of it.
 *
 * <p>A Recur is described by its cell. A layer that stands in a model twice is described once; the
 * second place has its number.
 */
final class Structure {
  private static final String SAME = "same";

  /**
   * A kind of layers or cells.
   *
   * @param name in a file
   * @param type its class
   * @param describe puts the settings of a layer
   * @param build makes a layer of such settings
   */
  record Kind<T>(
      String name, Class<T> type, BiConsumer<T, Described> describe, Function<Described, T> build) {
    private Described described(Described to, Object layer) {
      describe.accept(type.cast(layer), to);
      return to;
    }
  }

  private static final List<Kind<? extends Layer>> LAYERS =
      List.of(
          new Kind<>(
              "chain",
              Chain.class,
              (layer, to) -> to.put("layers", layer.layers()),
              from -> new Chain(from.layers("layers"))),
          new Kind<>(
              "residual",
              Residual.class,
              (layer, to) -> to.put("layers", layer.layers()),
              from -> residual(from, from.layers("layers"))),
          new Kind<>(
              "highway",
              Highway.class,
              (layer, to) ->
                  to.put("inner", layer.layers().getFirst()).put("gate", layer.layers().getLast()),
              from -> new Highway(from.layer("inner"), from.layer("gate"))),
          new Kind<>(
              "bidirectional",
              Bidirectional.class,
              (layer, to) ->
                  to.put("merge", layer.merge().name())
                      .put("forward", layer.forward())
                      .put("backward", layer.backward()),
              from ->
                  new Bidirectional(
                      from.layer("forward", Recur.class),
                      from.layer("backward", Recur.class),
                      from.one("merge", Bidirectional.Merge.class))),
          new Kind<>(
              "dense",
              Dense.class,
              (layer, to) -> to.put("function", layer.function()).put(layer.own()),
              from -> new Dense(from.function("function"), from.matrix("W"), from.parameter("b"))),
          new Kind<>(
              "embedding",
              Embedding.class,
              (layer, to) -> to.put(layer.own()),
              from -> new Embedding(from.parameter("W"))),
          new Kind<>(
              "layer norm",
              LayerNorm.class,
              (layer, to) -> to.put("epsilon", layer.epsilon()).put(layer.own()),
              from ->
                  new LayerNorm(
                      from.parameter("gain"), from.parameter("bias"), from.number("epsilon"))),
          new Kind<>(
              "batch norm",
              BatchNorm.class,
              (layer, to) ->
                  to.put("epsilon", layer.epsilon())
                      .put("momentum", layer.momentum())
                      .put(layer.own()),
              from ->
                  new BatchNorm(
                      from.parameter("gain"),
                      from.parameter("bias"),
                      from.parameter("mean"),
                      from.parameter("variance"),
                      from.number("epsilon"),
                      from.number("momentum"))),
          new Kind<>(
              "convolution",
              Conv1d.class,
              (layer, to) ->
                  to.put("in", layer.in())
                      .put("groups", layer.groups())
                      .put("stride", layer.stride())
                      .put("padding", layer.padding())
                      .put("dilation", layer.dilation())
                      .put(layer.own()),
              from ->
                  new Conv1d(
                          from.whole("in"),
                          from.parameter("W"),
                          from.parameter("b"),
                          from.whole("groups"))
                      .stride(from.whole("stride"))
                      .padding(from.whole("padding"))
                      .dilation(from.whole("dilation"))),
          new Kind<>(
              "causal",
              Causal.class,
              (layer, to) -> to.put("inner", layer.conv()).put("stride", layer.stride()),
              from -> new Causal(from.layer("inner", Conv1d.class), from.whole("stride"))),
          new Kind<>(
              "dropout",
              Dropout.class,
              (layer, to) -> to.put("rate", layer.rate()),
              from -> new Dropout(from.number("rate"))),
          new Kind<>(
              "function",
              Applied.class,
              (layer, to) -> to.put("function", layer.label()),
              from -> new Applied(from.text("function"))),
          new Kind<>(
              "backwards",
              Backwards.class,
              (layer, to) -> to.put("inner", layer.inner()).put("stateful", layer.stateful()),
              from -> new Backwards(from.layer("inner"), from.flag("stateful"))),
          new Kind<>(
              "network",
              Network.class,
              (layer, to) ->
                  to.texts("inputs", layer.inputs())
                      .texts("outputs", List.copyOf(layer.outputs().keySet()))
                      .texts("give", List.copyOf(layer.outputs().values()))
                      .parts("nodes", layer.nodes(), Structure::describe),
              Structure::network),
          new Kind<>(
              "pooled",
              Pooled.class,
              (layer, to) -> to.put("maximum", layer.isMaximum()),
              from -> new Pooled(from.flag("maximum"))),
          new Kind<>(
              "repeated",
              Repeated.class,
              (layer, to) -> to.put("steps", layer.steps()),
              from -> new Repeated(from.whole("steps"))),
          new Kind<>("last step", LastStep.class, (layer, to) -> {}, from -> new LastStep()),
          new Kind<>(
              "both ends",
              BothEnds.class,
              (layer, to) -> to.put("merge", layer.merge().name()).put("forward", layer.forward()),
              from ->
                  new BothEnds(
                      from.whole("forward"), from.one("merge", Bidirectional.Merge.class))),
          new Kind<>(
              "mask",
              Masked.class,
              (layer, to) -> to.put("value", layer.value()),
              from -> new Masked(from.number("value"))),
          new Kind<>("mask zero", MaskedZero.class, (layer, to) -> {}, from -> new MaskedZero()));

  private static Residual residual(Described from, List<Layer> layers) {
    return switch (layers.size()) {
      case 1 -> new Residual(layers.getFirst());
      case 2 -> new Residual(layers.getFirst(), layers.getLast());
      default -> throw from.wrong("layers", "one or two");
    };
  }

  private static void describe(Network.Node node, Described to) {
    to.put("name", node.name()).texts("from", node.from());
    if (node.layer() != null) {
      to.put("layer", node.layer());
    }
    if (node.join() != null) {
      to.put("join", node.join().name());
    }
  }

  private static Network network(Described from) {
    List<String> give = from.texts("give");
    Map<String, String> outputs = new LinkedHashMap<>();
    for (String output : from.texts("outputs")) {
      if (outputs.size() == give.size()) {
        throw from.wrong("give", "as many names as outputs");
      }
      outputs.put(output, give.get(outputs.size()));
    }
    List<Network.Node> nodes =
        from.parts("nodes").stream()
            .map(
                node ->
                    new Network.Node(
                        node.text("name"),
                        node.has("layer") ? node.layer("layer") : null,
                        node.has("join") ? node.one("join", Join.class) : null,
                        node.texts("from")))
            .toList();
    return new Network(from.texts("inputs"), nodes, outputs);
  }

  private final List<Layer> layers = new ArrayList<>();

  private Structure() {}

  private static <T> @Nullable Kind<? extends T> kind(List<Kind<? extends T>> kinds, T object) {
    return kinds.stream().filter(kind -> kind.type().isInstance(object)).findFirst().orElse(null);
  }

  /**
   * {@return the layers of a model that have no description, as the model prints them; none where
   * {@link #of} describes it}
   */
  static List<String> unknown(Layer model) {
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    return model.all().stream()
        .filter(layer -> !isKnown(layer) || !layer.own().stream().allMatch(seen::add))
        .map(Layer::describe)
        .toList();
  }

  private static boolean isKnown(Layer layer) {
    if (layer instanceof Recur recur) {
      Cell cell = recur.cell();
      return kind(CELLS, cell) != null
          && StructureCells.isDense(cell)
          && recur.own().containsAll(cell.state0());
    }
    return kind(LAYERS, layer) != null
        && !(layer instanceof Dense dense && !dense.matrix().isDense());
  }

  /** {@return the description of a model all of whose layers are known} */
  static String of(Layer model) {
    return text(new Structure().described(model));
  }

  /** Describes a layer, or names its number where it was described before. */
  Map<String, Object> described(Layer layer) {
    for (int i = 0; i < layers.size(); i++) {
      if (layers.get(i) == layer) {
        return Map.of(SAME, (long) i);
      }
    }
    layers.add(layer);
    Object object = layer instanceof Recur recur ? recur.cell() : layer;
    Kind<?> kind = layer instanceof Recur recur ? kind(CELLS, recur.cell()) : kind(LAYERS, layer);
    if (kind == null) {
      throw new IllegalArgumentException(layer.describe() + ": it has no description");
    }
    return kind.described(Described.of(this, kind.name(), layer.own()), object).values();
  }

  private static String text(Object value) {
    return switch (value) {
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> Json.quoted((String) entry.getKey()) + ":" + text(entry.getValue()))
              .collect(Collectors.joining(",", "{", "}"));
      case List<?> list ->
          list.stream().map(Structure::text).collect(Collectors.joining(",", "[", "]"));
      case String text -> Json.quoted(text);
      default -> value.toString();
    };
  }

  /**
   * Builds a model, untrained and on no device.
   *
   * @throws IllegalArgumentException if the text is no description; the message says what is wrong
   */
  static Layer model(String text) {
    return new Structure().built(PlainJson.read(text, PlainJson.MOST_LEVELS));
  }

  /** Builds a layer. */
  Layer built(Object value) {
    Described from = Described.of(this, value);
    if (from.has(SAME)) {
      int number = from.whole(SAME);
      if (number >= layers.size() || layers.get(number) == NONE) {
        throw from.wrong(SAME, "the number of a layer before this one");
      }
      return layers.get(number);
    }
    int place = layers.size();
    layers.add(NONE);
    for (Kind<? extends Layer> kind : LAYERS) {
      if (kind.name().equals(from.kind())) {
        layers.set(place, kind.build().apply(from));
      }
    }
    for (Kind<? extends Cell> kind : CELLS) {
      if (kind.name().equals(from.kind())) {
        layers.set(place, new Recur(kind.build().apply(from)));
      }
    }
    if (layers.get(place) == NONE) {
      throw from.wrong("layer", "a kind that this version knows");
    }
    return layers.get(place);
  }

  /** Stands where a layer is being built. */
  private static final Layer NONE = new LastStep();
}

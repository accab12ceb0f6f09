package io.recur.io;

import io.recur.io.Structure.Kind;
import io.recur.io.layers.Applied;
import io.recur.io.layers.Backwards;
import io.recur.io.layers.BothEnds;
import io.recur.io.layers.Causal;
import io.recur.io.layers.LastStep;
import io.recur.io.layers.Masked;
import io.recur.io.layers.MaskedZero;
import io.recur.io.layers.Pooled;
import io.recur.io.layers.Repeated;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Attention;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
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
import java.util.List;

/** The kinds of layers in a {@link Structure}. */
final class StructureLayers {
  static final List<Kind<? extends Layer>> LAYERS =
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
              (layer, to) ->
                  to.put("function", layer.function()).put(layer.own(), List.of(layer.matrix())),
              from -> new Dense(from.function("function"), from.matrix("W"), from.parameter("b"))),
          new Kind<>(
              "embedding",
              Embedding.class,
              (layer, to) -> to.put(layer.own()),
              from -> new Embedding(from.parameter("W"))),
          new Kind<>(
              "attention",
              Attention.class,
              (layer, to) -> to.put("kind", layer.kind()).put(layer.own(), layer.matrices()),
              StructureLayers::attention),
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
                      .pairs("outputs", layer.outputs())
                      .parts("nodes", layer.nodes(), StructureLayers::describe),
              StructureLayers::network),
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
          new Kind<>("mask zero", MaskedZero.class, (layer, to) -> {}, from -> new MaskedZero()),
          new Kind<>(
              "onnx graph",
              OnnxModel.class,
              (layer, to) -> to.put("graph", layer.skeleton()).pairs("states", layer.states()),
              from -> OnnxModel.ofSkeleton(from.text("graph"), from.pairs("states"), from.most())));

  private StructureLayers() {}

  private static Residual residual(Described from, List<Layer> layers) {
    return switch (layers.size()) {
      case 1 -> new Residual(layers.getFirst());
      case 2 -> new Residual(layers.getFirst(), layers.getLast());
      default -> throw from.wrong("layers", "one or two");
    };
  }

  private static Attention attention(Described from) {
    return switch (from.text("kind")) {
      case "bahdanau" -> Attention.bahdanau(from.matrix("Wq"), from.matrix("Wm"), from.matrix("v"));
      case "luong" -> Attention.luong(from.matrix("W"));
      case "dot" -> Attention.dot();
      default -> throw from.wrong("kind", "bahdanau, luong or dot");
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
    return new Network(from.texts("inputs"), nodes, from.pairs("outputs"));
  }
}

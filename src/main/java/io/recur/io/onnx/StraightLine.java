package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.io.layers.Applied;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A graph as a chain of layers, where each node takes what the node before it gives, and constants.
 * What the dimensions are is followed by name, so that nodes which only rearrange them become
 * nothing.
 */
final class StraightLine {
  /** The dimensions: two of batch and time in any order, directions, one of size 1, features. */
  private static final String FEATURES = "features";

  private static final String DIRECTIONS = "directions";
  private static final String ONE = "1";

  private static final Map<String, Elementwise> FUNCTIONS =
      Map.of(
          "Relu", Elementwise.RELU,
          "Tanh", Elementwise.TANH,
          "Sigmoid", Elementwise.SIGMOID,
          "Softplus", Elementwise.SOFTPLUS,
          "Softsign", Elementwise.SOFTSIGN,
          "Abs", Elementwise.ABS,
          "Exp", Elementwise.EXP,
          "Neg", Elementwise.NEGATE);

  private final Binding binding;
  private final List<Recur> recurs;
  private final List<Layer> layers = new ArrayList<>();
  private final List<String> axes = new ArrayList<>();

  /** The name of the value that the nodes so far give. */
  private String at;

  /** A product that a bias or a function may still join; none after another layer. */
  private @Nullable Parameter w;

  private @Nullable Parameter b;

  /** The dimension over which steps follow each other, once a layer has told. */
  private @Nullable String time;

  private StraightLine(Binding binding, List<Recur> recurs, Port input) {
    this.binding = binding;
    this.recurs = recurs;
    this.at = input.name();
    int rank = input.sizes().size();
    boolean isIndex = input.type().isInteger();
    if (!input.isShaped() || rank < 2 || rank > 3 || (isIndex && rank == 3)) {
      throw new IllegalArgumentException(
          "onnx: chain: input %s; need floats of 2 or 3 dimensions, or indexes of 2"
              .formatted(input));
    }
    axes.addAll(List.of("first", "second").subList(0, isIndex ? 2 : rank - 1));
    if (!isIndex) {
      int[] known = IntStream.range(0, rank).filter(i -> !input.isOpen(i)).toArray();
      axes.add(known.length == 1 ? known[0] : rank - 1, FEATURES);
    }
  }

  /**
   * The chain.
   *
   * @param binding of the graph, whose constants it knows
   * @param body the nodes
   * @param recurs those that the nodes have made
   * @throws IllegalArgumentException if a node is no layer, or does not follow the one before it
   */
  static Chain of(Binding binding, Body body, List<Recur> recurs) {
    List<Port> outputs = body.graph().outputs();
    if (body.ports().size() != 1 || outputs.isEmpty()) {
      throw new IllegalArgumentException(
          "onnx: chain: the graph takes %s; need one input: call read(path)"
              .formatted(body.ports()));
    }
    StraightLine line = new StraightLine(binding, recurs, body.ports().getFirst());
    List<String> before = List.copyOf(line.axes);
    for (Body.Step step : body.steps()) {
      line.take(step);
    }
    line.end();
    List<String> after = new ArrayList<>(line.axes);
    after.removeIf(ONE::equals);
    boolean isWhole =
        after.containsAll(before) && after.contains(FEATURES) && after.size() <= before.size() + 1;
    if (!line.at.equals(outputs.getFirst().name()) || !isWhole) {
      throw new IllegalArgumentException(
          "onnx: chain: output %s is not what the last node gives for each step; call read(path)"
              .formatted(outputs.getFirst()));
    }
    return new Chain(line.layers);
  }

  private void take(Body.Step step) {
    Node node = step.node();
    int given = -1;
    for (int i = 0; i < node.inputs().size(); i++) {
      if (node.hasInput(i) && binding.constant(node.inputs().get(i)) == null) {
        boolean isUniform = binding.uniform(node.inputs().get(i)) != null;
        if (node.inputs().get(i).equals(at) && given < 0) {
          given = i;
        } else if (!isUniform) {
          throw no(node, "it reads %s".formatted(Wire.shown(node.inputs().get(i))));
        }
      }
    }
    if (given < 0) {
      throw no(node, "it does not read " + Wire.shown(at));
    }
    take(node, step.evaluation(), given);
    at = node.outputs().getFirst();
  }

  private static IllegalArgumentException no(Node node, String why) {
    return node.refuse(
        why
            + "; a chain is a straight line of layers: call read(path), whose model is a layer too");
  }

  private void take(Node node, Operator.Evaluation evaluation, int given) {
    switch (node.type()) {
      case "Identity", "Dropout" -> {}
      case "RNN", "GRU", "LSTM" -> recurrent(node, (RecurrentNode) evaluation);
      case "Transpose" -> transpose(node);
      case "Squeeze" -> squeeze(node);
      case "Reshape" -> merge(node);
      case "MatMul" -> product(node, given);
      case "Gemm" -> gemm(node, given);
      case "Add" -> bias(node, vector(node, 1 - given));
      case "Gather" -> embedding(node, given);
      case "Conv" -> convolution(node);
      case "LayerNormalization" -> norm(node);
      case "Softmax", "LogSoftmax" -> {
        needFeatures(node);
        if (node.whole("axis", -1) != -1 && node.whole("axis", -1) != axes.size() - 1) {
          throw no(node, "it is not over features");
        }
        boolean isLog = node.type().startsWith("Log");
        add(new Applied(isLog ? Applied.LOG_SOFTMAX : Applied.SOFTMAX));
      }
      default -> {
        Elementwise function = FUNCTIONS.get(node.type());
        if (function == null) {
          throw no(node, "it is no layer");
        }
        function(function);
      }
    }
  }

  private void add(Layer layer) {
    end();
    layers.add(layer);
  }

  /** Ends a product. */
  private void end() {
    if (w != null) {
      layers.add(dense(Elementwise.IDENTITY));
    }
  }

  private Dense dense(Elementwise function) {
    Parameter matrix = Objects.requireNonNull(w);
    int rows = matrix.shape().rows();
    Parameter bias = b != null ? b : Parameter.fixed(Shape.of(rows), (values, random) -> {});
    w = null;
    b = null;
    return new Dense(function, Matrix.dense(matrix), bias);
  }

  private void function(Elementwise function) {
    if (w != null) {
      layers.add(dense(function));
    } else {
      add(new Applied(function));
    }
  }

  private void needFeatures(Node node) {
    if (!axes.getLast().equals(FEATURES)) {
      throw no(node, "its last dimension is not the features");
    }
  }

  private Value.Reals constant(Node node, int input, int rank) {
    if (input < node.inputs().size()
        && binding.constant(node.inputs().get(input)) instanceof Value.Reals found
        && found.dims().rank() == rank) {
      return found;
    }
    throw no(node, "its input %d is no constant of %d dimensions".formatted(input, rank));
  }

  private void overTime(Node node, String axis) {
    if (time != null && !time.equals(axis)) {
      throw no(node, "it takes another dimension for time than a node before");
    }
    time = axis;
  }

  // Layers.

  private void recurrent(Node node, RecurrentNode evaluation) {
    needFeatures(node);
    Layer layer = evaluation.layer(recurs);
    if (axes.size() != 3 || layer == null) {
      throw no(node, "its direction, its initial state, its lengths or its weights are computed");
    }
    overTime(node, axes.get(evaluation.isBatchFirst() ? 1 : 0));
    add(layer);
    axes.add(evaluation.isBatchFirst() ? 2 : 1, evaluation.directions() == 2 ? DIRECTIONS : ONE);
  }

  private void product(Node node, int given) {
    needFeatures(node);
    if (given != 0) {
      throw no(node, "its matrix comes first");
    }
    Value.Reals matrix = constant(node, 1, 2);
    end();
    w = Parameter.of(matrix.dims().shape(), matrix.values());
  }

  private void gemm(Node node, int given) {
    boolean isPlain = node.real("alpha", 1) == 1 && node.real("beta", 1) == 1;
    needFeatures(node);
    if (given != 0 || !isPlain || node.flag("transA", false)) {
      throw no(node, "its alpha, beta or transA is set");
    }
    Value.Reals matrix = constant(node, 1, 2);
    int rows = matrix.dims().size(0);
    int columns = matrix.dims().size(1);
    float[] values = matrix.values();
    if (node.flag("transB", false)) {
      values = new float[rows * columns];
      for (int i = 0; i < values.length; i++) {
        values[i % columns * rows + i / columns] = matrix.values()[i];
      }
    }
    end();
    w =
        Parameter.of(
            node.flag("transB", false) ? Shape.of(rows, columns) : Shape.of(columns, rows), values);
    if (node.hasInput(2)) {
      bias(node, vector(node, 2));
    }
  }

  private float[] vector(Node node, int input) {
    if (binding.constant(node.inputs().get(input)) instanceof Value.Reals found
        && found.dims().rank() > 0
        && found.dims().count() == found.dims().size(found.dims().rank() - 1)) {
      return found.values();
    }
    throw no(node, "its input %d is no constant vector".formatted(input));
  }

  private void bias(Node node, float[] values) {
    if (w == null || b != null || values.length != w.shape().rows()) {
      throw no(node, "it adds to no product of %d rows".formatted(values.length));
    }
    b = Parameter.of(Shape.of(values.length), values);
  }

  private void embedding(Node node, int given) {
    if (given != 1 || node.whole("axis", 0) != 0 || axes.contains(FEATURES)) {
      throw no(node, "it does not take indexes");
    }
    Value.Reals vectors = constant(node, 0, 2);
    add(new Embedding(Parameter.of(vectors.dims().shape(), vectors.values())));
    axes.add(FEATURES);
  }

  private void norm(Node node) {
    needFeatures(node);
    if (node.whole("axis", -1) != -1 && node.whole("axis", -1) != axes.size() - 1) {
      throw no(node, "it is not over features");
    }
    Value.Reals gain = constant(node, 1, 1);
    float[] bias =
        node.hasInput(2) ? constant(node, 2, 1).values() : new float[gain.values().length];
    add(
        new LayerNorm(
            Parameter.of(Shape.of(gain.values().length), gain.values()),
            Parameter.of(Shape.of(bias.length), bias),
            node.real("epsilon", 1e-5f)));
  }

  /** Of {@code [batch, features, time]}. */
  private void convolution(Node node) {
    Value.Reals weight = constant(node, 1, 3);
    int out = weight.dims().size(0);
    int in = weight.dims().size(1);
    int taps = weight.dims().size(2);
    long[] pads = numbers(node, "pads", 0, 0);
    if (axes.size() != 3
        || !axes.get(1).equals(FEATURES)
        || pads[0] != pads[1]
        || !node.text("auto_pad", "NOTSET").equals("NOTSET")) {
      throw no(node, "it is not over [batch, features, time] with equal padding on both sides");
    }
    overTime(node, axes.get(2));
    float[] values = new float[out * in * taps];
    for (int i = 0; i < values.length; i++) { // column k·in + i of row o is weight[o, i, k]
      int k = i % taps;
      int channel = i / taps % in;
      values[(k * in + channel) * out + i / (taps * in)] = weight.values()[i];
    }
    int groups = Math.toIntExact(node.whole("group", 1));
    float[] bias = node.hasInput(2) ? constant(node, 2, 1).values() : new float[out];
    Conv1d layer =
        new Conv1d(
            Math.multiplyExact(in, groups),
            Parameter.of(Shape.of(out, in * taps), values),
            Parameter.of(Shape.of(out), bias),
            groups);
    add(
        layer
            .stride(Math.toIntExact(numbers(node, "strides", 1)[0]))
            .padding(Math.toIntExact(pads[0]))
            .dilation(Math.toIntExact(numbers(node, "dilations", 1)[0])));
  }

  private static long[] numbers(Node node, String attribute, long... other) {
    long[] found = node.wholes(attribute);
    if (found != null && found.length != other.length) {
      throw no(node, "%s has %d numbers".formatted(attribute, found.length));
    }
    return found == null ? other : found;
  }

  // Dimensions.

  private void transpose(Node node) {
    long[] order = node.wholes("perm");
    List<String> before = List.copyOf(axes);
    axes.clear();
    for (int i = 0; i < before.size(); i++) {
      long from = order == null ? before.size() - 1 - i : order[i];
      axes.add(before.get(Math.toIntExact(from)));
    }
  }

  private void squeeze(Node node) {
    long[] squeezed =
        node.hasInput(1) && binding.constant(node.inputs().get(1)) instanceof Value.Integers found
            ? found.values()
            : node.wholes("axes");
    if (squeezed == null) {
      axes.removeIf(ONE::equals);
      return;
    }
    for (long axis : squeezed) {
      int number = Math.toIntExact(axis < 0 ? axis + axes.size() : axis);
      if (number < 0 || number >= axes.size() || !axes.get(number).equals(ONE)) {
        throw no(node, "it takes a dimension away that is not of size 1");
      }
    }
    axes.removeIf(ONE::equals);
  }

  /** The features of both directions as one dimension, or of one without that of directions. */
  private void merge(Node node) {
    int last = axes.size() - 1;
    boolean isPair =
        last > 1
            && axes.get(last).equals(FEATURES)
            && (axes.get(last - 1).equals(DIRECTIONS) || axes.get(last - 1).equals(ONE));
    if (!isPair
        || !(binding.constant(node.inputs().get(1)) instanceof Value.Integers shape)
        || shape.dims().count() != last
        || Arrays.stream(shape.values()).limit(last - 1L).anyMatch(size -> size != 0)) {
      throw no(node, "it is not the features of two directions side by side");
    }
    axes.remove(last - 1);
  }
}

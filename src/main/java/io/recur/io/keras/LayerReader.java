package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.io.layers.Applied;
import io.recur.io.layers.Masked;
import io.recur.io.layers.MaskedZero;
import io.recur.io.layers.Pooled;
import io.recur.io.layers.Repeated;
import io.recur.nn.BatchNorm;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Dropout;
import io.recur.nn.Embedding;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads layer after layer of a line: what each expects, first; the layers, once all tensors fit.
 * Keras's kernels, [in, out] with contiguous rows, have the bytes of Recur's out × in.
 */
final class LayerReader {
  /** What can stand in a TimeDistributed: what treats each step alone. */
  private static final Set<String> OF_A_STEP =
      Set.of(
          "Dense",
          "Activation",
          "ReLU",
          "Softmax",
          "Dropout",
          "LayerNormalization",
          "BatchNormalization");

  private static final double EPSILON = 1e-3;
  private static final double MOMENTUM = 0.99;

  private final Import into;
  private final List<Supplier<List<Layer>>> line = new ArrayList<>();
  private int features;
  private int rank;
  private boolean isMasked;

  /**
   * What a layer gives.
   *
   * @param features the last size, or {@link Import#ANY}
   * @param rank the number of sizes in Keras, the batch included; 0 if it is not known
   * @param isMasked whether a layer has masked steps
   */
  record End(int features, int rank, boolean isMasked) {
    static final End UNKNOWN = new End(Import.ANY, 0, false);
  }

  /** Begins a line whose first layer reads what another one gives. */
  LayerReader(Import into, End begin) {
    this.into = into;
    this.features = begin.features;
    this.rank = begin.rank;
    this.isMasked = begin.isMasked;
  }

  /** Takes the sizes of an input, [batch, time, features] or [batch, features]. */
  void input(Settings settings, @Nullable List<?> sizes) {
    if (sizes == null) {
      return;
    }
    if (sizes.size() < 2 || sizes.size() > 3) {
      throw settings.wrong(
          "input of sizes %s; need [batch, time, features], [batch, features] or, for indexes, [batch, time]"
              .formatted(ConfigJson.shownValue(sizes)));
    }
    rank = sizes.size();
    Object last = sizes.getLast();
    features =
        last instanceof Long size && size > 0 && size <= Integer.MAX_VALUE
            ? size.intValue()
            : Import.ANY;
  }

  /** {@return what the line gives} */
  End end() {
    return new End(features, rank, isMasked);
  }

  /** Adds layers that are made later. */
  void add(End end, Supplier<List<Layer>> made) {
    features = end.features;
    rank = end.rank;
    isMasked = end.isMasked;
    line.add(made);
  }

  /** {@return the layers of the line, whose tensors have been checked} */
  List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    line.forEach(part -> layers.addAll(part.get()));
    return layers;
  }

  /** Adds a layer to the line. */
  void add(Settings settings, LayerTensors tensors) {
    input(settings, settings.inputSizes());
    if (!settings.kind().equals("InputLayer") && !settings.precision().equals("float32")) {
      into.note(settings + " dtype " + settings.precision(), "float32");
    }
    switch (settings.kind()) {
      case "InputLayer" -> {
        for (String key : List.of("sparse", "ragged", "optional")) {
          settings.refuse(key, "need false");
        }
      }
      case "SimpleRNN", "LSTM", "GRU", "RNN" ->
          recurrent(settings, new RecurrentLayers(into).layer(settings, tensors, time(settings)));
      case "Bidirectional" ->
          recurrent(
              settings, new RecurrentLayers(into).bidirectional(settings, tensors, time(settings)));
      case "Dense" -> dense(settings, tensors);
      case "Embedding" -> embedding(settings, tensors);
      case "LayerNormalization" -> layerNorm(settings, tensors);
      case "BatchNormalization" -> batchNorm(settings, tensors);
      case "Conv1D" -> conv1d(settings, tensors);
      case "TimeDistributed" -> timeDistributed(settings, tensors);
      case "Masking" -> {
        settings.only("mask_value");
        float value = (float) settings.number("mask_value", 0);
        line.add(() -> List.of(new Masked(value)));
        isMasked = true;
        into.note(settings, "lengths: give Padded where steps are masked");
      }
      case "Dropout" -> dropout(settings);
      case "Activation" -> {
        settings.only("activation");
        function(settings, "linear");
      }
      case "ReLU" -> relu(settings);
      case "Softmax" -> {
        settings.only("axis");
        checkAxis(settings);
        line.add(() -> List.of(new Applied(Applied.SOFTMAX)));
      }
      case "GlobalAveragePooling1D", "GlobalMaxPooling1D" -> {
        settings.only("data_format", "keepdims");
        settings.refuse("keepdims", "need false");
        time(settings);
        rank = 2;
        isMasked = false;
        line.add(() -> List.of(new Pooled(settings.kind().equals("GlobalMaxPooling1D"))));
      }
      case "RepeatVector" -> {
        settings.only("n");
        int steps = settings.count("n");
        rank = 3;
        line.add(() -> List.of(new Repeated(steps)));
      }
      default ->
          throw settings.wrong(
              """
              this class is not imported; known are SimpleRNN, LSTM, GRU, RNN, Bidirectional, \
              Dense, Embedding, LayerNormalization, BatchNormalization, Conv1D, TimeDistributed, \
              Masking, Dropout, Activation, ReLU, Softmax, GlobalAveragePooling1D, \
              GlobalMaxPooling1D, RepeatVector, and between branches Add, Subtract, Multiply, \
              Average, Maximum, Minimum, Concatenate and Dot""");
    }
  }

  private int time(Settings settings) {
    if (rank == 2) {
      throw settings.wrong("its input has no time; need [batch, time, features]");
    }
    return features;
  }

  private void recurrent(Settings settings, RecurrentLayers.Later<List<Layer>> layer) {
    Settings direction =
        settings.kind().equals("Bidirectional") ? settings.inner("layer") : settings;
    features = layer.out();
    rank = direction.flag("return_sequences", false) ? 3 : 2;
    isMasked &= rank == 3;
    line.add(layer.made());
  }

  /** Adds a function that is no entry of a layer's own. */
  private void function(Settings settings, String otherwise) {
    String name = settings.functionName("activation", otherwise);
    if (Applied.isSoftmax(name)) {
      line.add(() -> List.of(new Applied(name)));
    } else {
      Elementwise function = settings.function("activation", otherwise);
      if (function != Elementwise.IDENTITY) {
        line.add(() -> List.of(new Applied(function)));
      }
    }
  }

  private void dense(Settings settings, LayerTensors tensors) {
    settings.only("units", "activation", "use_bias");
    int units = settings.count("units");
    Import.Slot kernel = tensors.next("kernel", features, units);
    Import.Slot bias = settings.flag("use_bias", true) ? tensors.next("bias", units) : null;
    boolean isColumns = Applied.isSoftmax(settings.functionName("activation", "linear"));
    Elementwise function =
        isColumns ? Elementwise.IDENTITY : settings.function("activation", "linear");
    features = units;
    line.add(
        () ->
            List.of(
                new Dense(
                    function,
                    matrix(units, kernel, settings + " W"),
                    vector(units, bias, settings + " b", 0))));
    if (isColumns) {
      function(settings, "linear");
    }
  }

  private static Matrix matrix(int rows, Import.Slot slot, String to) {
    return Matrix.dense(Parameter.of(Shape.of(rows, slot.size(0)), slot.values(to)));
  }

  private static Parameter vector(
      int length, Import.@Nullable Slot slot, String to, float otherwise) {
    return RecurrentCells.vector(length, slot == null ? null : slot.values(to), otherwise);
  }

  private void embedding(Settings settings, LayerTensors tensors) {
    settings.only("input_dim", "output_dim", "mask_zero", "input_length");
    int classes = settings.count("input_dim");
    int out = settings.count("output_dim");
    Import.Slot vectors = tensors.next("embeddings", classes, out);
    if (settings.flag("mask_zero", false)) {
      isMasked = true;
      line.add(() -> List.of(new MaskedZero()));
      into.note(settings + " mask_zero", "lengths: give Padded where steps are masked");
    }
    features = out;
    rank = 3;
    line.add(
        () ->
            List.of(
                new Embedding(
                    Parameter.of(Shape.of(out, classes), vectors.values(settings + " W")))));
  }

  /** The axis of a normalisation must be that of the features. */
  private void checkAxis(Settings settings) {
    Object axis = settings.value("axis");
    Object only = axis instanceof List<?> list && list.size() == 1 ? list.getFirst() : axis;
    boolean isLast = only == null || only.equals(-1L) || (rank > 0 && only.equals(rank - 1L));
    if (!isLast) {
      throw settings.refused("axis", "need the last one, that of the features");
    }
  }

  private void layerNorm(Settings settings, LayerTensors tensors) {
    settings.only("axis", "epsilon", "center", "scale");
    checkAxis(settings);
    float epsilon = (float) settings.number("epsilon", EPSILON);
    Import.Slot gain = settings.flag("scale", true) ? tensors.next("gamma", features) : null;
    Import.Slot bias = settings.flag("center", true) ? tensors.next("beta", features) : null;
    int in = length(settings, gain, bias);
    line.add(
        () ->
            List.of(
                new LayerNorm(
                    vector(in, gain, settings + " gain", 1),
                    vector(in, bias, settings + " bias", 0),
                    epsilon)));
  }

  /** The features, which the first tensor says where the input does not; 1 where none is known. */
  private int length(Settings settings, Import.@Nullable Slot... slots) {
    for (Import.Slot slot : slots) {
      if (features < 0 && slot != null) {
        features = slot.size(0);
      }
    }
    if (features < 0) {
      into.problem(settings + ": its length is not known; need the size of the input");
    }
    return features;
  }

  private void batchNorm(Settings settings, LayerTensors tensors) {
    settings.only(
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "synchronized",
        "renorm_momentum",
        "fused",
        "virtual_batch_size");
    checkAxis(settings);
    float epsilon = (float) settings.number("epsilon", EPSILON);
    float momentum = (float) (1 - settings.number("momentum", MOMENTUM));
    Import.Slot gain = settings.flag("scale", true) ? tensors.next("gamma", features) : null;
    Import.Slot bias = settings.flag("center", true) ? tensors.next("beta", features) : null;
    Import.Slot mean = tensors.next("moving_mean", features);
    Import.Slot variance = tensors.next("moving_variance", features);
    int in = length(settings, mean);
    line.add(
        () ->
            List.of(
                new BatchNorm(
                    vector(in, gain, settings + " gain", 1),
                    vector(in, bias, settings + " bias", 0),
                    Parameter.fixed(Shape.of(in), mean.values(settings + " mean")),
                    Parameter.fixed(Shape.of(in), variance.values(settings + " variance")),
                    epsilon,
                    momentum)));
  }

  /** Keras's [kernel, in/groups, filters] has the bytes of Recur's out × (in/groups)·kernel. */
  private void conv1d(Settings settings, LayerTensors tensors) {
    settings.only(
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "rank");
    if (isMasked) {
      throw settings.wrong(
          "it reads masked steps, where Keras loses the mask; need no mask before it");
    }
    if (!settings.text("data_format", "channels_last").equals("channels_last")) {
      throw settings.refused("data_format", "need channels_last");
    }
    time(settings);
    int out = settings.count("filters");
    int kernel = settings.single("kernel_size", 1);
    int groups = settings.single("groups", 1);
    int each = features < 0 ? Import.ANY : features / groups;
    Import.Slot w = tensors.next("kernel", kernel, each, out);
    Import.Slot bias = settings.flag("use_bias", true) ? tensors.next("bias", out) : null;
    Window window = Window.of(settings, kernel);
    line.add(
        () -> {
          Shape shape = Shape.of(out, w.size(1) * kernel);
          Conv1d conv =
              new Conv1d(
                  w.size(1) * groups,
                  Parameter.of(shape, w.values(settings + " W")),
                  vector(out, bias, settings + " b", 0),
                  groups);
          return List.of(window.over(conv));
        });
    features = out;
    function(settings, "linear");
  }

  /** A layer of one step runs on every step as it is. */
  private void timeDistributed(Settings settings, LayerTensors tensors) {
    settings.only("layer");
    Settings inner = settings.inner("layer");
    if (!OF_A_STEP.contains(inner.kind())) {
      throw inner.wrong(
          "it is in a TimeDistributed; need one of " + OF_A_STEP.stream().sorted().toList());
    }
    int outer = rank;
    rank = Math.max(0, rank - 1);
    add(inner, tensors.part("layer"));
    rank = outer;
  }

  private void dropout(Settings settings) {
    settings.only("rate", "noise_shape");
    settings.refuse("noise_shape", "need none");
    float rate = (float) settings.number("rate", 0);
    if (!(rate >= 0 && rate < 1)) {
      throw settings.refused("rate", "need 0 ≤ rate < 1");
    }
    line.add(() -> List.of(new Dropout(rate)));
    into.note(settings, "Dropout, which acts in training alone");
  }

  private void relu(Settings settings) {
    settings.only("max_value");
    boolean isWhole = !settings.has("max_value");
    if (!isWhole && settings.number("max_value", 0) != 6) {
      throw settings.refused("max_value", "need none or 6");
    }
    Elementwise function = isWhole ? Elementwise.RELU : Elementwise.RELU6;
    line.add(() -> List.of(new Applied(function)));
  }
}

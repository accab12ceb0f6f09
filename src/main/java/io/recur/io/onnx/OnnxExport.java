package io.recur.io.onnx;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.io.files.WholeFile;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Writes a model as a file of ONNX, which ONNX Runtime and others run: opset 17, IR version 8.
 *
 * <p>x and y are {@code [time, batch, features]}, row-major: the same bytes as features × batch ×
 * time. Batch and time are open. A model that begins with an {@link io.recur.nn.Embedding} takes
 * the numbers of classes, {@code [time, batch]}, as integers of 64 bits.
 *
 * <p>The state of each Recur is an input {@code [batch, rows]} under the name of its parameter
 * {@code state0}, such as {@code 0.h0}, and an output whose name is that with {@code .next} added.
 * If the input is left out, the state is {@code state0}; a state of batch 1 is repeated. A stream
 * feeds the outputs of one run to the next:
 *
 * <pre>{@code
 * Chain model = chain(lstm(10, 15), dense(15, 5)).on(device, 42);
 * OnnxExport.of(model).write(path);                     // x, 0.h0, 0.c0 -> y, 0.h0.next, 0.c0.next
 * OnnxExport.of(model).lengths().last().write(path);    // of each sequence the last valid step
 * }</pre>
 *
 * <p>RNN, LSTM and both GRUs become the operators of that name. Every other cell, a user's own too,
 * becomes a Scan over its step, as far as {@link io.recur.grad.Trace} records it; so does a user's
 * layer that treats each step alone. Dropout is left out, and batch normalisation uses the running
 * values. Weights have the names of {@link io.recur.nn.Parameters#named}.
 *
 * <p>A method that sets something returns another export of the same layers.
 */
public final class OnnxExport {
  /** The version in the pom. */
  static final String VERSION = "0.1.0";

  static final int IR_VERSION = 8;
  static final int OPSET = 17;

  private static final String INPUT = "x";
  private static final String OUTPUT = "y";
  private static final String LENGTHS = "lengths";

  /** What protobuf allows for one message. */
  private static final long MOST_BYTES = Integer.MAX_VALUE;

  private final List<Part> parts;
  private final int features;
  private final boolean isOneHot;
  private final boolean hasLengths;

  /** A layer, or a reduction of all steps to one. */
  private sealed interface Part {}

  private record Of(Layer layer) implements Part {}

  private record Pooled(ExportPool pool) implements Part {}

  private OnnxExport(List<Part> parts, int features, boolean isOneHot, boolean hasLengths) {
    this.parts = parts;
    this.features = features;
    this.isOneHot = isOneHot;
    this.hasLengths = hasLengths;
  }

  /**
   * Begins with a model.
   *
   * @param model a model that is placed on a device when it is written
   * @return an export of it
   */
  public static OnnxExport of(Layer model) {
    return new OnnxExport(List.of(new Of(Objects.requireNonNull(model, "model"))), 0, false, false);
  }

  /**
   * Sets the number of rows of x, for a model whose layers do not give it. A model that begins with
   * a cell without a matrix is one.
   *
   * @param features 1 or more
   * @return another export
   * @throws ShapeException if it is less than 1
   */
  public OnnxExport features(int features) {
    if (features < 1) {
      throw new ShapeException("onnx: features=" + features + "; need 1 or more");
    }
    return new OnnxExport(parts, features, isOneHot, hasLengths);
  }

  /**
   * Makes x hold the numbers of classes, {@code [time, batch]}, in place of one-hot columns, as
   * {@link io.recur.grad.Tape#oneHot} does. A model that begins with an embedding needs no such
   * call.
   *
   * @return another export
   */
  public OnnxExport oneHot() {
    return new OnnxExport(parts, features, true, hasLengths);
  }

  /**
   * Adds an input {@code lengths}, {@code [batch]}, integers of 64 bits: the valid steps of each
   * sequence, as {@link io.recur.grad.Padded} has them. After the end of a sequence x is not read
   * and y is 0. The state of a sequence is that at its end. If the input is left out, all steps are
   * valid.
   *
   * @return another export
   */
  public OnnxExport lengths() {
    return new OnnxExport(parts, features, isOneHot, true);
  }

  /**
   * Adds the last step of each sequence, as {@code padded.last()}: y is {@code [batch, features]}.
   *
   * @return another export
   */
  public OnnxExport last() {
    return with(new Pooled(ExportPool.LAST));
  }

  /**
   * Adds the mean of each sequence, as {@code padded.mean()}: y is {@code [batch, features]}.
   *
   * @return another export
   */
  public OnnxExport mean() {
    return with(new Pooled(ExportPool.MEAN));
  }

  /**
   * Adds the largest values of each sequence, as {@code padded.max()}: y is {@code [batch,
   * features]}.
   *
   * @return another export
   */
  public OnnxExport max() {
    return with(new Pooled(ExportPool.MAX));
  }

  /**
   * Adds a model to the end of this export, such as a head after {@link #last}. The weights have
   * the names that they have in a chain of all these models.
   *
   * @param model a model that is placed on a device when it is written
   * @return another export
   */
  public OnnxExport then(Layer model) {
    return with(new Of(Objects.requireNonNull(model, "model")));
  }

  private OnnxExport with(Part part) {
    List<Part> more = new ArrayList<>(parts);
    more.add(part);
    return new OnnxExport(List.copyOf(more), features, isOneHot, hasLengths);
  }

  /**
   * Writes the file as a whole: a reader sees the old file or the complete new one.
   *
   * @param path the file; a regular file there is replaced
   * @throws IOException if the file cannot be written; an old file is then unchanged
   * @throws IllegalArgumentException if a layer cannot be written, with its name and the remedy, or
   *     if the file would have 2 GB or more; nothing is then written
   * @throws IllegalStateException if a parameter has no memory yet; nothing is then written
   */
  public void write(Path path) throws IOException {
    Objects.requireNonNull(path, "path");
    MessageWriter model = model();
    WholeFile.write(path, model::writeTo);
  }

  private List<Layer> layers() {
    return parts.stream().filter(Of.class::isInstance).map(part -> ((Of) part).layer()).toList();
  }

  /** The model as a message. */
  private MessageWriter model() {
    List<Layer> layers = layers();
    Layer whole = layers.size() == 1 ? layers.getFirst() : new Chain(layers);
    Map<String, Parameter> named = whole.parameters().named();
    long bytes = 0;
    for (Map.Entry<String, Parameter> entry : named.entrySet()) {
      if (!entry.getValue().isPlaced()) {
        throw new IllegalStateException(
            "onnx: parameter %s has no memory; call on(device, seed) before the export"
                .formatted(entry.getKey()));
      }
      bytes += (long) entry.getValue().shape().count() * Float.BYTES;
    }
    checkSize(bytes);
    ExportNames names = new ExportNames();
    List.of(INPUT, OUTPUT, LENGTHS).forEach(names::unique);
    ExportGraph graph = new ExportGraph("Recur", names);
    if (named.isEmpty()) {
      try (Device cpu = Device.cpu()) {
        add(graph, named, layers, new ExportTrace(cpu));
      }
    } else {
      add(graph, named, layers, new ExportTrace(named.values().iterator().next().device()));
    }
    MessageWriter model = model(whole, graph);
    checkSize(model.length());
    return model;
  }

  private static void checkSize(long bytes) {
    if (bytes > MOST_BYTES) {
      throw new IllegalArgumentException(
          "onnx: the model has %d bytes; a file of ONNX holds %d: split the model, or save it with"
                  .formatted(bytes, MOST_BYTES)
              + " Weights");
    }
  }

  private static MessageWriter model(Layer whole, ExportGraph graph) {
    String layers =
        whole.all().stream()
            .filter(layer -> layer.layers().isEmpty())
            .map(layer -> layer.getClass().isHidden() ? "function" : layer.describe())
            .collect(Collectors.joining(", "));
    MessageWriter opset = new MessageWriter().text(1, "").integer(2, OPSET);
    return new MessageWriter()
        .integer(1, IR_VERSION)
        .text(2, "Recur")
        .text(3, VERSION)
        .text(6, "Recur " + VERSION + ": " + layers)
        .message(7, graph.message())
        .message(8, opset);
  }

  // The graph.

  private void add(
      ExportGraph graph, Map<String, Parameter> named, List<Layer> layers, ExportTrace trace) {
    ExportConstants constants = new ExportConstants(graph, named);
    ExportSizes sizes = new ExportSizes(graph, constants, hasLengths ? LENGTHS : null);
    ExportStates states = new ExportStates(graph, constants);
    ExportLayers writer = new ExportLayers(graph, constants, sizes, states, trace);
    ExportLayers.Value y = input(graph, layers.getFirst(), trace);
    if (hasLengths) {
      graph.input(LENGTHS, ExportGraph.INT64, "batch");
      constants.defaultOf(LENGTHS, ExportSizes.WHOLE);
      y = writer.valid(y);
    }
    boolean isOneStep = false;
    for (Part part : parts) {
      switch (part) {
        case Of(Layer layer) -> y = writer.add(layer, y);
        case Pooled(ExportPool pool) -> {
          y = writer.pool(pool, y);
          isOneStep = true;
        }
      }
    }
    output(
        graph,
        writer.result(y, isOneStep),
        y.rows(),
        isOneStep ? "" : y.steps().equals(INPUT) ? "time" : "y_time");
    states.addOutputs();
  }

  private ExportLayers.Value input(ExportGraph graph, Layer first, ExportTrace trace) {
    boolean isIndex = isOneHot || ExportInput.isEmbedded(first);
    int rows = features > 0 ? features : new ExportInput(trace).rows(first);
    if (rows < 1) {
      throw ExportLayers.refused(
          first, "its layers do not say how many rows x has; call features(rows)");
    }
    if (isIndex) {
      graph.input(INPUT, ExportGraph.INT64, "time", "batch");
    } else {
      graph.input(INPUT, ExportGraph.FLOAT, "time", "batch", rows);
    }
    return new ExportLayers.Value(INPUT, rows, isIndex, INPUT);
  }

  private static void output(ExportGraph graph, String y, int rows, String time) {
    graph.rename(y, OUTPUT);
    if (time.isEmpty()) {
      graph.output(OUTPUT, ExportGraph.FLOAT, "batch", rows);
    } else {
      graph.output(OUTPUT, ExportGraph.FLOAT, time, "batch", rows);
    }
  }
}

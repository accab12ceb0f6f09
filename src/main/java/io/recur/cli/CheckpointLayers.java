package io.recur.cli;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.io.StoredTensor;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Layers;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes untrained layers that the tensors of a checkpoint fit, in their order. The name of a tensor
 * begins with the number of its layer among the layers with parameters, as in {@code 0.Wi}. If
 * there is one such layer alone, its tensors have no number: {@code Wi}.
 */
final class CheckpointLayers {
  private final Map<String, StoredTensor> tensors;
  private final boolean isNumbered;
  private int layer = -1;

  CheckpointLayers(Map<String, StoredTensor> tensors) {
    this.tensors = tensors;
    this.isNumbered = tensors.keySet().stream().anyMatch(name -> name.startsWith("0."));
  }

  /**
   * Makes the next layer.
   *
   * @throws IllegalArgumentException if the file has no tensors for it
   */
  Layer next(Part part) {
    return switch (part.kind()) {
      case RNN, LSTM, GRU, GRUV3 -> stack(part);
      case RNN_CELL, LSTM_CELL, GRU_CELL -> recur(part);
      case SOFTMAX, LOG_SOFTMAX, MAP -> ModuleReader.function(part);
      default -> {
        layer++;
        yield stateless(part);
      }
    };
  }

  private Layer stateless(Part part) {
    return switch (part.kind()) {
      case LINEAR -> {
        Matrix w = matrix(part, "W");
        yield new Dense(part.function(), w, bias(part, w.rows()));
      }
      case EMBEDDING -> {
        Matrix w = matrix(part, "W");
        yield new Embedding(w.columns(), w.rows());
      }
      case LAYER_NORM -> {
        int in = size(part, "gain", 0);
        Parameter gain = Parameter.zeros(Shape.of(in));
        yield new LayerNorm(gain, bias(part, in), ModuleReader.epsilon(part));
      }
      case BATCH_NORM ->
          new BatchNorm(
              size(part, "gain", 0), ModuleReader.epsilon(part), ModuleReader.momentum(part));
      default -> conv1d(part);
    };
  }

  private Layer conv1d(Part part) {
    Matrix w = matrix(part, "W");
    int groups = part.whole("groups", 1, 1);
    int kernel = part.whole("kernel", 1, 1);
    if (w.columns() % kernel != 0 || w.rows() % groups != 0) {
      throw wrong(part, "W is %s; need kernel and groups that divide its sizes", w);
    }
    int in = Math.multiplyExact(w.columns() / kernel, groups);
    return ModuleReader.set(new Conv1d(in, w.values(), bias(part, w.rows()), groups), part);
  }

  private Chain stack(Part part) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < part.layers(); i++) {
      Recur forward = recur(part);
      layers.add(part.directions() == 1 ? forward : both(forward, recur(part)));
    }
    return new Chain(layers);
  }

  private static Bidirectional both(Recur forward, Recur backward) {
    return Layers.bidirectional(forward, backward);
  }

  private Recur recur(Part part) {
    layer++;
    Matrix wi = matrix(part, "Wi");
    Matrix wh = matrix(part, "Wh");
    Parameter b = bias(part, wi.rows());
    Parameter bh = has("bh") ? Parameter.zeros(Shape.of(size(part, "bh", 0))) : null;
    Parameter h0 = Parameter.zeros(Shape.of(wh.columns(), 1));
    return new Recur(cell(part, wi, wh, b, bh, h0));
  }

  private Cell cell(
      Part part, Matrix wi, Matrix wh, Parameter b, @Nullable Parameter bh, Parameter h0) {
    return switch (part.kind()) {
      case RNN, RNN_CELL -> new RNNCell(part.function(), wi, wh, b, bh, h0);
      case GRU, GRU_CELL -> new GRUCell(wi, wh, b, bh, h0);
      case GRUV3 -> new GRUv3Cell(wi, wh, matrix(part, "Whc"), b, h0);
      default -> {
        Parameter c0 = Parameter.zeros(Shape.of(size(part, "c0", 0), 1));
        yield has("Wr")
            ? new ProjectedLSTMCell(wi, wh, matrix(part, "Wr"), b, bh, h0, c0)
            : new LSTMCell(wi, wh, b, bh, h0, c0);
      }
    };
  }

  /** Returns a bias of zeros, which is not trained if the module has none. */
  private static Parameter bias(Part part, int length) {
    Shape shape = Shape.of(length);
    return part.hasBiases()
        ? Parameter.zeros(shape)
        : Parameter.fixed(shape, (values, random) -> {});
  }

  private String full(String name) {
    return isNumbered ? layer + "." + name : name;
  }

  private boolean has(String name) {
    return tensors.containsKey(full(name));
  }

  private Matrix matrix(Part part, String name) {
    return Matrix.dense(size(part, name, 0), size(part, name, 1));
  }

  private int size(Part part, String name, int dimension) {
    StoredTensor tensor = tensors.get(full(name));
    long[] dimensions = tensor == null ? new long[0] : tensor.dimensions();
    if (dimension >= dimensions.length
        || dimensions[dimension] < 1
        || dimensions[dimension] > Integer.MAX_VALUE) {
      throw wrong(
          part,
          "it needs %s, which is %s in the file",
          full(name),
          tensor == null ? "nothing" : tensor.toString());
    }
    return (int) dimensions[dimension];
  }

  private static IllegalArgumentException wrong(Part part, String message, Object... facts) {
    return new IllegalArgumentException(
        "layer '%s': %s".formatted(Printable.of(part.toString()), message.formatted(facts)));
  }
}

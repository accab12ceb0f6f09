package io.recur.io;

import io.recur.device.Buffer;
import io.recur.grad.Parameter;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.GRUCell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.StackedCell;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes layers as modules of PyTorch, the way back from {@link StateDict}. A matrix keeps its
 * bits. A bias becomes {@code b_ih = b} and {@code b_hh = 0}, and a GRU's {@code bh} the
 * candidate's part of {@code b_hh}. Biases that are zero and not trained are left out, as the
 * module had none.
 */
final class TorchExport {
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final Function<String, Dtype> types;
  private String module = "";

  /**
   * Begins with no module.
   *
   * @param types the element type of each tensor, by its full name
   */
  TorchExport(Function<String, Dtype> types) {
    this.types = types;
  }

  /** {@return the tensors of all modules that were added} */
  Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /**
   * Adds a module.
   *
   * @param name its name, or empty
   * @param isCell whether a Recur becomes a cell, whose names have no layer
   * @throws IllegalArgumentException if PyTorch has no such module, or if an initial state is not
   *     zero
   */
  void add(String name, Layer layer, boolean isCell) {
    module = name;
    switch (layer) {
      case Chain chain -> stack(chain.layers());
      case Recur recur when isCell -> recur(recur, "");
      case Recur recur -> stack(List.of(recur));
      case Bidirectional both -> stack(List.of(both));
      case Dense dense -> {
        matrix("weight", dense.matrix());
        bias(dense.own().get(1));
      }
      case Embedding embedding -> {
        Parameter w = embedding.own().getFirst();
        put("weight", values(w), w.shape().columns(), w.shape().rows());
      }
      case LayerNorm norm -> affine(norm.own());
      case BatchNorm norm -> {
        affine(norm.own());
        vector("running_mean", norm.own().get(2));
        vector("running_var", norm.own().get(3));
      }
      case Conv1d conv -> {
        Parameter w = conv.own().getFirst();
        int out = w.shape().rows();
        int in = w.shape().columns() / conv.kernel();
        float[] weight = TorchNames.fromTaps(values(w), out, in, conv.kernel());
        put("weight", weight, out, in, conv.kernel());
        bias(conv.own().get(1));
      }
      default -> throw wrong(layer.describe() + " has no module in PyTorch");
    }
  }

  private void stack(List<Layer> layers) {
    Class<?> kind = null;
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      Recur forward = layer instanceof Bidirectional both ? both.forward() : asRecur(layer);
      if (layer.getClass() != layers.getFirst().getClass()
          || (kind != null && kind != forward.cell().getClass())) {
        throw wrong("layers of several kinds are no one module; add each under its own name");
      }
      kind = forward.cell().getClass();
      recur(forward, TorchNames.suffix(false, i, false));
      if (layer instanceof Bidirectional both) {
        if (both.backward().cell().getClass() != kind) {
          throw wrong("two directions of different cells are no module in PyTorch");
        }
        recur(both.backward(), TorchNames.suffix(false, i, true));
      }
    }
  }

  private Recur asRecur(Layer layer) {
    if (layer instanceof Recur recur) {
      return recur;
    }
    throw wrong(
        layer.describe() + " is no layer of a recurrent module; add it under a name of its own");
  }

  private void recur(Recur recur, String suffix) {
    Cell cell = recur.cell();
    boolean isKnown =
        cell instanceof RNNCell || cell instanceof LSTMCell || cell instanceof GRUCell;
    if (!isKnown && !(cell instanceof ProjectedLSTMCell)) {
      throw wrong(recur.describe() + " has no module in PyTorch");
    }
    for (Parameter state : cell.state0()) {
      for (float value : values(state)) {
        if (value != 0) {
          throw wrong(
              "%s of %s is not zero, and PyTorch's modules have no initial state; give it to the"
                  + " module's call there, and write zeros here before the export",
              state.name(), recur.describe());
        }
      }
    }
    List<Matrix> matrices =
        cell instanceof StackedCell stacked
            ? stacked.matrices()
            : ((ProjectedLSTMCell) cell).matrices();
    matrix("weight_ih" + suffix, matrices.get(0));
    matrix("weight_hh" + suffix, matrices.get(1));
    biases(suffix, named(cell, "b"), cell instanceof GRUCell ? named(cell, "bh") : null);
    if (matrices.size() > 2) {
      matrix("weight_hr" + suffix, matrices.get(2));
    }
  }

  private static @Nullable Parameter named(Cell cell, String name) {
    return cell.parameters().stream()
        .filter(parameter -> parameter.name().equals(name))
        .findFirst()
        .orElse(null);
  }

  private void biases(String suffix, Parameter b, @Nullable Parameter bh) {
    if (bh == null && isLeftOut(b, 0)) {
      return;
    }
    float[] fromInput = values(b);
    float[] fromState = new float[fromInput.length];
    if (bh != null) {
      float[] candidate = values(bh);
      int from = fromState.length - candidate.length;
      System.arraycopy(candidate, 0, fromState, from, candidate.length);
    }
    put("bias_ih" + suffix, fromInput, fromInput.length);
    put("bias_hh" + suffix, fromState, fromState.length);
  }

  private void affine(List<Parameter> parts) {
    Parameter gain = parts.get(0);
    if (!isLeftOut(gain, 1) || !isLeftOut(parts.get(1), 0)) {
      vector("weight", gain);
      bias(parts.get(1));
    }
  }

  private void bias(Parameter b) {
    if (!isLeftOut(b, 0)) {
      vector("bias", b);
    }
  }

  /** Whether the module had no such tensor: no training changes the value that stands for it. */
  private boolean isLeftOut(Parameter parameter, float otherwise) {
    if (parameter.isTrainable()) {
      return false;
    }
    for (float value : values(parameter)) {
      if (value != otherwise) {
        return false;
      }
    }
    return true;
  }

  private void matrix(String name, Matrix matrix) {
    if (!matrix.isDense()) {
      throw wrong("%s is %s; PyTorch's matrices are dense", name, matrix);
    }
    int rows = matrix.rows();
    int columns = matrix.columns();
    put(name, TorchNames.transposed(values(matrix.values()), columns, rows), rows, columns);
  }

  private void vector(String name, Parameter parameter) {
    put(name, values(parameter), parameter.shape().count());
  }

  private float[] values(Parameter parameter) {
    if (!parameter.isPlaced()) {
      throw wrong("%s is on no device; call on(device, seed) before", parameter.name());
    }
    Buffer value = parameter.value();
    return value.slice(0, parameter.shape().count()).read();
  }

  private void put(String name, float[] values, long... sizes) {
    String full = module.isEmpty() ? name : module + "." + name;
    StoredTensor tensor = StoredTensor.of(types.apply(full), Header.reversed(sizes), values);
    if (tensors.put(full, tensor) != null) {
      throw wrong("%s is written twice; each module needs a name of its own", full);
    }
  }

  private IllegalArgumentException wrong(String message, Object... facts) {
    return new IllegalArgumentException(
        "torch: export of %s: %s"
            .formatted(Json.shown(module), facts.length == 0 ? message : message.formatted(facts)));
  }
}

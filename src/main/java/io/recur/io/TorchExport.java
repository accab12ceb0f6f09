package io.recur.io;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
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
import io.recur.nn.cells.ProjectedLSTMCell;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes layers as modules of PyTorch, the way back from {@link StateDict}. A matrix keeps its
 * bits. A bias becomes {@code b_ih = b} and {@code b_hh = 0}, a second bias {@code b_hh = bh}, and
 * a GRU's {@code bh} of the candidate alone that part of {@code b_hh}. Biases that are zero and not
 * trained are left out, as the module had none.
 */
final class TorchExport {
  private static final Set<Elementwise> FUNCTIONS = Set.of(Elementwise.TANH, Elementwise.RELU);

  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final Map<String, StoredTensor> originals;
  private String module = "";

  /**
   * Begins with no module.
   *
   * @param originals the tensors that are written again, by their full names: each keeps its
   *     element type, and the values that were not changed keep their bits; others are F32
   */
  TorchExport(Map<String, StoredTensor> originals) {
    this.originals = originals;
  }

  /**
   * Adds modules.
   *
   * @param cells the names of those that are cells
   * @throws IllegalArgumentException if a cell is no Recur among them, and as {@link #add} does
   */
  static TorchExport of(Map<String, ? extends Layer> modules, List<String> cells) {
    TorchExport export = new TorchExport(Map.of());
    for (String name : cells) {
      export.module = name;
      if (!(modules.get(name) instanceof Recur)) {
        throw export.wrong(
            "a cell is a Recur among the modules, this is %s",
            modules.containsKey(name) ? "another layer" : "none of them");
      }
    }
    modules.forEach(
        (name, layer) ->
            export.add(
                Objects.requireNonNull(name, "name"),
                Objects.requireNonNull(layer, "layer"),
                cells.contains(name)));
    return export;
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
      case Recur recur when isCell -> cell(recur);
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

  private void cell(Recur recur) {
    if (recur.cell() instanceof ProjectedLSTMCell) {
      throw wrong(recur.describe() + " has no cell in PyTorch; nn.LSTM has proj_size");
    }
    recur(recur, "");
  }

  private void stack(List<Layer> layers) {
    for (int i = 0; i < layers.size(); i++) {
      List<Recur> directions = directions(layers.get(i));
      for (Recur recur : directions) {
        checkAlike(directions(layers.getFirst()), i, directions.size(), recur);
        recur(recur, TorchNames.suffix(false, i, recur != directions.getFirst()));
      }
    }
  }

  /** The Recurs of a layer, one of each direction. */
  private List<Recur> directions(Layer layer) {
    return switch (layer) {
      case Recur recur -> List.of(recur);
      case Bidirectional both when both.merge() == Bidirectional.Merge.CONCATENATE ->
          List.of(both.forward(), both.backward());
      case Bidirectional both ->
          throw wrong("%s; PyTorch concatenates two directions", both.describe());
      default ->
          throw wrong(
              "%s is no layer of a recurrent module; add it under a name of its own",
              layer.describe());
    };
  }

  /**
   * The layers of a module are of one kind and one size, and take all outputs of the one before.
   */
  private void checkAlike(List<Recur> first, int layer, int directions, Recur recur) {
    List<Matrix> expected = matrices(first.getFirst());
    List<Matrix> found = matrices(recur);
    if (!kind(recur).equals(kind(first.getFirst())) || directions != first.size()) {
      throw wrong("layers of several kinds are no one module; add each under its own name");
    }
    Matrix wh = expected.get(1);
    int in = layer == 0 ? expected.getFirst().columns() : directions * wh.columns();
    if (found.getFirst().columns() != in
        || found.get(1).rows() != wh.rows()
        || found.get(1).columns() != wh.columns()) {
      throw wrong(
          "layer %d is %s after %s; need as many units in each, and an input of %d; add it under its"
              + " own name",
          layer, recur.describe(), first.getFirst().describe(), in);
    }
  }

  /** The kind of a cell, and the function that decides what it answers. */
  private static String kind(Recur recur) {
    Cell cell = recur.cell();
    String kind = cell.getClass().getSimpleName();
    return cell instanceof RNNCell rnn ? kind + " " + rnn.function().label() : kind;
  }

  private List<Matrix> matrices(Recur recur) {
    return switch (recur.cell()) {
      case RNNCell rnn when !FUNCTIONS.contains(rnn.function()) ->
          throw wrong(recur.describe() + "; nn.RNN has tanh or relu");
      case RNNCell rnn -> rnn.matrices();
      case LSTMCell lstm -> lstm.matrices();
      case GRUCell gru -> gru.matrices();
      case ProjectedLSTMCell lstm -> lstm.matrices();
      default -> throw wrong(recur.describe() + " has no module in PyTorch");
    };
  }

  private void recur(Recur recur, String suffix) {
    Cell cell = recur.cell();
    List<Matrix> matrices = matrices(recur);
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
    matrix("weight_ih" + suffix, matrices.get(0));
    matrix("weight_hh" + suffix, matrices.get(1));
    biases(suffix, named(cell, "b"), named(cell, "bh"));
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
    StoredTensor original = originals.get(full);
    StoredTensor tensor =
        original == null
            ? StoredTensor.of(Dtype.F32, Header.reversed(sizes), values)
            : original.with(values);
    if (tensors.put(full, tensor) != null) {
      throw wrong("%s is written twice; each module needs a name of its own", full);
    }
  }

  private IllegalArgumentException wrong(String message, Object... facts) {
    return new IllegalArgumentException(
        "torch: export of %s: %s"
            .formatted(
                PlainJson.shown(module), facts.length == 0 ? message : message.formatted(facts)));
  }
}

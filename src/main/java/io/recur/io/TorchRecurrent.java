package io.recur.io;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Layers;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code nn.RNN}, {@code nn.LSTM}, {@code nn.GRU} and their cells. PyTorch's two biases are
 * added up, {@code b = b_ih + b_hh}, unless both are kept; in a GRU's candidate the second one is
 * multiplied by the reset gate and becomes {@code bh}. An initial state is zero and not trained, as
 * in PyTorch.
 */
final class TorchRecurrent {
  private static final Pattern LAYER = Pattern.compile("\\w+_l(0|[1-9]\\d{0,4})(_reverse)?");

  private final TorchModule module;
  private final TorchNames.Kind kind;
  private final Elementwise function;
  private final boolean isCell;
  private final boolean keepsBiases;

  /**
   * Begins with a module.
   *
   * @param function the function of an RNN
   * @param isCell whether the module is one cell, whose names have no layer
   * @param keepsBiases whether both biases become parameters
   */
  TorchRecurrent(
      TorchModule module,
      TorchNames.Kind kind,
      Elementwise function,
      boolean isCell,
      boolean keepsBiases) {
    this.module = module;
    this.kind = kind;
    this.function = function;
    this.isCell = isCell;
    this.keepsBiases = keepsBiases;
  }

  /** Checks all tensors, then reads the layers in their order. */
  List<Layer> read() throws IOException {
    int layers = isCell ? 1 : layers();
    boolean biased = module.names().stream().anyMatch(name -> name.startsWith("bias_"));
    boolean both =
        !isCell && module.names().stream().anyMatch(name -> name.endsWith(TorchNames.REVERSE));
    for (int layer = 0; layer < layers; layer++) {
      expect(layer, false, both, biased);
      if (both) {
        expect(layer, true, both, biased);
      }
    }
    module.check();
    List<Layer> read = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      Recur forward = recur(layer, false, biased);
      read.add(both ? Layers.bidirectional(forward, recur(layer, true, biased)) : forward);
    }
    return read;
  }

  /** Reads a module that is one cell. */
  Recur readCell() throws IOException {
    return (Recur) read().getFirst();
  }

  private Recur recur(int layer, boolean reverse, boolean biased) throws IOException {
    return new Recur(cell(TorchNames.suffix(isCell, layer, reverse), biased));
  }

  /** The layers that the file has tensors of; at most as many as tensors. */
  private int layers() {
    int layers = 1;
    for (String name : module.names()) {
      Matcher matcher = LAYER.matcher(name);
      if (matcher.matches()) {
        layers = Math.max(layers, 1 + Integer.parseInt(matcher.group(1)));
      }
    }
    return Math.min(layers, Math.max(1, module.names().size()));
  }

  private boolean isProjected() {
    return kind == TorchNames.Kind.LSTM && module.has("weight_hr_l0");
  }

  private void expect(int layer, boolean reverse, boolean both, boolean biased) {
    String suffix = TorchNames.suffix(isCell, layer, reverse);
    long out = module.size("weight_hh" + TorchNames.suffix(isCell, 0, false), 1);
    long units = isProjected() ? module.size("weight_hr_l0", 1) : out;
    long rows = units == TorchModule.ANY ? units : kind.gates * units;
    long below = out == TorchModule.ANY || !both ? out : 2 * out;
    boolean isFirst = layer == 0 && !reverse;
    long in =
        layer == 0 ? module.size("weight_ih" + TorchNames.suffix(isCell, 0, false), 1) : below;
    module.expect("weight_ih" + suffix, rows, isFirst ? TorchModule.ANY : in);
    module.expect("weight_hh" + suffix, rows, out);
    if (biased) {
      module.expect("bias_ih" + suffix, rows);
      module.expect("bias_hh" + suffix, rows);
    }
    if (isProjected()) {
      module.expect("weight_hr" + suffix, out, units);
    }
  }

  private Cell cell(String suffix, boolean biased) throws IOException {
    int rows = (int) module.size("weight_ih" + suffix, 0);
    Matrix wi = Matrix.dense(module.matrix("weight_ih" + suffix, "Wi"));
    Matrix wh = Matrix.dense(module.matrix("weight_hh" + suffix, "Wh"));
    Biases biases = biased ? biases(suffix, rows) : Biases.none(rows);
    Parameter b = biases.b();
    Parameter h0 = state(wh.columns());
    return switch (kind) {
      case RNN -> new RNNCell(function, wi, wh, b, biases.bh(), h0);
      case GRU -> new GRUCell(wi, wh, b, biases.bh(), h0);
      case LSTM -> {
        Parameter c0 = state(rows / kind.gates);
        if (!isProjected()) {
          yield new LSTMCell(wi, wh, b, biases.bh(), h0, c0);
        }
        Matrix wr = Matrix.dense(module.matrix("weight_hr" + suffix, "Wr"));
        yield new ProjectedLSTMCell(wi, wh, wr, b, biases.bh(), h0, c0);
      }
    };
  }

  private static Parameter state(int units) {
    return Parameter.fixed(Shape.of(units, 1), (values, random) -> {});
  }

  /**
   * The biases of a cell.
   *
   * @param b added to the product with x
   * @param bh added to the product with h, or to the candidate's part of it; null for none
   */
  private record Biases(Parameter b, @Nullable Parameter bh) {
    /** A module without biases gets zeros that no training changes. */
    static Biases none(int rows) {
      return new Biases(Parameter.fixed(Shape.of(rows), (values, random) -> {}), null);
    }

    /** Both, or with a part of the second one added to the first. */
    static Biases of(float[] b, float[] bh, int added) {
      for (int i = 0; i < added; i++) {
        b[i] += bh[i];
      }
      Parameter first = Parameter.of(Shape.of(b.length), b);
      if (added == b.length) {
        return new Biases(first, null);
      }
      float[] rest = Arrays.copyOfRange(bh, added, bh.length);
      return new Biases(first, Parameter.of(Shape.of(rest.length), rest));
    }
  }

  private Biases biases(String suffix, int rows) throws IOException {
    boolean isGru = kind == TorchNames.Kind.GRU;
    String second = isGru ? "added up in b, the candidate's is bh" : "added up in b";
    float[] b = module.values("bias_ih" + suffix, keepsBiases ? "b" : "added up in b");
    float[] bh = module.values("bias_hh" + suffix, keepsBiases ? "bh" : second);
    return Biases.of(b, bh, keepsBiases ? 0 : isGru ? rows / kind.gates * 2 : rows);
  }
}

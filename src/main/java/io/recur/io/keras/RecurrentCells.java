package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.io.layers.Activation;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the cells of {@code SimpleRNN}, {@code LSTM} and {@code GRU}.
 *
 * <p>A kernel of Keras is [in, gates·units], rows contiguous: the bytes of Recur's Wi, gates·units
 * × in, columns contiguous. An LSTM's gates are in the same order; a GRU's first two are exchanged.
 * With other functions than the usual ones both are {@link EquationCell}s, whose gates are in
 * ONNX's order: i o f c in place of Keras's i f c o, and z r h as in Keras.
 */
final class RecurrentCells {
  private static final String UNITS = "units";

  /** The settings of a cell. */
  static final Set<String> SETTINGS =
      Set.of(
          UNITS,
          "activation",
          "recurrent_activation",
          "use_bias",
          "unit_forget_bias",
          "dropout",
          "recurrent_dropout",
          "implementation",
          "reset_after");

  private final Import into;

  RecurrentCells(Import into) {
    this.into = into;
  }

  /** Expects the tensors of a cell. */
  RecurrentLayers.Later<Recur> cell(Settings settings, LayerTensors tensors, int in) {
    if (!settings.kind().endsWith("Cell")) {
      RecurrentLayers.checkLayer(settings);
    } else {
      settings.only(SETTINGS);
    }
    for (String rate : List.of("dropout", "recurrent_dropout")) {
      if (settings.number(rate, 0) > 0) {
        into.note(
            "%s %s=%s".formatted(settings, rate, ConfigJson.shownValue(settings.value(rate))),
            "nothing: it acts in training alone");
      }
    }
    return switch (settings.kind()) {
      case "LSTM", "LSTMCell" -> lstm(settings, tensors, in);
      case "GRU", "GRUCell" -> gru(settings, tensors, in);
      case "SimpleRNN", "SimpleRNNCell" -> simple(settings, tensors, in);
      default -> throw settings.wrong("need LSTM, GRU or SimpleRNN, or a cell of theirs");
    };
  }

  /** The columns of a kernel. */
  private static int columns(Settings settings, int gates) {
    long columns = (long) gates * settings.count(UNITS);
    if (columns * settings.count(UNITS) > Integer.MAX_VALUE) {
      throw settings.refused(UNITS, "need matrices of at most 2³¹−1 values");
    }
    return (int) columns;
  }

  private static boolean biased(Settings settings) {
    return settings.flag("use_bias", true);
  }

  private static Matrix matrix(int rows, int columns, float[] values) {
    return Matrix.dense(Parameter.of(Shape.of(rows, columns), values));
  }

  private static Parameter state(int units) {
    return Parameter.fixed(Shape.of(units, 1), (values, random) -> {});
  }

  /** A layer without biases gets zeros that no training changes. */
  static Parameter vector(int length, float @Nullable [] values, float otherwise) {
    return values == null
        ? Parameter.fixed(Shape.of(length), (all, random) -> Arrays.fill(all, otherwise))
        : Parameter.of(Shape.of(length), values);
  }

  private RecurrentLayers.Later<Recur> simple(Settings settings, LayerTensors tensors, int in) {
    int units = columns(settings, 1);
    Elementwise function = settings.function("activation", "tanh");
    Import.Slot kernel = tensors.next("kernel", in, units);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, units);
    Import.Slot bias = biased(settings) ? tensors.next("bias", units) : null;
    return new RecurrentLayers.Later<>(
        units,
        () ->
            new Recur(
                new RNNCell(
                    function,
                    matrix(units, kernel.size(0), kernel.values(settings + " Wi")),
                    matrix(units, units, recurrent.values(settings + " Wh")),
                    vector(units, bias == null ? null : bias.values(settings + " b"), 0),
                    state(units))));
  }

  /** The functions of gates and of what they let through. */
  private record Functions(Elementwise gates, Elementwise activation) {
    static Functions of(Settings settings) {
      return new Functions(
          settings.function("recurrent_activation", "sigmoid"),
          settings.function("activation", "tanh"));
    }

    boolean areUsual() {
      return gates == Elementwise.SIGMOID && activation == Elementwise.TANH;
    }

    EquationCell.Rule rule(RecurrentKind kind, int units, boolean isResetAfter) {
      Activation inner = new Activation.Entry(activation);
      List<Activation> all = new ArrayList<>(List.of(new Activation.Entry(gates), inner));
      if (kind == RecurrentKind.LSTM) {
        all.add(inner);
      }
      return new EquationCell.Rule(
          kind, units, List.copyOf(all), Float.POSITIVE_INFINITY, false, isResetAfter);
    }
  }

  private RecurrentLayers.Later<Recur> lstm(Settings settings, LayerTensors tensors, int in) {
    int rows = columns(settings, 4);
    int units = rows / 4;
    Functions functions = Functions.of(settings);
    Import.Slot kernel = tensors.next("kernel", in, rows);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, rows);
    Import.Slot bias = biased(settings) ? tensors.next("bias", rows) : null;
    int[] order = functions.areUsual() ? new int[] {0, 1, 2, 3} : new int[] {0, 3, 1, 2};
    Supplier<Recur> made =
        () -> {
          float[] fromInput = ordered(kernel.values(settings + " Wi"), units, order);
          float[] fromState = ordered(recurrent.values(settings + " Wh"), units, order);
          float[] biases =
              bias == null ? null : ordered(bias.values(settings + " b"), units, order);
          Matrix wi = matrix(rows, kernel.size(0), fromInput);
          Matrix wh = matrix(rows, units, fromState);
          Parameter b = vector(rows, biases, 0);
          List<Parameter> state0 = List.of(state(units), state(units));
          return new Recur(
              functions.areUsual()
                  ? new LSTMCell(wi, wh, b, state0.getFirst(), state0.getLast())
                  : new EquationCell(
                      functions.rule(RecurrentKind.LSTM, units, false),
                      new EquationCell.Weights(wi.values(), wh.values(), null, b, null, List.of()),
                      state0));
        };
    return new RecurrentLayers.Later<>(units, made);
  }

  private RecurrentLayers.Later<Recur> gru(Settings settings, LayerTensors tensors, int in) {
    int rows = columns(settings, 3);
    int units = rows / 3;
    boolean after = settings.flag("reset_after", true);
    Functions functions = Functions.of(settings);
    Import.Slot kernel = tensors.next("kernel", in, rows);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, rows);
    Import.Slot bias =
        !biased(settings)
            ? null
            : after ? tensors.next("bias", 2, rows) : tensors.next("bias", rows);
    int[] order = functions.areUsual() ? new int[] {1, 0, 2} : new int[] {0, 1, 2};
    String how = functions.areUsual() ? ", update and reset exchanged" : "";
    Supplier<Recur> made =
        () -> {
          float[] fromInput = ordered(kernel.values(settings + " Wi" + how), units, order);
          String to = after ? " Wh" : " Wh and Whc";
          float[] fromState = ordered(recurrent.values(settings + to + how), units, order);
          String sum = after ? " b and bh, two biases added up" : " b";
          float[] biases =
              bias == null ? null : ordered(bias.values(settings + sum + how), units, order);
          Matrix wi = matrix(rows, kernel.size(0), fromInput);
          GruParts parts =
              after
                  ? GruParts.resetAfter(wi, fromState, biases, units)
                  : GruParts.resetBefore(wi, fromState, biases, units);
          return new Recur(parts.cell(functions));
        };
    return new RecurrentLayers.Later<>(units, made);
  }

  /** The parts of a GRU; one that resets before its product has a matrix for the candidate. */
  private record GruParts(
      Matrix wi, Matrix wh, @Nullable Matrix candidate, Parameter b, @Nullable Parameter bh) {
    /** The reset gate multiplies the product, which has a bias of its own. */
    static GruParts resetAfter(Matrix wi, float[] wh, float @Nullable [] biases, int units) {
      int rows = 3 * units;
      float[] sum = biases == null ? null : Arrays.copyOf(biases, rows);
      for (int i = 0; sum != null && i < 2 * units; i++) {
        sum[i] += biases[rows + i];
      }
      Parameter bh =
          biases == null
              ? null
              : Parameter.of(
                  Shape.of(units), Arrays.copyOfRange(biases, rows + 2 * units, 2 * rows));
      return new GruParts(wi, matrix(rows, units, wh), null, vector(rows, sum, 0), bh);
    }

    /** The reset gate multiplies the state. */
    static GruParts resetBefore(Matrix wi, float[] wh, float @Nullable [] biases, int units) {
      float[] gates = new float[2 * units * units];
      float[] candidate = new float[units * units];
      for (int j = 0; j < units; j++) {
        System.arraycopy(wh, 3 * units * j, gates, 2 * units * j, 2 * units);
        System.arraycopy(wh, 3 * units * j + 2 * units, candidate, units * j, units);
      }
      return new GruParts(
          wi,
          matrix(2 * units, units, gates),
          matrix(units, units, candidate),
          vector(3 * units, biases, 0),
          null);
    }

    Cell cell(Functions functions) {
      Parameter state0 = state(wh.columns());
      if (!functions.areUsual()) {
        return new EquationCell(
            functions.rule(RecurrentKind.GRU, wh.columns(), candidate == null),
            new EquationCell.Weights(
                wi.values(),
                wh.values(),
                candidate == null ? null : candidate.values(),
                b,
                bh,
                List.of()),
            List.of(state0));
      }
      return candidate == null
          ? new GRUCell(wi, wh, b, bh, state0)
          : new GRUv3Cell(wi, wh, candidate, b, state0);
    }
  }

  /** The gates of each column in another order. */
  private static float[] ordered(float[] values, int units, int... order) {
    float[] ordered = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int block = i / units;
      int from = block - block % order.length + order[block % order.length];
      ordered[i] = values[from * units + i % units];
    }
    return ordered;
  }
}

package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.StackedCell;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code SimpleRNN}, {@code LSTM}, {@code GRU}, {@code RNN} over their cells, and {@code
 * Bidirectional}.
 *
 * <p>A kernel of Keras is [in, gates·units], rows contiguous: the bytes of Recur's Wi, gates·units
 * × in, columns contiguous. An LSTM's gates are in the same order; a GRU's first two are exchanged.
 */
final class RecurrentLayers {
  private static final String UNITS = "units";
  private static final String BACKWARDS = "go_backwards";
  private static final String SEQUENCES = "return_sequences";
  private static final String STATEFUL = "stateful";

  private static final Set<String> OF_CELL =
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

  private static final Set<String> OF_LAYER =
      Set.of(SEQUENCES, BACKWARDS, STATEFUL, "unroll", "zero_output_for_mask", "cell");

  private final Import into;

  RecurrentLayers(Import into) {
    this.into = into;
  }

  /** Layers that are read later, and the length of what they give. */
  record Later<T>(int out, Supplier<T> made) {}

  /**
   * Expects the tensors of a layer of one direction.
   *
   * @param in length of x, or {@link Import#ANY}
   */
  Later<List<Layer>> layer(Settings settings, LayerTensors tensors, int in) {
    checkLayer(settings);
    List<Later<Recur>> cells = cells(settings, tensors, in);
    Runnable states = states(settings, tensors);
    boolean backwards = settings.flag(BACKWARDS, false);
    boolean sequences = settings.flag(SEQUENCES, false);
    boolean stateful = settings.flag(STATEFUL, false);
    Supplier<List<Layer>> made =
        () -> {
          states.run();
          List<Layer> line = new ArrayList<>();
          cells.forEach(cell -> line.add(cell.made().get()));
          if (backwards) {
            Layer inner = line.size() == 1 ? line.getFirst() : new Chain(line);
            line.clear();
            line.add(new Backwards(inner, stateful));
          }
          if (!sequences) {
            line.add(new LastStep());
          }
          return line;
        };
    return new Later<>(cells.getLast().out(), made);
  }

  private static void checkLayer(Settings settings) {
    Set<String> known = new HashSet<>(OF_CELL);
    known.addAll(OF_LAYER);
    settings.refuse(
        "return_state", "need false: states are no outputs here, Recur.state() shows them");
    settings.only(known);
  }

  /** Expects the tensors of a layer of two directions. */
  Later<List<Layer>> bidirectional(Settings settings, LayerTensors tensors, int in) {
    settings.only("layer", "backward_layer", "merge_mode");
    Settings there = settings.inner("layer");
    Settings back = settings.has("backward_layer") ? settings.inner("backward_layer") : there;
    Later<Recur> forward = direction(there, tensors.part("forward_layer"), in);
    Later<Recur> backward = direction(back, tensors.part("backward_layer"), in);
    boolean sequences = there.flag(SEQUENCES, false);
    if (there.flag(BACKWARDS, false) || (back != there && !back.flag(BACKWARDS, false))) {
      throw settings.wrong("need go_backwards=false in its layer and true in its backward_layer");
    }
    if (back.flag(SEQUENCES, false) != sequences) {
      throw settings.wrong("need one return_sequences in both directions");
    }
    Bidirectional.Merge merge = merge(settings);
    boolean joins = merge == Bidirectional.Merge.CONCATENATE;
    if (!joins && forward.out() != backward.out()) {
      throw settings.wrong("need as many units in both directions");
    }
    Supplier<List<Layer>> made =
        () -> {
          Recur first = forward.made().get();
          Recur second = backward.made().get();
          return sequences
              ? List.of(new Bidirectional(first, second, merge))
              : List.of(
                  new Bidirectional(first, second, Bidirectional.Merge.CONCATENATE),
                  new BothEnds(forward.out(), merge));
        };
    return new Later<>(joins ? forward.out() + backward.out() : forward.out(), made);
  }

  private static Bidirectional.Merge merge(Settings settings) {
    return switch (settings.isNull("merge_mode") ? "null" : settings.text("merge_mode", "concat")) {
      case "concat" -> Bidirectional.Merge.CONCATENATE;
      case "sum" -> Bidirectional.Merge.SUM;
      case "ave" -> Bidirectional.Merge.MEAN;
      default -> throw settings.refused("merge_mode", "need concat, sum or ave");
    };
  }

  private Later<Recur> direction(Settings settings, LayerTensors tensors, int in) {
    checkLayer(settings);
    settings.refuse(STATEFUL, "need false in a Bidirectional: its backward state has no next call");
    List<Later<Recur>> cells = cells(settings, tensors, in);
    if (cells.size() > 1) {
      throw settings.wrong("a stack of cells in a Bidirectional; need one cell");
    }
    return cells.getFirst();
  }

  /** The cell of a layer, or the cells of a stack. */
  private List<Later<Recur>> cells(Settings settings, LayerTensors tensors, int in) {
    LayerTensors inside = tensors.part("cell");
    if (!settings.kind().equals("RNN")) {
      return List.of(cell(settings, inside, in));
    }
    Settings cell = settings.inner("cell");
    if (!cell.kind().equals("StackedRNNCells")) {
      return List.of(cell(cell, inside, in));
    }
    cell.only("cells");
    List<Later<Recur>> stack = new ArrayList<>();
    Map<String, Integer> used = new HashMap<>();
    for (Settings one : cell.all("cells")) {
      int below = stack.isEmpty() ? in : stack.getLast().out();
      stack.add(cell(one, inside.part("cells").part(unique(one.group(), used)), below));
    }
    if (stack.isEmpty()) {
      throw cell.wrong("it has no cells; need one or more");
    }
    return stack;
  }

  /** {@return the name of a group, with a number where it is not the first one of its kind} */
  static String unique(String name, Map<String, Integer> used) {
    int number = used.merge(name, 1, Integer::sum) - 1;
    return number == 0 ? name : name + "_" + number;
  }

  /** States that a file keeps must be those that a Recur begins with. */
  private Runnable states(Settings settings, LayerTensors tensors) {
    List<Import.Slot> kept = new ArrayList<>();
    while (settings.flag(STATEFUL, false) && tensors.hasNext()) {
      kept.add(tensors.next("rnn_state", Import.ANY, Import.ANY));
    }
    if (settings.flag(STATEFUL, false)) {
      into.note(settings + " stateful", "Recur keeps its state until reset()");
    }
    return () -> {
      for (Import.Slot slot : kept) {
        for (float value : slot.values("nothing: a state of zeros")) {
          if (value != 0) {
            throw settings.wrong("the file has a state that is not 0; save after reset_states()");
          }
        }
      }
    };
  }

  /** Expects the tensors of a cell. */
  private Later<Recur> cell(Settings settings, LayerTensors tensors, int in) {
    if (!settings.kind().endsWith("Cell")) {
      checkLayer(settings);
    } else {
      settings.only(OF_CELL);
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

  private Later<Recur> simple(Settings settings, LayerTensors tensors, int in) {
    int units = columns(settings, 1);
    Elementwise function = settings.function("activation", "tanh");
    Import.Slot kernel = tensors.next("kernel", in, units);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, units);
    Import.Slot bias = biased(settings) ? tensors.next("bias", units) : null;
    return new Later<>(
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

  private Later<Recur> lstm(Settings settings, LayerTensors tensors, int in) {
    int rows = columns(settings, 4);
    int units = rows / 4;
    Elementwise activation = settings.function("activation", "tanh");
    Elementwise gates = settings.function("recurrent_activation", "sigmoid");
    Import.Slot kernel = tensors.next("kernel", in, rows);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, rows);
    Import.Slot bias = biased(settings) ? tensors.next("bias", rows) : null;
    Supplier<Recur> made =
        () -> {
          Matrix wi = matrix(rows, kernel.size(0), kernel.values(settings + " Wi"));
          Matrix wh = matrix(rows, units, recurrent.values(settings + " Wh"));
          Parameter b = vector(rows, bias == null ? null : bias.values(settings + " b"), 0);
          LSTMCell plain = new LSTMCell(wi, wh, b, state(units), state(units));
          boolean isPlain = activation == Elementwise.TANH && gates == Elementwise.SIGMOID;
          Cell cell = isPlain ? plain : new GatedCell(plain, b, null, null, activation, gates);
          return new Recur(cell);
        };
    return new Later<>(units, made);
  }

  private Later<Recur> gru(Settings settings, LayerTensors tensors, int in) {
    int rows = columns(settings, 3);
    int units = rows / 3;
    boolean after = settings.flag("reset_after", true);
    Elementwise activation = settings.function("activation", "tanh");
    Elementwise gates = settings.function("recurrent_activation", "sigmoid");
    Import.Slot kernel = tensors.next("kernel", in, rows);
    Import.Slot recurrent = tensors.next("recurrent_kernel", units, rows);
    Import.Slot bias =
        !biased(settings)
            ? null
            : after ? tensors.next("bias", 2, rows) : tensors.next("bias", rows);
    Supplier<Recur> made =
        () -> {
          String order = ", update and reset exchanged";
          float[] fromInput = exchanged(kernel.values(settings + " Wi" + order), units);
          String to = after ? " Wh" : " Wh and Whc";
          float[] fromState = exchanged(recurrent.values(settings + to + order), units);
          String sum = after ? " b and bh, two biases added up" : " b";
          float[] biases =
              bias == null ? null : exchanged(bias.values(settings + sum + order), units);
          Matrix wi = matrix(rows, kernel.size(0), fromInput);
          GruParts parts =
              after
                  ? GruParts.resetAfter(wi, fromState, biases, units)
                  : GruParts.resetBefore(wi, fromState, biases, units);
          return new Recur(parts.cell(activation, gates));
        };
    return new Later<>(units, made);
  }

  /** The parts of a GRU. */
  private record GruParts(
      StackedCell plain, Parameter b, @Nullable Parameter bh, @Nullable Matrix whCandidate) {
    /** The reset gate multiplies the product, which has a bias of its own. */
    static GruParts resetAfter(Matrix wi, float[] wh, float @Nullable [] biases, int units) {
      int rows = 3 * units;
      float[] sum = biases == null ? null : Arrays.copyOf(biases, rows);
      for (int i = 0; sum != null && i < 2 * units; i++) {
        sum[i] += biases[rows + i];
      }
      Parameter b = vector(rows, sum, 0);
      Parameter bh =
          biases == null
              ? null
              : Parameter.of(
                  Shape.of(units), Arrays.copyOfRange(biases, rows + 2 * units, 2 * rows));
      GRUCell plain = new GRUCell(wi, matrix(rows, units, wh), b, bh, state(units));
      return new GruParts(plain, b, bh, null);
    }

    /** The reset gate multiplies the state. */
    static GruParts resetBefore(Matrix wi, float[] wh, float @Nullable [] biases, int units) {
      float[] gates = new float[2 * units * units];
      float[] candidate = new float[units * units];
      for (int j = 0; j < units; j++) {
        System.arraycopy(wh, 3 * units * j, gates, 2 * units * j, 2 * units);
        System.arraycopy(wh, 3 * units * j + 2 * units, candidate, units * j, units);
      }
      Parameter b = vector(3 * units, biases, 0);
      Matrix whCandidate = matrix(units, units, candidate);
      GRUv3Cell plain =
          new GRUv3Cell(wi, matrix(2 * units, units, gates), whCandidate, b, state(units));
      return new GruParts(plain, b, null, whCandidate);
    }

    Cell cell(Elementwise activation, Elementwise gates) {
      boolean isPlain = activation == Elementwise.TANH && gates == Elementwise.SIGMOID;
      return isPlain ? plain : new GatedCell(plain, b, bh, whCandidate, activation, gates);
    }
  }

  /** Keras's order update, reset, candidate as reset, update, candidate, in place. */
  private static float[] exchanged(float[] values, int units) {
    for (int row = 0; row < values.length; row += 3 * units) {
      for (int i = row; i < row + units; i++) {
        float update = values[i];
        values[i] = values[i + units];
        values[i + units] = update;
      }
    }
    return values;
  }
}

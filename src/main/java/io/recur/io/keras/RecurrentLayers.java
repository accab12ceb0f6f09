package io.recur.io.keras;

import io.recur.io.layers.Backwards;
import io.recur.io.layers.BothEnds;
import io.recur.io.layers.LastStep;
import io.recur.nn.Bidirectional;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Reads {@code SimpleRNN}, {@code LSTM}, {@code GRU}, {@code RNN} over their cells, and {@code
 * Bidirectional}.
 */
final class RecurrentLayers {
  private static final String BACKWARDS = "go_backwards";
  private static final String SEQUENCES = "return_sequences";
  private static final String STATEFUL = "stateful";

  private static final Set<String> OF_LAYER =
      Set.of(
          SEQUENCES, BACKWARDS, STATEFUL, "unroll", "zero_output_for_mask", "cell", "return_state");

  private final Import into;
  private final RecurrentCells reader;

  RecurrentLayers(Import into) {
    this.into = into;
    this.reader = new RecurrentCells(into);
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

  static void checkLayer(Settings settings) {
    Set<String> known = new HashSet<>(RecurrentCells.SETTINGS);
    known.addAll(OF_LAYER);
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
      return List.of(reader.cell(settings, inside, in));
    }
    Settings cell = settings.inner("cell");
    if (!cell.kind().equals("StackedRNNCells")) {
      return List.of(reader.cell(cell, inside, in));
    }
    cell.only("cells");
    List<Later<Recur>> stack = new ArrayList<>();
    Map<String, Integer> used = new HashMap<>();
    for (Settings one : cell.all("cells")) {
      int below = stack.isEmpty() ? in : stack.getLast().out();
      stack.add(reader.cell(one, inside.part("cells").part(unique(one.group(), used)), below));
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
}

package io.recur.io;

import static io.recur.io.StructureLayers.LAYERS;

import io.recur.grad.Parameter;
import io.recur.io.json.Json;
import io.recur.io.layers.LastStep;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Cell;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a model is built of, as text from which the same layers are built again: a tree in JSON with
 * the kind, the sizes and the settings of each. Values of parameters are no part of it.
 *
 * <p>A Recur is described by its cell. A layer that stands in a model twice is described once; the
 * second place has its number. A parameter that another layer has too is named by the number of
 * that layer.
 */
final class Structure {
  private static final String SAME = "same";

  /** The longest description: a header of safetensors has 100 MB at most. */
  private static final int LONGEST = 50_000_000;

  /** Stands where a layer is being built. */
  private static final Layer NONE = new LastStep();

  static final List<Kind<? extends Cell>> CELLS =
      Stream.of(StructureCells.CELLS, CatalogueCells.CELLS)
          .<Kind<? extends Cell>>flatMap(List::stream)
          .toList();

  /**
   * A kind of layers or cells.
   *
   * @param name in a file
   * @param type its class
   * @param describe puts the settings of a layer
   * @param build makes a layer of such settings
   */
  record Kind<T>(
      String name, Class<T> type, BiConsumer<T, Described> describe, Function<Described, T> build) {
    private Described described(Described to, Object layer) {
      describe.accept(type.cast(layer), to);
      return to;
    }
  }

  /** Where a parameter was described first: the number of its layer, and its name there. */
  private record First(int layer, String name) {}

  private final List<Layer> layers = new ArrayList<>();
  private final Map<Parameter, First> described = new IdentityHashMap<>();

  /** For each layer that was built, its parameters and matrices by name. */
  private final List<Map<String, Object>> built = new ArrayList<>();

  /** The values of all parameters of the file. */
  private final long most;

  private Structure(long most) {
    this.most = most;
  }

  long most() {
    return most;
  }

  private static <T> @Nullable Kind<? extends T> kind(List<Kind<? extends T>> kinds, T object) {
    return kinds.stream().filter(kind -> kind.type().isInstance(object)).findFirst().orElse(null);
  }

  // What can be described.

  /**
   * {@return the layers of a model that have no description, as the model prints them; none where
   * {@link #of} describes it}
   */
  static List<String> unknown(Layer model) {
    List<String> unknown = new ArrayList<>();
    findUnknown(model, unknown);
    return unknown.isEmpty() ? lost(model) : unknown;
  }

  private static void findUnknown(Layer layer, List<String> unknown) {
    if (!isKnown(layer)) {
      if (!unknown.contains(layer.describe())) {
        unknown.add(layer.describe());
      }
    } else if (!(layer instanceof OnnxModel)) {
      layer.layers().forEach(inner -> findUnknown(inner, unknown));
    }
  }

  private static boolean isKnown(Layer layer) {
    return layer instanceof Recur recur
        ? isKnown(recur.cell()) && recur.own().containsAll(recur.cell().state0())
        : kind(LAYERS, layer) != null;
  }

  private static boolean isKnown(Cell cell) {
    return switch (cell) {
      case Zoneout zoneout -> isKnown(zoneout.cell());
      case WeightDrop drop -> isKnown(drop.cell());
      case RecurrentDropout dropout -> isKnown(dropout.cell());
      default -> kind(CELLS, cell) != null;
    };
  }

  /**
   * The layers that share a parameter in a way that would be lost, such as under two names; none
   * where the same model is built again.
   */
  private static List<String> lost(Layer model) {
    if (isBuiltAgain(model)) {
      return List.of();
    }
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<String> sharing =
        model.all().stream()
            .filter(layer -> !layer.own().stream().allMatch(seen::add))
            .map(Layer::describe)
            .toList();
    return sharing.isEmpty() ? List.of(model.describe()) : sharing;
  }

  private static boolean isBuiltAgain(Layer model) {
    try {
      String text = of(model);
      return text.length() <= LONGEST && lines(model).equals(lines(model(text, Long.MAX_VALUE)));
    } catch (IllegalArgumentException | ArithmeticException e) {
      return false;
    }
  }

  /** A line for each layer, and one for each parameter of a model. */
  private static List<String> lines(Layer model) {
    List<String> lines = new ArrayList<>(model.all().stream().map(Layer::describe).toList());
    model
        .parameters()
        .named()
        .forEach((name, its) -> lines.add(name + " " + its.shape() + " " + its.isTrainable()));
    return lines;
  }

  // Written.

  /** {@return the description of a model all of whose layers are known} */
  static String of(Layer model) {
    return text(new Structure(Long.MAX_VALUE).described(model));
  }

  /** Describes a layer, or names its number where it was described before. */
  Map<String, Object> described(Layer layer) {
    for (int i = 0; i < layers.size(); i++) {
      if (layers.get(i) == layer) {
        return Map.of(SAME, (long) i);
      }
    }
    int number = layers.size();
    layers.add(layer);
    if (layer instanceof Recur recur) {
      return described(recur.cell(), number);
    }
    Kind<? extends Layer> kind = kind(LAYERS, layer);
    if (kind == null) {
      throw new IllegalArgumentException(layer.describe() + ": it has no description");
    }
    return kind.described(Described.of(this, number, kind.name(), layer.own()), layer).values();
  }

  /** Describes a cell of the layer of a number. */
  Map<String, Object> described(Cell cell, int number) {
    Kind<? extends Cell> kind = kind(CELLS, cell);
    if (kind == null) {
      throw new IllegalArgumentException(cell + ": it has no description");
    }
    return kind.described(Described.of(this, number, kind.name(), cell.parameters()), cell)
        .values();
  }

  /** Where a parameter was described before, or null: then it is described in this layer. */
  @Nullable Map<String, Object> before(Parameter parameter, int layer) {
    First first = described.putIfAbsent(parameter, new First(layer, parameter.name()));
    if (first == null) {
      return null;
    }
    Map<String, Object> reference = new LinkedHashMap<>();
    reference.put(Described.OF, (long) first.layer());
    reference.put(Described.NAME, first.name());
    return reference;
  }

  private static String text(Object value) {
    return switch (value) {
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> Json.quoted((String) entry.getKey()) + ":" + text(entry.getValue()))
              .collect(Collectors.joining(",", "{", "}"));
      case List<?> list ->
          list.stream().map(Structure::text).collect(Collectors.joining(",", "[", "]"));
      case String text -> Json.quoted(text);
      default -> value.toString();
    };
  }

  // Read.

  /**
   * Builds a model, untrained and on no device.
   *
   * @param most the values of all parameters of the file, which bounds the memory
   * @throws IllegalArgumentException if the text is no description; the message says what is wrong
   */
  static Layer model(String text, long most) {
    return new Structure(most).built(PlainJson.read(text, PlainJson.MOST_LEVELS));
  }

  /** Builds a layer. */
  Layer built(Object value) {
    int place = layers.size();
    Described from = Described.of(this, place, value);
    if (from.has(SAME)) {
      int number = from.whole(SAME);
      if (number >= layers.size() || layers.get(number) == NONE) {
        throw from.wrong(SAME, "the number of a layer before this one");
      }
      return layers.get(number);
    }
    layers.add(NONE);
    for (Kind<? extends Layer> kind : LAYERS) {
      if (kind.name().equals(from.kind())) {
        layers.set(place, kind.build().apply(from));
        return layers.get(place);
      }
    }
    layers.set(place, new Recur(cell(from)));
    return layers.get(place);
  }

  /** Builds a cell. */
  static Cell cell(Described from) {
    return CELLS.stream()
        .filter(kind -> kind.name().equals(from.kind()))
        .findFirst()
        .orElseThrow(() -> from.wrong("layer", "a kind that this version knows"))
        .build()
        .apply(from);
  }

  /** Keeps a parameter or a matrix that was built for a layer, for others that share it. */
  void keep(int layer, String name, Object made) {
    while (built.size() <= layer) {
      built.add(new HashMap<>());
    }
    built.get(layer).put(name, made);
  }

  /** The parameter or matrix of a layer before; null if there is none. */
  @Nullable Object kept(int layer, String name) {
    return layer < built.size() ? built.get(layer).get(name) : null;
  }
}

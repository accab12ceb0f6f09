package io.recur.io;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Structure} says of one layer: its kind, its settings, and which of its parameters
 * no training changes. It is filled from a layer, or read from a file.
 */
final class Described {
  private static final String KIND = "layer";
  private static final String FIXED = "fixed";

  private final Structure structure;
  private final Map<String, Object> values;

  private Described(Structure structure, Map<String, Object> values) {
    this.structure = structure;
    this.values = values;
  }

  /** Begins with a layer's kind and its parameters. */
  static Described of(Structure structure, String kind, List<Parameter> parameters) {
    Described made = new Described(structure, new LinkedHashMap<>());
    made.put(KIND, kind);
    List<Object> fixed =
        parameters.stream()
            .filter(parameter -> !parameter.isTrainable())
            .<Object>map(Parameter::name)
            .toList();
    if (!fixed.isEmpty()) {
      made.values.put(FIXED, fixed);
    }
    return made;
  }

  /** The same of a file. */
  static Described of(Structure structure, Object value) {
    return new Described(structure, PlainJson.object("a layer", value));
  }

  String kind() {
    return text(KIND);
  }

  Map<String, Object> values() {
    return values;
  }

  // Written.

  Described put(String name, String text) {
    values.put(name, text);
    return this;
  }

  Described put(String name, long number) {
    values.put(name, number);
    return this;
  }

  Described put(String name, float number) {
    return put(name, Float.toString(number));
  }

  Described put(String name, boolean flag) {
    return put(name, Boolean.toString(flag));
  }

  Described put(String name, Elementwise function) {
    return put(name, function.label());
  }

  Described put(String name, Layer layer) {
    values.put(name, structure.described(layer));
    return this;
  }

  Described put(String name, List<Layer> layers) {
    values.put(name, layers.stream().map(structure::described).toList());
    return this;
  }

  Described texts(String name, List<String> texts) {
    values.put(name, texts);
    return this;
  }

  /** Puts what is said of each part. */
  <T> Described parts(String name, List<T> parts, BiConsumer<T, Described> describe) {
    List<Object> all = new ArrayList<>();
    for (T part : parts) {
      Described made = new Described(structure, new LinkedHashMap<>());
      describe.accept(part, made);
      all.add(made.values);
    }
    values.put(name, all);
    return this;
  }

  /** Puts the sizes of a matrix. */
  Described put(String name, Shape shape) {
    values.put(
        name, Arrays.stream(shape.dimensions()).<Object>mapToObj(size -> (long) size).toList());
    return this;
  }

  /** Puts the sizes of parameters by their names. */
  Described put(List<Parameter> parameters) {
    parameters.forEach(parameter -> put(parameter.name(), parameter.shape()));
    return this;
  }

  // Read.

  IllegalArgumentException wrong(String name, String need) {
    return new IllegalArgumentException(
        "%s of layer %s is %s; need %s"
            .formatted(
                PlainJson.shown(name),
                PlainJson.shown(String.valueOf(values.get(KIND))),
                PlainJson.shown(String.valueOf(values.get(name))),
                need));
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  String text(String name) {
    if (values.get(name) instanceof String text) {
      return text;
    }
    throw wrong(name, "a text");
  }

  int whole(String name) {
    if (values.get(name) instanceof Long number && number <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw wrong(name, "a whole number of at most 2³¹−1");
  }

  float number(String name) {
    String text = text(name);
    if (!text.matches("-?\\d{1,20}(\\.\\d{1,20})?(E-?\\d{1,3})?")) {
      throw wrong(name, "a number");
    }
    return Float.parseFloat(text);
  }

  boolean flag(String name) {
    return switch (text(name)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw wrong(name, "true or false");
    };
  }

  /** {@return one of the values of an enum, by its name or its label} */
  <E extends Enum<E>> E one(String name, Class<E> type) {
    String text = text(name);
    for (E value : type.getEnumConstants()) {
      String label = value instanceof Elementwise function ? function.label() : value.name();
      if (label.equals(text)) {
        return value;
      }
    }
    throw wrong(
        name,
        Arrays.stream(type.getEnumConstants())
            .map(value -> value instanceof Elementwise function ? function.label() : value.name())
            .collect(Collectors.joining(", ", "one of ", "")));
  }

  Elementwise function(String name) {
    return one(name, Elementwise.class);
  }

  List<?> list(String name) {
    if (values.get(name) instanceof List<?> list) {
      return list;
    }
    throw wrong(name, "a list");
  }

  List<String> texts(String name) {
    List<?> list = list(name);
    if (!list.stream().allMatch(String.class::isInstance)) {
      throw wrong(name, "a list of texts");
    }
    return list.stream().map(String.class::cast).toList();
  }

  List<Described> parts(String name) {
    return list(name).stream().map(part -> of(structure, part)).toList();
  }

  Layer layer(String name) {
    return structure.built(Objects.requireNonNullElse(values.get(name), "nothing"));
  }

  /** {@return a layer of one class} */
  <L extends Layer> L layer(String name, Class<L> type) {
    Layer layer = layer(name);
    if (!type.isInstance(layer)) {
      throw wrong(name, "a layer of the kind " + type.getSimpleName());
    }
    return type.cast(layer);
  }

  List<Layer> layers(String name) {
    List<Layer> layers = new ArrayList<>();
    list(name).forEach(layer -> layers.add(structure.built(layer)));
    return layers;
  }

  /** {@return a parameter of the sizes of a name, whose values are read later} */
  Parameter parameter(String name) {
    List<?> sizes = list(name);
    int[] dimensions = new int[sizes.size()];
    for (int i = 0; i < dimensions.length; i++) {
      if (!(sizes.get(i) instanceof Long size) || size < 1 || size > Integer.MAX_VALUE) {
        throw wrong(name, "sizes of 1 to 2³¹−1");
      }
      dimensions[i] = size.intValue();
    }
    if (dimensions.length < 1 || dimensions.length > 2) {
      throw wrong(name, "one or two sizes");
    }
    Shape shape =
        dimensions.length == 1 ? Shape.of(dimensions[0]) : Shape.of(dimensions[0], dimensions[1]);
    boolean isFixed = has(FIXED) && list(FIXED).contains(name);
    Parameter made = isFixed ? Parameter.fixed(shape, (all, random) -> {}) : Parameter.zeros(shape);
    return made.named(name);
  }

  @Nullable Parameter optional(String name) {
    return has(name) ? parameter(name) : null;
  }

  Matrix matrix(String name) {
    return Matrix.dense(parameter(name));
  }
}

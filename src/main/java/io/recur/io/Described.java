package io.recur.io;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Cell;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Structure} says of one layer: its kind, its settings, and which of its parameters
 * no training changes. It is filled from a layer, or read from a file.
 */
final class Described {
  private static final String KIND = "layer";
  private static final String FIXED = "fixed";

  /** Behind the name of pairs: their second halves. */
  private static final String TO = " to";

  /** Of a parameter that another layer has too: the number of that layer, and the name there. */
  static final String OF = "of";

  static final String NAME = "name";

  /** Of a band matrix: which one, and the sizes of the whole. */
  private static final String BANDS = "bands";

  private static final String SIZES = "sizes";

  private final Structure structure;

  /** The number of the layer. */
  private final int place;

  private final Map<String, Object> values;

  private Described(Structure structure, int place, Map<String, Object> values) {
    this.structure = structure;
    this.place = place;
    this.values = values;
  }

  /** Begins with a layer's kind and its parameters. */
  static Described of(Structure structure, int place, String kind, List<Parameter> parameters) {
    Described made = new Described(structure, place, new LinkedHashMap<>());
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
  static Described of(Structure structure, int place, Object value) {
    return new Described(structure, place, PlainJson.object("a layer", value));
  }

  /** The values of all parameters of the file, which bounds what is built. */
  long most() {
    return structure.most();
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

  /** Puts a cell that another one holds. */
  Described put(String name, Cell cell) {
    values.put(name, structure.described(cell, place));
    return this;
  }

  Described texts(String name, List<String> texts) {
    values.put(name, texts);
    return this;
  }

  Described numbers(String name, float... numbers) {
    return texts(
        name,
        IntStream.range(0, numbers.length).mapToObj(i -> Float.toString(numbers[i])).toList());
  }

  /** Puts a text for each of some texts. */
  Described pairs(String name, Map<String, String> pairs) {
    return texts(name, List.copyOf(pairs.keySet())).texts(name + TO, List.copyOf(pairs.values()));
  }

  /** Puts what is said of each part. */
  <T> Described parts(String name, List<T> parts, BiConsumer<T, Described> describe) {
    List<Object> all = new ArrayList<>();
    for (T part : parts) {
      Described made = new Described(structure, place, new LinkedHashMap<>());
      describe.accept(part, made);
      all.add(made.values);
    }
    values.put(name, all);
    return this;
  }

  /** Puts the sizes of parameters by their names. */
  Described put(List<Parameter> parameters) {
    return put(parameters, List.of());
  }

  /** Puts the sizes of parameters by their names; of a band matrix which bands it has. */
  Described put(List<Parameter> parameters, List<Matrix> matrices) {
    for (Parameter parameter : parameters) {
      Map<String, Object> before = structure.before(parameter, place);
      values.put(parameter.name(), before != null ? before : said(parameter, matrices));
    }
    return this;
  }

  private static Object said(Parameter parameter, List<Matrix> matrices) {
    for (Matrix matrix : matrices) {
      if (matrix.values() == parameter && !matrix.isDense()) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put(BANDS, matrix.kind());
        said.put(SIZES, List.of((long) matrix.rows(), (long) matrix.columns()));
        return said;
      }
    }
    return Arrays.stream(parameter.shape().dimensions())
        .<Object>mapToObj(size -> (long) size)
        .toList();
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
    return number(name, text(name));
  }

  private float number(String name, String text) {
    if (!text.matches("-?\\d{1,20}(\\.\\d{1,20})?(E-?\\d{1,3})?")) {
      throw wrong(name, "a number");
    }
    return Float.parseFloat(text);
  }

  float[] numbers(String name) {
    List<String> texts = texts(name);
    float[] numbers = new float[texts.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number(name, texts.get(i));
    }
    return numbers;
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
      if (label(value).equals(text)) {
        return value;
      }
    }
    throw wrong(
        name,
        Arrays.stream(type.getEnumConstants())
            .map(Described::label)
            .collect(Collectors.joining(", ", "one of ", "")));
  }

  private static String label(Enum<?> value) {
    return value instanceof Elementwise function ? function.label() : value.name();
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
    return list(name).stream().map(part -> of(structure, place, part)).toList();
  }

  Map<String, String> pairs(String name) {
    List<String> from = texts(name);
    List<String> to = texts(name + TO);
    if (from.size() != to.size() || Set.copyOf(from).size() != from.size()) {
      throw wrong(name, "each once, and %d of them".formatted(to.size()));
    }
    Map<String, String> pairs = new LinkedHashMap<>();
    for (int i = 0; i < from.size(); i++) {
      pairs.put(from.get(i), to.get(i));
    }
    return pairs;
  }

  Cell cell(String name) {
    Object value = Objects.requireNonNullElse(values.get(name), "nothing");
    return Structure.cell(of(structure, place, value));
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
    return list(name).stream().<Layer>map(structure::built).toList();
  }

  /** {@return a parameter of the sizes of a name, whose values are read later} */
  Parameter parameter(String name) {
    Object made = made(name);
    return made instanceof Matrix matrix ? matrix.values() : (Parameter) made;
  }

  @Nullable Parameter optional(String name) {
    return has(name) ? parameter(name) : null;
  }

  Matrix matrix(String name) {
    Object made = made(name);
    return made instanceof Matrix matrix ? matrix : Matrix.dense((Parameter) made);
  }

  /** The parameters whose names end in 1, 2 and so on. */
  <T> List<T> numbered(String name, Function<String, T> part) {
    List<T> all = new ArrayList<>();
    for (int i = 1; has(name + i); i++) {
      all.add(part.apply(name + i));
    }
    return all;
  }

  /** A parameter, or a matrix of bands: that of another layer, or a new one. */
  private Object made(String name) {
    Object made;
    if (values.get(name) instanceof Map<?, ?> map) {
      Described said = of(structure, place, map);
      if (said.has(OF)) {
        Object kept = structure.kept(said.whole(OF), said.text(NAME));
        if (kept == null) {
          throw wrong(name, "a parameter of a layer before this one");
        }
        return kept;
      }
      made = said.bands();
    } else {
      made = sized(name);
    }
    structure.keep(place, name, made);
    return made;
  }

  private Parameter sized(String name) {
    int[] sizes = sizes(name);
    if (sizes.length < 1 || sizes.length > 2) {
      throw wrong(name, "one or two sizes");
    }
    Shape shape = sizes.length == 1 ? Shape.of(sizes[0]) : Shape.of(sizes[0], sizes[1]);
    boolean isFixed = has(FIXED) && list(FIXED).contains(name);
    Parameter made = isFixed ? Parameter.fixed(shape, (all, random) -> {}) : Parameter.zeros(shape);
    return made.named(name);
  }

  private Matrix bands() {
    int[] sizes = sizes(SIZES);
    if (sizes.length != 2) {
      throw wrong(SIZES, "two sizes");
    }
    return switch (text(BANDS)) {
      case "diagonal" -> Matrix.diagonal(sizes[0], sizes[1]);
      case "tridiagonal" -> Matrix.tridiagonal(sizes[0], sizes[1]);
      default -> throw wrong(BANDS, "diagonal or tridiagonal");
    };
  }

  private int[] sizes(String name) {
    List<?> given = list(name);
    int[] sizes = new int[given.size()];
    for (int i = 0; i < sizes.length; i++) {
      if (!(given.get(i) instanceof Long size) || size < 1 || size > Integer.MAX_VALUE) {
        throw wrong(name, "sizes of 1 to 2³¹−1");
      }
      sizes[i] = size.intValue();
    }
    return sizes;
  }
}

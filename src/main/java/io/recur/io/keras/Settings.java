package io.recur.io.keras;

import io.recur.device.Elementwise;
import io.recur.io.json.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A layer of a configuration: its class, its name and its settings. What could change an answer and
 * is not read is refused by name.
 */
final class Settings {
  /** What every layer may have, and no answer depends on. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of("name", "trainable", "dtype", "seed", "batch_input_shape", "batch_shape");

  /** How values were first made, or how they are trained. */
  private static final List<String> OF_TRAINING =
      List.of("_initializer", "_regularizer", "_constraint");

  /** Numbers of bits that are those of a type of floats; a quantised policy has others. */
  private static final Set<String> FLOATS =
      Set.of("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16");

  private static final Map<String, Elementwise> FUNCTIONS =
      Map.ofEntries(
          Map.entry("linear", Elementwise.IDENTITY),
          Map.entry("tanh", Elementwise.TANH),
          Map.entry("sigmoid", Elementwise.SIGMOID),
          Map.entry("relu", Elementwise.RELU),
          Map.entry("elu", Elementwise.ELU),
          Map.entry("softplus", Elementwise.SOFTPLUS),
          Map.entry("softsign", Elementwise.SOFTSIGN),
          Map.entry("silu", Elementwise.SWISH),
          Map.entry("swish", Elementwise.SWISH),
          Map.entry("exponential", Elementwise.EXP),
          Map.entry("hard_sigmoid", Elementwise.HARD_SIGMOID),
          Map.entry("hard_tanh", Elementwise.HARD_TANH),
          Map.entry("relu6", Elementwise.RELU6));

  private final String file;
  private final String kind;
  private final String name;
  private final Map<String, @Nullable Object> values;

  private Settings(String file, String kind, String name, Map<String, @Nullable Object> values) {
    this.file = file;
    this.kind = kind;
    this.name = name;
    this.values = values;
  }

  /** Settings that a caller gives, of a layer without a configuration. */
  static Settings of(String file, String kind, String name, Map<String, ?> values) {
    return new Settings(file, kind, name, new LinkedHashMap<String, @Nullable Object>(values));
  }

  /** Reads a layer of a configuration: its class and its settings. */
  static Settings of(String file, @Nullable Object layer) {
    Map<String, @Nullable Object> parts = object(file, "a layer", layer);
    if (!(parts.get("class_name") instanceof String kind)) {
      throw new IllegalArgumentException(
          "%s: a layer has class_name=%s; need a text"
              .formatted(file, ConfigJson.shownValue(parts.get("class_name"))));
    }
    Map<String, @Nullable Object> values = object(file, kind, parts.get("config"));
    Object name = values.getOrDefault("name", parts.get("name"));
    return new Settings(file, kind, name instanceof String text ? text : kind, values);
  }

  @SuppressWarnings("unchecked")
  static Map<String, @Nullable Object> object(String file, String what, @Nullable Object value) {
    if (!(value instanceof Map)) {
      throw new IllegalArgumentException(
          "%s: %s is %s; need an object"
              .formatted(file, ConfigJson.shown(what), ConfigJson.shownValue(value)));
    }
    return (Map<String, @Nullable Object>) value;
  }

  /** {@return the class in Keras} */
  String kind() {
    return kind;
  }

  /** {@return the layer's name in the model} */
  String name() {
    return name;
  }

  /** {@return the name of the group of a layer of this class, as Keras makes it} */
  String group() {
    return kind.replaceAll("\\W+", "")
        .replaceAll("(.)([A-Z][a-z]+)", "$1_$2")
        .replaceAll("([a-z])([A-Z])", "$1_$2")
        .toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return "%s (%s)".formatted(Json.shown(name), Json.shownBare(kind));
  }

  IllegalArgumentException wrong(String fact) {
    return new IllegalArgumentException("%s: layer %s: %s".formatted(file, this, fact));
  }

  /** Says that a setting cannot be honoured. */
  IllegalArgumentException refused(String key, String need) {
    return wrong("%s=%s; %s".formatted(key, ConfigJson.shownValue(values.get(key)), need));
  }

  /** Refuses a setting that is neither absent, null, false, 0 nor empty. */
  void refuse(String key, String need) {
    if (isGiven(values.get(key))) {
      throw refused(key, need);
    }
  }

  private static boolean isGiven(@Nullable Object value) {
    return !(value == null
        || value.equals(false)
        || value instanceof Number number && number.doubleValue() == 0
        || value instanceof List<?> list && list.isEmpty()
        || value instanceof Map<?, ?> map && map.isEmpty());
  }

  /**
   * Refuses every setting that is not among these, and a policy of types that quantises.
   *
   * @param known the settings that the caller reads, or that have no effect
   */
  void only(String... known) {
    only(Set.of(known));
  }

  /** The same, with a set. */
  void only(Set<String> all) {
    values.forEach(
        (key, value) -> {
          boolean isKnown =
              all.contains(key)
                  || WITHOUT_EFFECT.contains(key)
                  || OF_TRAINING.stream().anyMatch(key::endsWith);
          if (!isKnown && isGiven(value)) {
            throw wrong(
                "%s=%s; this setting is not known here"
                    .formatted(ConfigJson.shown(key), ConfigJson.shownValue(value)));
          }
        });
    precision();
  }

  /** {@return the type that Keras computes in, which is float32 here} */
  String precision() {
    Object dtype = values.get("dtype");
    Object named =
        dtype instanceof Map<?, ?> policy && policy.get("config") instanceof Map<?, ?> config
            ? config.get("name")
            : dtype;
    boolean isPlain = named == null || named instanceof String text && FLOATS.contains(text);
    if (!isPlain) {
      throw refused("dtype", "need a type of floats, one of " + new TreeSet<>(FLOATS));
    }
    return named == null ? "float32" : (String) named;
  }

  boolean isNull(String key) {
    return values.containsKey(key) && values.get(key) == null;
  }

  boolean has(String key) {
    return values.get(key) != null;
  }

  @Nullable Object value(String key) {
    return values.get(key);
  }

  /** {@return a setting that is true or false} */
  boolean flag(String key, boolean otherwise) {
    Object value = values.get(key);
    if (value == null) {
      return otherwise;
    }
    if (!(value instanceof Boolean flag)) {
      throw refused(key, "need true or false");
    }
    return flag;
  }

  /** {@return a whole number of 1 or more} */
  int count(String key) {
    return count(key, values.get(key));
  }

  /** {@return the one number of a setting of one dimension, such as {@code [3]} or 3} */
  int single(String key, int otherwise) {
    Object value = values.get(key);
    if (value == null) {
      return otherwise;
    }
    return count(key, value instanceof List<?> list && list.size() == 1 ? list.getFirst() : value);
  }

  private int count(String key, @Nullable Object value) {
    if (!(value instanceof Long number) || number < 1 || number > Integer.MAX_VALUE) {
      throw refused(key, "need a whole number from 1 to 2³¹−1");
    }
    return number.intValue();
  }

  double number(String key, double otherwise) {
    Object value = values.get(key);
    if (value == null) {
      return otherwise;
    }
    if (!(value instanceof Number number) || !Double.isFinite(number.doubleValue())) {
      throw refused(key, "need a number");
    }
    return number.doubleValue();
  }

  String text(String key, String otherwise) {
    Object value = values.get(key);
    if (value == null) {
      return otherwise;
    }
    if (!(value instanceof String text)) {
      throw refused(key, "need a text");
    }
    return text;
  }

  /** {@return the name of a function, such as {@code tanh}} */
  String functionName(String key, String otherwise) {
    Object value = values.get(key);
    if (value instanceof Elementwise function) {
      return function.label();
    }
    if (value instanceof Map<?, ?> function
        && "function".equals(function.get("class_name"))
        && function.get("config") instanceof String name) {
      return name;
    }
    return text(key, otherwise);
  }

  /** {@return a function of the table} */
  Elementwise function(String key, String otherwise) {
    if (values.get(key) instanceof Elementwise given) {
      return given;
    }
    Elementwise function = FUNCTIONS.get(functionName(key, otherwise));
    if (function == null) {
      throw refused(key, "need one of " + FUNCTIONS.keySet().stream().sorted().toList());
    }
    return function;
  }

  /** {@return the layer that a setting holds} */
  Settings inner(String key) {
    return Settings.of("%s: layer %s: %s".formatted(file, this, key), values.get(key));
  }

  /** {@return the layers of a list} */
  List<Settings> all(String key) {
    if (!(values.get(key) instanceof List<?> list)) {
      throw refused(key, "need a list");
    }
    String where = "%s: %s of %s".formatted(file, key, this);
    return list.stream().map(layer -> Settings.of(where, layer)).toList();
  }

  /** {@return the sizes of the input that the layer itself names, or null} */
  @Nullable List<?> inputSizes() {
    return Stream.of("batch_shape", "batch_input_shape")
        .map(values::get)
        .filter(List.class::isInstance)
        .map(sizes -> (List<?>) sizes)
        .findFirst()
        .orElse(null);
  }
}

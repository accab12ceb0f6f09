package io.recur.cli;

import io.recur.device.Elementwise;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A layer of a {@link Description}: {@code lstm encoder.lstm layers=2}, or a function such as
 * {@code relu}.
 *
 * @param kind what it is
 * @param name of its module in PyTorch, {@code .} for a file of this module alone; null for none
 * @param options its settings by name
 */
record Part(Kind kind, @Nullable String name, Map<String, String> options) {
  private static final String LAYERS = "layers";
  private static final String DIRECTIONS = "directions";
  private static final String BIASES = "biases";
  private static final String FUNCTION = "function";

  /** What a layer is, and the settings that it has. */
  enum Kind {
    RNN(LAYERS, DIRECTIONS, BIASES, FUNCTION),
    LSTM(LAYERS, DIRECTIONS, BIASES),
    GRU(LAYERS, DIRECTIONS, BIASES),
    GRUV3(LAYERS, DIRECTIONS),
    RNN_CELL(BIASES, FUNCTION),
    LSTM_CELL(BIASES),
    GRU_CELL(BIASES),
    LINEAR(BIASES, FUNCTION),
    EMBEDDING,
    LAYER_NORM(BIASES, "eps"),
    BATCH_NORM("eps", "momentum"),
    CONV1D(BIASES, "kernel", "stride", "padding", "dilation", "groups"),
    SOFTMAX,
    LOG_SOFTMAX,
    /** An elementwise function, under its own name. */
    MAP(FUNCTION);

    private final List<String> options;

    Kind(String... options) {
      this.options = List.of(options);
    }

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    boolean isCell() {
      return this == RNN_CELL || this == LSTM_CELL || this == GRU_CELL;
    }

    /** Whether it has parameters, and so a name. */
    boolean isModule() {
      return compareTo(SOFTMAX) < 0;
    }
  }

  /**
   * Reads a layer.
   *
   * @throws IllegalArgumentException if it is none; the message says what a layer is
   */
  static Part of(String text) {
    List<String> words = List.of(text.strip().split("\\s+"));
    Kind kind = kind(words.getFirst());
    Map<String, String> options = new LinkedHashMap<>();
    String name = null;
    for (String word : words.subList(1, words.size())) {
      int equals = word.indexOf('=');
      String option = equals < 0 ? "" : word.substring(0, equals);
      if (equals < 0 && name == null && options.isEmpty() && kind.isModule()) {
        name = word;
      } else if (!kind.options.contains(option)
          || kind == Kind.MAP
          || options.put(option, word.substring(equals + 1)) != null) {
        String taken = kind.options.isEmpty() ? "no option" : "the options " + kind.options;
        throw wrong(
            text,
            "%s; %s takes %s"
                .formatted(
                    word,
                    words.getFirst(),
                    kind.isModule() ? "a name and " + taken : "nothing else"));
      }
    }
    if (kind == Kind.MAP) {
      options.put(FUNCTION, words.getFirst());
    }
    return new Part(kind, name, options).checked();
  }

  private static Kind kind(String word) {
    for (Kind kind : Kind.values()) {
      if (kind != Kind.MAP && kind.label().equals(word)) {
        return kind;
      }
    }
    function(word);
    return Kind.MAP;
  }

  private static Elementwise function(String label) {
    for (Elementwise function : Elementwise.values()) {
      if (function.label().equals(label)) {
        return function;
      }
    }
    String kinds =
        Arrays.stream(Kind.values())
            .filter(kind -> kind != Kind.MAP)
            .map(Kind::label)
            .collect(Collectors.joining(", "));
    String functions =
        Arrays.stream(Elementwise.values())
            .map(Elementwise::label)
            .collect(Collectors.joining(", "));
    throw wrong(label, "it is none of %s, nor a function: %s".formatted(kinds, functions));
  }

  /** Refuses settings that no layer has. */
  private Part checked() {
    function();
    for (String option : List.of(LAYERS, DIRECTIONS, "kernel", "stride", "dilation", "groups")) {
      whole(option, 1, 1);
    }
    whole("padding", 0, 0);
    number("eps", 0);
    number("momentum", 0);
    if (whole(DIRECTIONS, 1, 1) > 2 || !List.of("none", "all").contains(biases())) {
      throw wrong(toString(), "need directions of 1 or 2, and biases of none or all");
    }
    return this;
  }

  private static IllegalArgumentException wrong(String text, String why) {
    return new IllegalArgumentException(
        "layer '%s': %s".formatted(Printable.of(text), Printable.of(why)));
  }

  /** {@return the name of the module in the file, which is empty for the file's own} */
  String module() {
    if (name == null) {
      throw wrong(
          kind.label(), "it needs the name of its module in the file, or . for a file of it");
    }
    return name.equals(".") ? "" : name;
  }

  int layers() {
    return whole(LAYERS, 1, 1);
  }

  int directions() {
    return whole(DIRECTIONS, 1, 1);
  }

  boolean hasBiases() {
    return !biases().equals("none");
  }

  private String biases() {
    return options.getOrDefault(BIASES, "all");
  }

  /** {@return the function; tanh of an RNN and none of a linear layer unless it is given} */
  Elementwise function() {
    boolean isRnn = kind == Kind.RNN || kind == Kind.RNN_CELL;
    String label = options.get(FUNCTION);
    return label != null ? function(label) : isRnn ? Elementwise.TANH : Elementwise.IDENTITY;
  }

  int whole(String option, int otherwise, int least) {
    String text = options.get(option);
    int value = text == null ? otherwise : text.matches("\\d{1,6}") ? Integer.parseInt(text) : -1;
    if (value < least) {
      throw wrong(toString(), "%s=%s; need %d or more".formatted(option, text, least));
    }
    return value;
  }

  float number(String option, float otherwise) {
    String text = options.get(option);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("\\d{1,9}(\\.\\d{1,20})?([eE]-?\\d{1,2})?")) {
      throw wrong(toString(), "%s=%s; need a number of 0 or more".formatted(option, text));
    }
    return Float.parseFloat(text);
  }

  /** {@return this layer without the settings that a state dictionary tells} */
  Part withoutSizes() {
    Map<String, String> less = new LinkedHashMap<>(options);
    less.keySet().removeAll(List.of(LAYERS, DIRECTIONS, BIASES, "kernel"));
    return new Part(kind, name, less);
  }

  /** {@return this layer with a setting} */
  Part with(String option, String value) {
    Map<String, String> more = new LinkedHashMap<>(options);
    more.put(option, value);
    return new Part(kind, name, more);
  }

  /** {@return the layer as {@link #of} reads it} */
  @Override
  public String toString() {
    if (kind == Kind.MAP) {
      return options.get(FUNCTION);
    }
    StringBuilder text = new StringBuilder(kind.label());
    if (name != null) {
      text.append(' ').append(name);
    }
    options.forEach((option, value) -> text.append(' ').append(option).append('=').append(value));
    return text.toString();
  }
}

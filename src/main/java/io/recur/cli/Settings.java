package io.recur.cli;

import java.nio.file.Path;
import java.util.Map;

/**
 * The settings of a training. Together with the text they decide its losses. A checkpoint keeps
 * them in its metadata.
 *
 * @param cell the kind of the recurrent layers
 * @param hidden the units per layer
 * @param layers the number of recurrent layers
 * @param batch the number of parallel streams
 * @param steps the time steps between truncations
 * @param rate the learning rate
 * @param seed the seed of the initial weights
 */
record Settings(
    CharacterModel.Kind cell, int hidden, int layers, int batch, int steps, float rate, long seed) {

  /** {@return the settings that a file was trained with} */
  static Settings of(Path path, Map<String, String> facts) {
    try {
      return new Settings(
          CharacterModel.Kind.of(fact(facts, "cell", "\\w+")),
          number(facts, "hidden"),
          number(facts, "layers"),
          number(facts, "batch"),
          number(facts, "steps"),
          rate(fact(facts, "rate", "\\d+(\\.\\d+)?(E-?\\d+)?")),
          Long.parseLong(fact(facts, "seed", "-?\\d{1,19}")));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          path + ": no training of 'recur train' that can go on: " + e.getMessage(), e);
    }
  }

  /** {@return a whole number of a file's metadata} */
  static int number(Map<String, String> facts, String name) {
    return Integer.parseInt(fact(facts, name, "\\d{1,9}"));
  }

  private static String fact(Map<String, String> facts, String name, String pattern) {
    String text = String.valueOf(facts.get(name));
    if (!text.matches(pattern)) {
      throw new IllegalArgumentException(
          "its metadata has %s=%s; need %s".formatted(name, text, pattern));
    }
    return text;
  }

  private static float rate(String text) {
    float rate = Float.parseFloat(text);
    if (rate > 0 && Float.isFinite(rate)) {
      return rate;
    }
    throw new IllegalArgumentException(
        "its metadata has rate=" + text + "; need a finite number of more than 0");
  }

  Settings withRate(float other) {
    return new Settings(cell, hidden, layers, batch, steps, other, seed);
  }

  /** Adds the settings that {@link CharacterModel#facts} leaves out. */
  void addTo(Map<String, String> facts) {
    facts.put("batch", Integer.toString(batch));
    facts.put("steps", Integer.toString(steps));
    facts.put("rate", Float.toString(rate));
    facts.put("seed", Long.toString(seed));
  }

  /** {@return the settings in one line} */
  @Override
  public String toString() {
    return "%s %d × %d, batch %d, steps %d, rate %s, seed %d"
        .formatted(cell, layers, hidden, batch, steps, rate, seed);
  }
}

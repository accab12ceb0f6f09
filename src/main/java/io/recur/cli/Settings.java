package io.recur.cli;

import java.nio.file.Path;
import java.util.Map;

/**
 * What decides the losses of a training, besides the text. A checkpoint keeps it in its metadata.
 *
 * @param cell kind of the recurrent layers
 * @param hidden units of a layer
 * @param layers recurrent layers
 * @param batch streams side by side
 * @param steps between truncations
 * @param rate learning rate
 * @param seed of the initial weights
 */
record Settings(
    CharacterModel.Kind cell, int hidden, int layers, int batch, int steps, float rate, long seed) {

  /** The settings that a file was trained with. */
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

  /** A count of a file's metadata. */
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

  /** Adds what the model does not say of itself. */
  void addTo(Map<String, String> facts) {
    facts.put("batch", Integer.toString(batch));
    facts.put("steps", Integer.toString(steps));
    facts.put("rate", Float.toString(rate));
    facts.put("seed", Long.toString(seed));
  }

  /** For a person, in one line. */
  @Override
  public String toString() {
    return "%s %d × %d, batch %d, steps %d, rate %s, seed %d"
        .formatted(cell, layers, hidden, batch, steps, rate, seed);
  }
}

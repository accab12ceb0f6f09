package io.recur.cli;

import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;

import io.recur.device.Device;
import io.recur.grad.CrossEntropy;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Safetensors;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A model of text: one-hot characters, recurrent layers, and a score for each next character. */
final class CharacterModel {
  /** The recurrent cells by the names of the command line. */
  enum Kind {
    lstm,
    gru,
    gruv3,
    rnn;

    Recur layer(int in, int out) {
      return switch (this) {
        case lstm -> lstm(in, out);
        case gru -> gru(in, out);
        case gruv3 -> gruV3(in, out);
        case rnn -> rnn(in, out);
      };
    }
  }

  private static final int EVALUATION_STEPS = 1024;
  private static final double LOG_2 = Math.log(2);

  private final Kind kind;
  private final int hidden;
  private final int layers;
  private final Vocabulary vocabulary;
  private final Chain chain;

  CharacterModel(
      Kind kind, int hidden, int layers, Vocabulary vocabulary, Device device, long seed) {
    this.kind = kind;
    this.hidden = hidden;
    this.layers = layers;
    this.vocabulary = vocabulary;
    Layer[] parts = new Layer[layers + 1];
    for (int i = 0; i < layers; i++) {
      parts[i] = kind.layer(i == 0 ? vocabulary.size() : hidden, hidden);
    }
    parts[layers] = dense(hidden, vocabulary.size());
    this.chain = new Chain(List.of(parts)).on(device, seed);
  }

  /** The model of a file, with its parameters; the states are fresh. */
  static CharacterModel load(Path path, Device device) throws IOException {
    Safetensors file = Safetensors.read(path);
    CharacterModel model = like(path, file, device);
    Checkpoint.load(path, file, model.chain, null);
    model.chain.reset();
    return model;
  }

  /** An untrained model of the structure that a file describes. */
  static CharacterModel like(Path path, Safetensors file, Device device) {
    Map<String, String> facts = file.metadata();
    try {
      return new CharacterModel(
          Kind.valueOf(fact(facts, "cell")),
          Integer.parseInt(fact(facts, "hidden")),
          Integer.parseInt(fact(facts, "layers")),
          Vocabulary.of(fact(facts, "vocabulary")),
          device,
          0);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          path + ": no character model of 'recur train': " + e.getMessage(), e);
    }
  }

  private static String fact(Map<String, String> facts, String name) {
    String value = facts.get(name);
    if (value == null) {
      throw new IllegalArgumentException("its metadata has no \"" + name + "\"");
    }
    return value;
  }

  /** What a file must say so that {@link #like} finds the structure. */
  Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("cell", kind.name());
    facts.put("hidden", Integer.toString(hidden));
    facts.put("layers", Integer.toString(layers));
    facts.put("vocabulary", vocabulary.text());
    return facts;
  }

  Chain chain() {
    return chain;
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  /**
   * Mean bits a character over a text, read as one stream from a fresh state. The training's state
   * is left alone.
   */
  double bitsPerCharacter(Device device, int[] text) {
    Chain reader = chain.fork();
    reader.reset();
    double nats = 0;
    try (Tape tape = Tape.inference(device)) {
      for (int from = 0; from < text.length - 1; from += EVALUATION_STEPS) {
        int steps = Math.min(EVALUATION_STEPS, text.length - 1 - from);
        Shape shape = Shape.of(vocabulary.size(), 1, steps);
        Tensor scores =
            reader.apply(tape.oneHot(shape, Arrays.copyOfRange(text, from, from + steps)));
        Tensor target = tape.oneHot(shape, Arrays.copyOfRange(text, from + 1, from + 1 + steps));
        nats += CrossEntropy.crossEntropy(scores, target).scalar() * (double) steps;
        tape.clear();
      }
    }
    return nats / (text.length - 1) / LOG_2;
  }

  /** A text that begins with the prime; the same seed gives the same text. */
  String sample(Device device, String prime, int length, double temperature, long seed) {
    Chain writer = chain.fork();
    writer.reset();
    int newline = Math.max(0, vocabulary.number('\n'));
    int[] read = prime.isEmpty() ? new int[] {newline} : vocabulary.encode(prime);
    StringBuilder text = new StringBuilder(prime);
    Random random = new Random(seed);
    try (Tape tape = Tape.inference(device)) {
      float[] scores = {};
      for (int character : read) {
        scores = next(writer, tape, character);
      }
      for (int i = 0; i < length; i++) {
        int chosen = choose(scores, temperature, random);
        text.append(vocabulary.decode(chosen));
        scores = next(writer, tape, chosen);
      }
    }
    return text.toString();
  }

  private float[] next(Chain writer, Tape tape, int character) {
    float[] scores = writer.apply(tape.oneHot(Shape.of(vocabulary.size()), character)).toArray();
    tape.clear();
    return scores;
  }

  /** Draws from softmax(scores / temperature); at temperature 0 takes the best. */
  private static int choose(float[] scores, double temperature, Random random) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    if (temperature == 0) {
      return best;
    }
    double[] upTo = new double[scores.length];
    double total = 0;
    for (int i = 0; i < scores.length; i++) {
      total += Math.exp((scores[i] - scores[best]) / temperature);
      upTo[i] = total;
    }
    double drawn = random.nextDouble() * total;
    for (int i = 0; i < upTo.length; i++) {
      if (drawn < upTo[i]) {
        return i;
      }
    }
    return best;
  }
}

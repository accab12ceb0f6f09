package io.recur.cli;

import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.io.Safetensors;
import io.recur.io.Weights;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Sampler;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A model of text: one-hot characters in, recurrent layers, a score per possible next one out. */
final class CharacterModel {
  /** The recurrent cells, under their names on the command line. */
  enum Kind {
    lstm,
    gru,
    gruv3,
    rnn;

    /** {@return the cell of a name from a file} */
    static Kind of(String name) {
      for (Kind kind : values()) {
        if (kind.name().equals(name)) {
          return kind;
        }
      }
      throw new IllegalArgumentException(
          "cell=%s; need one of %s".formatted(name, Arrays.toString(values())));
    }

    Recur layer(int in, int out) {
      return switch (this) {
        case lstm -> lstm(in, out);
        case gru -> gru(in, out);
        case gruv3 -> gruV3(in, out);
        case rnn -> rnn(in, out);
      };
    }
  }

  private final Kind kind;
  private final int hidden;
  private final int layers;
  private final Vocabulary vocabulary;
  private final Chain chain;

  private CharacterModel(Kind kind, int hidden, int layers, Vocabulary vocabulary) {
    this.kind = kind;
    this.hidden = hidden;
    this.layers = layers;
    this.vocabulary = vocabulary;
    Layer[] parts = new Layer[layers + 1];
    for (int i = 0; i < layers; i++) {
      parts[i] = kind.layer(i == 0 ? vocabulary.size() : hidden, hidden);
    }
    parts[layers] = dense(hidden, vocabulary.size());
    this.chain = new Chain(List.of(parts));
  }

  /** {@return an untrained model} */
  static CharacterModel fresh(
      Kind kind, int hidden, int layers, Vocabulary vocabulary, Device device, long seed) {
    CharacterModel model = new CharacterModel(kind, hidden, layers, vocabulary);
    model.chain.on(device, seed);
    return model;
  }

  /** {@return the model of a file, with its parameters and fresh states} */
  static CharacterModel load(Path path, Safetensors file, Device device) throws IOException {
    CharacterModel model = like(path, file, device);
    Weights.load(path, file, model.chain);
    return model;
  }

  /** Opens a file. The error for a folder names the folder, which the system's error does not. */
  static Safetensors file(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(
          path.toString(), null, "it is a folder; name a file of 'recur train'");
    }
    return Safetensors.read(path);
  }

  /**
   * Makes a model of the structure that a file describes, for the file's values. It compares names
   * and sizes of the parameters with the file's before it allocates them.
   */
  static CharacterModel like(Path path, Safetensors file, Device device) {
    Map<String, String> facts = file.metadata();
    CharacterModel model;
    try {
      model =
          new CharacterModel(
              Kind.of(fact(facts, "cell")),
              number(facts, "hidden", Integer.MAX_VALUE),
              number(facts, "layers", file.tensors().size()),
              Vocabulary.of(fact(facts, "vocabulary")));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          path + ": no character model of 'recur train': " + e.getMessage(), e);
    }
    Weights.check(path, file, model.chain);
    model.chain.parameters().reserve(device);
    return model;
  }

  private static int number(Map<String, String> facts, String name, int most) {
    String text = fact(facts, name);
    int number = text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
    if (number < 1 || number > most) {
      throw new IllegalArgumentException(
          "%s=%s; need a number from 1 to %d".formatted(name, text, most));
    }
    return number;
  }

  private static String fact(Map<String, String> facts, String name) {
    String value = facts.get(name);
    if (value == null) {
      throw new IllegalArgumentException("its metadata has no \"" + name + "\"");
    }
    return value;
  }

  /** {@return the facts from which {@link #like} makes a model of this structure} */
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
   * Writes the prime, then one character after another as the model chooses it, until {@code
   * length} characters are chosen or the reader is gone. The same seed gives the same text.
   *
   * @throws IllegalArgumentException if a score is NaN
   */
  void sample(
      Device device, String prime, int length, Sampler sampler, long seed, PrintWriter out) {
    int newline = Math.max(0, vocabulary.number('\n'));
    int[] read = prime.isEmpty() ? new int[] {newline} : vocabulary.encode(prime);
    Random random = new Random(seed);
    try (Chain writer = chain.fork();
        Tape tape = Tape.inference(device)) {
      writer.reset();
      float[] scores = {};
      for (int character : read) {
        scores = next(writer, tape, character);
      }
      out.print(prime);
      for (int i = 0; i < length && !out.checkError(); i++) { // checkError flushes
        int chosen = sampler.choose(scores, random);
        out.print(vocabulary.decode(chosen));
        scores = next(writer, tape, chosen);
      }
      out.println();
      out.flush();
    }
  }

  private float[] next(Chain writer, Tape tape, int character) {
    float[] scores = writer.apply(tape.oneHot(Shape.of(vocabulary.size()), character)).toArray();
    tape.clear();
    return scores;
  }
}

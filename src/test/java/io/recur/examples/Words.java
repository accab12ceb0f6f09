package io.recur.examples;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.grad.*;
import io.recur.nn.*;
import io.recur.train.*;
import java.io.IOException;
import java.net.URI;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/** Tags each letter of a class's name in lower case: does a word begin here? */
final class Words {
  static final int LETTERS = 26;

  public static void main(String[] args) throws IOException {
    try (Device device = Device.cpu()) {
      Bidirectional both = bidirectional(lstm(16, 48), lstm(16, 48));
      Chain model = chain(embedding(LETTERS, 16), both, dense(96, 2)).on(device, 42);
      learn(model, device, names());
      for (String name : List.of("recurrentlayer", "javanativememory", "lazilyloadedweights")) {
        System.out.println(name + ": " + split(model, device, name));
      }
    }
  }

  /** The names of the JDK's classes that consist of words, in an order of their own. */
  static List<String> names() throws IOException {
    Path classes = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules", "java.base");
    try (Stream<Path> files = Files.walk(classes)) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString().replace(".class", ""))
              .filter(file -> file.matches("([A-Z][a-z]+){2,}"))
              .distinct()
              .sorted()
              .collect(Collectors.toList());
      Collections.shuffle(names, new Random(1));
      return names;
    }
  }

  /** Trains on all names but the first fifth; {@return the F1 of words that begin in those} */
  static double learn(Chain model, Device device, List<String> names) {
    Confusion told = new Confusion(2);
    int test = names.size() / 5;
    Batches train = batches(model, names.subList(test, names.size()), told);
    Batches validation = batches(model, names.subList(0, test), told);
    try (Tape tape = Tape.on(device)) {
      Fit fit = new Trainer(model, new Adam(0.01f), tape).clipNorm(1).fit(train, validation);
      fit.measure("F1", told, confusion -> confusion.f1(1)).progress(System.out::println);
      return fit.run(4).measures().get("F1");
    }
  }

  static Batches batches(Chain model, List<String> names, Confusion told) {
    return Batches.shuffled(
        names.size(),
        32,
        (tape, examples) -> {
          List<int[]> letters = new ArrayList<>(), tags = new ArrayList<>();
          for (int example : examples) {
            String name = names.get(example);
            letters.add(name.toLowerCase(Locale.ROOT).chars().map(c -> c - 'a').toArray());
            tags.add(name.chars().map(c -> Character.isUpperCase(c) ? 1 : 0).toArray());
          }
          Padded scores = model.apply(Sequences.padded(tape, LETTERS, letters));
          Padded begins = Sequences.padded(tape, 2, tags);
          told.add(scores, begins); // cleared before each validation
          return crossEntropy(scores, begins);
        });
  }

  static String split(Chain model, Device device, String name) {
    int[] letters = name.chars().map(c -> c - 'a').toArray();
    String words = "";
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      float[] scores =
          model.apply(tape.oneHot(Shape.of(LETTERS, 1, letters.length), letters)).toArray();
      for (int t = 0; t < letters.length; t++) {
        words += (scores[2 * t + 1] > scores[2 * t] ? " " : "") + name.charAt(t);
      }
    }
    return words.strip();
  }
}

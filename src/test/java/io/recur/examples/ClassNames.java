package io.recur.examples;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.nn.*;
import io.recur.train.*;
import java.io.IOException;
import java.net.URI;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/** A character model: reads the names of the JDK's classes and invents others. */
final class ClassNames {
  static final int CHARS = 128; // of ASCII

  public static void main(String[] args) throws IOException {
    try (Device device = Device.cpu()) {
      Chain model = chain(lstm(CHARS, 96), dense(96, CHARS)).on(device, 42);
      System.out.printf("perplexity per character %.2f%n", learn(model, device, text()));
      for (String name : invent(model, 10)) {
        System.out.println(name);
      }
    }
  }

  /** Trains on nine tenths of the text; {@return the perplexity of the rest} */
  static double learn(Chain model, Device device, int[] text) {
    int split = text.length * 9 / 10;
    int[] train = Arrays.copyOf(text, split), test = Arrays.copyOfRange(text, split, text.length);
    try (Tape tape = Tape.on(device)) {
      return new Trainer(model, new Adam(0.01f), tape)
          .clipNorm(1)
          .fit(batches(model, train), batches(model, test))
          .progress(System.out::println)
          .run(10)
          .perplexity();
    }
  }

  /** The names of the classes that the running JDK has, shuffled, a line each. */
  static int[] text() throws IOException {
    Path classes = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules", "java.base");
    try (Stream<Path> files = Files.walk(classes)) {
      List<String> names =
          new ArrayList<>(
              files
                  .map(file -> file.getFileName().toString())
                  .filter(file -> file.matches("[A-Z][A-Za-z]+\\.class"))
                  .map(file -> file.replace(".class", "\n"))
                  .collect(Collectors.toCollection(TreeSet::new)));
      Collections.shuffle(names, new Random(1));
      return String.join("", names).chars().toArray();
    }
  }

  static Batches batches(Chain model, int[] text) {
    Streams streams = new Streams(text, CHARS, 16, 32); // 16 streams, chunks of 32
    return Batches.carried(
        streams.chunks(),
        (tape, chunk) ->
            crossEntropy(
                model.apply(streams.input(tape, chunk[0])), streams.target(tape, chunk[0])));
  }

  static List<String> invent(Chain model, int count) {
    Decoder decoder = new Decoder(model, CHARS).endingWith('\n');
    Random random = new Random(3);
    return Stream.generate(() -> decoder.sample('\n', 40, Sampler.of(0.5), random))
        .map(chars -> new String(chars, 0, chars.length).strip())
        .filter(name -> !name.isEmpty())
        .limit(count)
        .toList();
  }
}

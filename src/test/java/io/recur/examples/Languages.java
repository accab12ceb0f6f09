package io.recur.examples;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.grad.*;
import io.recur.nn.*;
import io.recur.train.*;
import java.util.*;

/** Tells the language of a currency's name: many letters in, one class out. */
final class Languages {
  static final List<String> LANGUAGES = List.of("en", "fr", "de", "es", "it", "fi", "hu", "pl");
  static final int LETTERS = 0x180; // the Latin letters of Unicode

  record Name(String text, int language) {
    int[] letters() {
      return text.chars().filter(c -> c < LETTERS).toArray();
    }
  }

  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      Chain model = chain(embedding(LETTERS, 24), lstm(24, 64), dense(64, 8)).on(device, 42);
      learn(model, device);
      for (Name name : names(true).subList(0, 8)) { // one currency in all languages
        System.out.println(name.text + ": " + tell(model, device, name));
      }
    }
  }

  /** {@return the share of the test's names that the model tells} */
  static double learn(Chain model, Device device) {
    Confusion told = new Confusion(LANGUAGES.size());
    try (Tape tape = Tape.on(device)) {
      return new Trainer(model, new Adam(0.005f), tape)
          .clipNorm(1)
          .fit(batches(model, names(false), told), batches(model, names(true), told))
          .measure("accuracy", told, Confusion::accuracy)
          .progress(System.out::println)
          .run(16)
          .measures()
          .get("accuracy");
    }
  }

  /** The names of currencies, which every JDK knows; of each fifth currency for the test. */
  static List<Name> names(boolean test) {
    List<Name> names = new ArrayList<>();
    List<Currency> currencies = new ArrayList<>(Currency.getAvailableCurrencies());
    currencies.sort(Comparator.comparing(Currency::getCurrencyCode));
    for (int i = 0; i < currencies.size(); i++) {
      for (int l = 0; l < LANGUAGES.size() && (i % 5 == 0) == test; l++) {
        String name = currencies.get(i).getDisplayName(Locale.of(LANGUAGES.get(l)));
        names.add(new Name(name, l));
      }
    }
    return names;
  }

  static String tell(Chain model, Device device, Name name) {
    int[] letters = name.letters();
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      Tensor y = model.apply(tape.oneHot(Shape.of(LETTERS, 1, letters.length), letters));
      float[] scores = y.time(letters.length - 1).toArray();
      return LANGUAGES.get(Sampler.GREEDY.choose(scores, new Random()));
    }
  }

  /** Batches of names of one length, so that nothing is padded. */
  static Batches batches(Chain model, List<Name> names, Confusion confusion) {
    int[] lengths = names.stream().mapToInt(name -> name.letters().length).toArray();
    return Batches.byLength(
        lengths,
        32,
        (tape, examples) -> {
          int batch = examples.length, time = lengths[examples[0]];
          int[] letters = new int[batch * time];
          for (int i = 0; i < letters.length; i++) {
            letters[i] = names.get(examples[i % batch]).letters()[i / batch];
          }
          int[] languages = Arrays.stream(examples).map(i -> names.get(i).language).toArray();
          Tensor y = model.apply(tape.oneHot(Shape.of(LETTERS, batch, time), letters));
          confusion.add(y.time(time - 1), languages); // cleared before each validation
          return crossEntropy(
              y.time(time - 1), tape.oneHot(Shape.of(LANGUAGES.size(), batch), languages));
        });
  }
}

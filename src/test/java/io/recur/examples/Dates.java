package io.recur.examples;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.*;

import io.recur.device.*;
import io.recur.grad.*;
import io.recur.nn.*;
import io.recur.train.*;
import java.time.LocalDate;
import java.time.format.*;
import java.util.*;

/** Reads a date as it is written in four languages, and writes it as 2026-11-26. */
final class Dates {
  static final int LETTERS = 0x180, SYMBOLS = ':' - '-'; // of texts, and of dates: - . / 0 … 9

  final Chain encoder = chain(embedding(LETTERS, 24), bidirectional(gru(24, 40), gru(24, 40)));
  final Recur decoder = gru(SYMBOLS, 64);
  final Attention attention = Attention.bahdanau(64, 80, 40);
  final Chain output = chain(dense(64 + 80, 64, Elementwise.TANH), dense(64, SYMBOLS));
  final Chain model = chain(encoder, decoder, attention, output); // for their parameters and states

  record Example(String text, String date) {}

  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      Dates dates = new Dates();
      dates.learn(device);
      for (Example example : examples(99, 10)) {
        System.out.println(example.text + " = " + dates.translate(device, example.text));
      }
    }
  }

  /** Days of a century, each in a language and a style. */
  static List<Example> examples(int seed, int count) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    while (examples.size() < count) {
      LocalDate date = LocalDate.of(1950, 1, 1).plusDays(random.nextInt(36_500));
      Locale language = Locale.of(List.of("en", "de", "fr", "es").get(random.nextInt(4)));
      FormatStyle style = FormatStyle.values()[random.nextInt(3)]; // full, long or medium
      String text = DateTimeFormatter.ofLocalizedDate(style).withLocale(language).format(date);
      examples.add(new Example(text, date.toString()));
    }
    return examples;
  }

  void learn(Device device) {
    List<Example> examples = examples(1, 3000);
    int[] lengths = examples.stream().mapToInt(example -> example.text.length()).toArray();
    Batches batches = Batches.byLength(lengths, 64, (tape, n) -> loss(tape, examples, n));
    model.on(device, 42);
    try (Tape tape = Tape.on(device)) {
      new Trainer(model, new Adam(0.005f), tape).clipNorm(1).fit(batches).run(6);
    }
  }

  Tensor loss(Tape tape, List<Example> examples, int... numbers) {
    List<Example> batch = Arrays.stream(numbers).mapToObj(examples::get).toList();
    Tensor text = letters(tape, batch.stream().map(Example::text).toList());
    Tensor date = symbols(tape, batch.stream().map(Example::date).toList());
    Tensor before = symbols(tape, batch.stream().map(e -> "/" + e.date).toList()).times(0, 10);
    return crossEntropy(scores(attention.memory(encoder.apply(text)), before), date);
  }

  /** The scores of each next symbol, from the symbols before and from what was read. */
  Tensor scores(Attention.Memory read, Tensor before) {
    Tensor h = decoder.apply(before);
    return output.apply(Concat.rows(h, read.context(h)));
  }

  /** Writes a symbol at a time, each time the likeliest one. */
  String translate(Device device, String text) {
    String date = "/"; // begins a date
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      Attention.Memory read = attention.memory(encoder.apply(letters(tape, List.of(text))));
      while (date.length() < 11) {
        Tensor y = scores(read, symbols(tape, List.of(date.substring(date.length() - 1))));
        date += (char) ('-' + Sampler.GREEDY.choose(y.toArray(), new Random()));
      }
    }
    return date.substring(1);
  }

  static Tensor letters(Tape tape, List<String> texts) {
    List<int[]> letters = texts.stream().map(text -> text.chars().toArray()).toList();
    return Sequences.padded(tape, LETTERS, letters).data();
  }

  static Tensor symbols(Tape tape, List<String> dates) {
    List<int[]> symbols = dates.stream().map(d -> d.chars().map(c -> c - '-').toArray()).toList();
    return Sequences.padded(tape, SYMBOLS, symbols).data();
  }
}

package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.CrossEntropy;
import io.recur.grad.Tape;
import io.recur.io.Safetensors;
import io.recur.train.Adam;
import io.recur.train.Checkpoint;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A training of a character model that can be saved at any step and gone on with. */
final class CharacterTraining implements AutoCloseable {
  /** What decides the losses, besides the text. */
  record Settings(
      CharacterModel.Kind cell,
      int hidden,
      int layers,
      int batch,
      int steps,
      float rate,
      long seed) {}

  private static final double HELD_OUT = 0.05;
  private static final float LARGEST_NORM = 5;
  private static final double LOG_2 = Math.log(2);

  private final Device device;
  private final Corpus corpus;
  private final Settings settings;
  private final CharacterModel model;
  private final Adam adam;
  private final Tape tape;
  private final Streams streams;
  private final int[] rest;
  private Curve curve;
  private int epoch;
  private int chunk;

  private CharacterTraining(Device device, Corpus corpus, Settings settings, CharacterModel model) {
    int[] text = model.vocabulary().encode(corpus.text());
    int learnt = (int) (text.length * (1 - HELD_OUT));
    this.device = device;
    this.corpus = corpus;
    this.settings = settings;
    this.model = model;
    this.rest = Arrays.copyOfRange(text, learnt, text.length);
    if (rest.length < 2) {
      throw new IllegalArgumentException(
          "%s: %d characters; too short to hold out 5 %% of them, take a longer text"
              .formatted(corpus.name(), text.length));
    }
    this.streams =
        new Streams(
            Arrays.copyOf(text, learnt),
            model.vocabulary().size(),
            settings.batch(),
            settings.steps());
    this.adam = new Adam(settings.rate());
    this.curve = new Curve(streams.elementsPerChunk());
    this.tape = Tape.on(device);
  }

  static CharacterTraining fresh(Device device, Corpus corpus, Settings settings) {
    Vocabulary vocabulary = Vocabulary.of(corpus.text());
    CharacterModel model =
        new CharacterModel(
            settings.cell(),
            settings.hidden(),
            settings.layers(),
            vocabulary,
            device,
            settings.seed());
    return new CharacterTraining(device, corpus, settings, model);
  }

  /** Goes on where a file stopped, with the settings and on the text that it was made with. */
  static CharacterTraining resumed(Device device, Corpus corpus, Path path) throws IOException {
    Safetensors file = Safetensors.read(path);
    CharacterModel model = CharacterModel.like(path, file, device);
    Map<String, String> facts = file.metadata();
    if (!corpus.digest().equals(facts.get("text.sha256"))) {
      throw new IllegalArgumentException(
          "%s: it was trained on %s (%s), not on %s (%s); give --text as it was then"
              .formatted(
                  path,
                  facts.get("text"),
                  facts.get("text.sha256"),
                  corpus.name(),
                  corpus.digest()));
    }
    Settings settings = settings(path, facts);
    int epoch = number(path, facts, "epoch");
    int chunk = number(path, facts, "chunk");
    CharacterTraining training = new CharacterTraining(device, corpus, settings, model);
    Checkpoint.load(path, file, model.chain(), training.adam);
    training.epoch = epoch;
    training.chunk = chunk;
    training.curve = Curve.of(training.streams.elementsPerChunk(), facts.get(Curve.FACT));
    return training;
  }

  private static Settings settings(Path path, Map<String, String> facts) {
    try {
      return new Settings(
          CharacterModel.Kind.valueOf(facts.get("cell")),
          number(path, facts, "hidden"),
          number(path, facts, "layers"),
          number(path, facts, "batch"),
          number(path, facts, "steps"),
          Float.parseFloat(String.valueOf(facts.get("rate"))),
          Long.parseLong(String.valueOf(facts.get("seed"))));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: rate=%s, seed=%s; need numbers"
              .formatted(path, facts.get("rate"), facts.get("seed")),
          e);
    }
  }

  private static int number(Path path, Map<String, String> facts, String name) {
    String text = facts.get(name);
    if (text == null || !text.matches("\\d{1,9}")) {
      throw new IllegalArgumentException(
          "%s: %s=%s; it is no training of 'recur train' that can go on"
              .formatted(path, name, text));
    }
    return Integer.parseInt(text);
  }

  CharacterModel model() {
    return model;
  }

  Curve curve() {
    return curve;
  }

  /** Bits a character on the text that was not learnt. */
  double heldOut() {
    return model.bitsPerCharacter(device, rest);
  }

  /**
   * Trains until the passes are done or the time is up, saving now and then.
   *
   * @param epochs passes since the beginning, or no limit
   * @param minutes from now
   * @param out where to save
   * @param saveSeconds between savings
   */
  void run(@Nullable Integer epochs, double minutes, Path out, double saveSeconds)
      throws IOException {
    Clock clock = new Clock(minutes, saveSeconds);
    Trainer trainer =
        new Trainer(model.chain(), adam, tape).clipNorm(LARGEST_NORM).seed(settings.seed());
    long total =
        epochs == null ? Math.max(1, Math.round(minutes * 60)) : (long) epochs * streams.chunks();
    try (ProgressBar bar = bar(epochs == null ? "seconds" : "chunks", total)) {
      trainer.onStep(
          event -> {
            chunk = event.chunk() + 1;
            curve.add(event.loss() / LOG_2);
            long done = (long) epoch * streams.chunks() + chunk;
            bar.stepTo(epochs == null ? Math.min(total, (long) clock.seconds()) : done);
            bar.setExtraMessage(clock.message(event.loss() / LOG_2, streams.elementsPerChunk()));
            if (clock.isTimeToSave()) {
              saveUnchecked(out);
            }
            return !clock.isOver();
          });
      while (!clock.isOver() && (epochs == null || epoch < epochs)) {
        if (chunk >= streams.chunks()) {
          epoch++;
          chunk = 0;
          continue;
        }
        if (chunk == 0) {
          model.chain().reset();
        }
        trainer.pass(
            chunk,
            streams.chunks(),
            i ->
                CrossEntropy.crossEntropy(
                    model.chain().apply(streams.input(tape, i)), streams.target(tape, i)));
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static ProgressBar bar(String unit, long total) {
    return new ProgressBarBuilder()
        .setTaskName("train")
        .setUnit(" " + unit, 1)
        .setInitialMax(total)
        .setStyle(ProgressBarStyle.ASCII)
        .setMaxRenderedLength(100)
        .setUpdateIntervalMillis(500)
        .build();
  }

  private void saveUnchecked(Path out) {
    try {
      save(out, Double.NaN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes the training to a file, with the held-out figure where it is known. */
  void save(Path out, double bits) throws IOException {
    Map<String, String> facts = model.facts();
    facts.put("batch", Integer.toString(settings.batch()));
    facts.put("steps", Integer.toString(settings.steps()));
    facts.put("rate", Float.toString(settings.rate()));
    facts.put("seed", Long.toString(settings.seed()));
    facts.put("text", corpus.name());
    facts.put("text.sha256", corpus.digest());
    facts.put("epoch", Integer.toString(epoch));
    facts.put("chunk", Integer.toString(chunk));
    if (!Double.isNaN(bits)) {
      facts.put("held-out", String.format(Locale.ROOT, "%.3f bits/char", bits));
    }
    facts.put(Curve.FACT, curve.text());
    Checkpoint.save(out, model.chain(), adam, facts);
  }

  @Override
  public void close() {
    tape.close();
  }

  /** When to stop, when to save, and how fast it goes. */
  private static final class Clock {
    private final long start = System.nanoTime();
    private final double limit;
    private final double saveSeconds;
    private double saved;
    private long characters;
    private double smoothed = Double.NaN;

    Clock(double minutes, double saveSeconds) {
      this.limit = minutes * 60;
      this.saveSeconds = saveSeconds;
    }

    double seconds() {
      return (System.nanoTime() - start) / 1e9;
    }

    boolean isOver() {
      return seconds() >= limit;
    }

    boolean isTimeToSave() {
      if (seconds() - saved < saveSeconds) {
        return false;
      }
      saved = seconds();
      return true;
    }

    String message(double bits, int more) {
      characters += more;
      smoothed = Double.isNaN(smoothed) ? bits : 0.98 * smoothed + 0.02 * bits;
      return String.format(
          Locale.ROOT, " %.3f bits, %.1f kchars/s", smoothed, characters / seconds() / 1e3);
    }
  }
}

package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.CrossEntropy;
import io.recur.grad.Tape;
import io.recur.io.Safetensors;
import io.recur.train.Adam;
import io.recur.train.Checkpoint;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import io.recur.train.show.Bar;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A training of a character model. It can be saved after any step and resumed. */
final class CharacterTraining implements AutoCloseable {
  /**
   * When a run ends and how often it saves.
   *
   * @param epochs the passes over the text since the training began, or null for no limit
   * @param minutes the time from now
   * @param saveSeconds the time between two saves
   */
  record Plan(@Nullable Integer epochs, double minutes, double saveSeconds) {}

  private static final double HELD_OUT = 0.05;
  private static final float LARGEST_NORM = 5;
  private static final double LOG_2 = Math.log(2);

  private final Corpus corpus;
  private final Settings settings;
  private final CharacterModel model;
  private final Adam adam;
  private final Tape tape;
  private final Streams streams;
  private final HeldOut heldOut;
  private final Curve curve;
  private int epoch;
  private int chunk;

  private CharacterTraining(Device device, Corpus corpus, Settings settings, CharacterModel model) {
    int[] text = model.vocabulary().encode(corpus.text());
    int learnt = (int) (text.length * (1 - HELD_OUT));
    this.corpus = corpus;
    this.settings = settings;
    this.model = model;
    if (text.length - learnt < 2) {
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
    int[] rest = Arrays.copyOfRange(text, learnt, text.length);
    this.heldOut = new HeldOut(model, device, rest, settings.batch(), settings.steps());
    this.adam = new Adam(settings.rate());
    this.curve = new Curve(streams.elementsPerChunk(), heldOut.every());
    this.tape = Tape.on(device);
  }

  static CharacterTraining fresh(Device device, Corpus corpus, Settings settings) {
    Vocabulary vocabulary = Vocabulary.of(corpus.text());
    CharacterModel model =
        CharacterModel.fresh(
            settings.cell(),
            settings.hidden(),
            settings.layers(),
            vocabulary,
            device,
            settings.seed());
    return new CharacterTraining(device, corpus, settings, model);
  }

  /**
   * Resumes the training of a file, on the text that it was trained on.
   *
   * @param wanted gives the settings to continue with, from those of the file
   */
  static CharacterTraining resumed(
      Device device, Corpus corpus, Path path, UnaryOperator<Settings> wanted) throws IOException {
    try (Safetensors file = CharacterModel.file(path)) {
      return resumed(device, corpus, path, file, wanted);
    }
  }

  private static CharacterTraining resumed(
      Device device, Corpus corpus, Path path, Safetensors file, UnaryOperator<Settings> wanted)
      throws IOException {
    Map<String, String> facts = file.metadata();
    Settings settings = wanted.apply(Settings.of(path, facts));
    CharacterModel model = CharacterModel.like(path, file, device);
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
    CharacterTraining training = new CharacterTraining(device, corpus, settings, model);
    training.standAt(path, facts);
    Checkpoint.load(path, file, model.chain(), training.adam);
    training.adam.rate(settings.rate());
    training.curve.load(facts);
    return training;
  }

  private void standAt(Path path, Map<String, String> facts) {
    try {
      epoch = Settings.number(facts, "epoch");
      chunk = Settings.number(facts, "chunk");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(path + ": it cannot go on: " + e.getMessage(), e);
    }
  }

  CharacterModel model() {
    return model;
  }

  /** {@return the bits per character on the whole held-out text} */
  double heldOut() {
    return heldOut.whole();
  }

  /**
   * Trains until the passes are done, the time is up or the user interrupts. Saves at intervals.
   *
   * @throws ArithmeticException if the loss is not finite
   */
  void run(Plan plan, Saving saving, Interruption interruption, PrintWriter err) {
    Pace pace = new Pace(plan.minutes(), plan.saveSeconds());
    Trainer trainer =
        new Trainer(model.chain(), adam, tape).clipNorm(LARGEST_NORM).seed(settings.seed());
    Integer epochs = plan.epochs();
    long total =
        epochs == null
            ? Math.max(1, Math.round(plan.minutes() * 60))
            : (long) epochs * streams.chunks();
    try (Bar bar = new Bar(err, "train", epochs == null ? "seconds" : "chunks", total)) {
      trainer.onStep(
          event -> {
            double bits = event.loss() / LOG_2;
            stepped(event.chunk(), bits);
            long done = epochs == null ? Math.min(total, (long) pace.seconds()) : steps();
            bar.show(done, pace.after(bits, streams.elementsPerChunk()));
            if (pace.isTimeToSave()) {
              saving.save(Double.NaN);
            }
            return !pace.isOver() && !interruption.asked();
          });
      while (!pace.isOver() && !interruption.asked() && (epochs == null || epoch < epochs)) {
        pass(trainer);
      }
    }
  }

  private void pass(Trainer trainer) {
    if (chunk >= streams.chunks()) {
      epoch++;
      chunk = 0;
      return;
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

  private void stepped(int done, double bits) {
    chunk = done + 1;
    curve.add(bits);
    if (curve.isTimeToMeasure(steps())) {
      curve.measured(steps(), heldOut.part());
    }
  }

  /** {@return the number of steps since the training began} */
  private long steps() {
    return (long) epoch * streams.chunks() + chunk;
  }

  /** Draws the learning curve. The title gives the bits per character of the held-out text. */
  void draw(Path picture, double bits) throws IOException {
    String title =
        String.format(Locale.ROOT, "%s: held out %.3f bits per character", settings, bits);
    curve.draw(picture, title, corpus.name());
  }

  /**
   * Writes the training to a file.
   *
   * @param bits the bits per character of the held-out text, or NaN if they were not measured
   * @throws ArithmeticException if the model's scores are not finite; the file is then unchanged
   */
  void save(Path out, double bits) throws IOException {
    if (!Double.isFinite(heldOut.part())) {
      throw new ArithmeticException(
          "%s: not saved: the model gives no numbers after step=%d, rate=%s; lower the learning rate"
              .formatted(out, steps(), settings.rate()));
    }
    Map<String, String> facts = model.facts();
    settings.addTo(facts);
    facts.put("text", corpus.name());
    facts.put("text.sha256", corpus.digest());
    facts.put("epoch", Integer.toString(epoch));
    facts.put("chunk", Integer.toString(chunk));
    if (!Double.isNaN(bits)) {
      facts.put("held-out", String.format(Locale.ROOT, "%.3f bits/char", bits));
    }
    curve.addTo(facts);
    Checkpoint.save(out, model.chain(), adam, facts);
  }

  @Override
  public void close() {
    tape.close();
  }
}

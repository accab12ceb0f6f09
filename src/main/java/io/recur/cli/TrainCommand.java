package io.recur.cli;

import io.recur.device.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code recur train}: learns a model of text, character by character. */
@Command(
    name = "train",
    description = {
      "Learns a model of text, character by character, and keeps it in a file.",
      "The last 5 %% of the text are held out to measure it. Without --epochs and --minutes it"
          + " trains for three minutes."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
final class TrainCommand implements Callable<Integer> {
  private static final double DEFAULT_MINUTES = 3;

  @Option(
      names = "--text",
      arity = "1..*",
      paramLabel = "PATH",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "UTF-8 files or folders. Default: java.util of the JDK.")
  private List<Path> text = List.of();

  @Option(names = "--cell", description = "One of: ${COMPLETION-CANDIDATES}.")
  private CharacterModel.Kind cell = CharacterModel.Kind.lstm;

  @Option(names = "--hidden", paramLabel = "N", description = "Units of a layer.")
  private int hidden = 256;

  @Option(names = "--layers", paramLabel = "N", description = "Recurrent layers.")
  private int layers = 1;

  @Option(names = "--batch", paramLabel = "N", description = "Streams side by side.")
  private int batch = 32;

  @Option(names = "--steps", paramLabel = "N", description = "Steps between truncations.")
  private int steps = 64;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the text.")
  private @Nullable Integer epochs;

  @Option(names = "--minutes", paramLabel = "M", description = "Time to train in this run.")
  private @Nullable Double minutes;

  @Option(names = "--rate", paramLabel = "R", description = "Learning rate of Adam.")
  private float rate = 0.002f;

  @Option(names = "--seed", paramLabel = "N", description = "Of the initial weights.")
  private long seed;

  @Option(names = "--out", paramLabel = "FILE", description = "Where to keep the model.")
  private Path out = Path.of("character-model.safetensors");

  @Option(
      names = "--resume",
      paramLabel = "FILE",
      description = "Goes on with a training; the model and its settings are those of the file.")
  private @Nullable Path resume;

  @Option(
      names = "--save-seconds",
      paramLabel = "S",
      description = "The model is saved this often, and at the end.")
  private double saveSeconds = 30;

  @Mixin private DeviceOptions options = new DeviceOptions();

  @Spec private CommandSpec spec;

  TrainCommand() {}

  @Override
  public Integer call() throws Exception {
    check();
    try (Device device = options.open()) { // before a long text is read
      train(device);
      return 0;
    }
  }

  private void train(Device device) throws IOException {
    CharacterTraining.Settings settings =
        new CharacterTraining.Settings(cell, hidden, layers, batch, steps, rate, seed);
    Corpus corpus = text.isEmpty() ? Corpus.java() : Corpus.of(text);
    PrintWriter console = spec.commandLine().getOut();
    try (CharacterTraining training =
        resume == null
            ? CharacterTraining.fresh(device, corpus, settings)
            : CharacterTraining.resumed(device, corpus, resume)) {
      PrintWriter err = spec.commandLine().getErr();
      err.println(corpus.name() + ": " + corpus.text().length() + " characters");
      err.println(device);
      err.println(training.model().chain());
      err.flush();
      training.run(epochs, limit(), out, saveSeconds);
      double bits = training.heldOut();
      training.save(out, bits);
      Path picture = Path.of(out.toString().replaceFirst("\\.safetensors$", "") + ".png");
      String drawn = draw(training, picture, corpus.name(), bits);
      console.println(training.model().sample(device, "", 500, 0.8, seed));
      console.println();
      console.printf("model %s, learning curve %s%n", out, drawn);
      console.printf(Locale.ROOT, "held-out %.3f bits/char%n", bits);
      console.flush();
    }
  }

  /** The picture's name, or why there is none: a JDK without fonts must not lose a training. */
  private static String draw(CharacterTraining training, Path picture, String title, double bits) {
    try {
      training.curve().draw(picture, title, bits);
      return picture.toString();
    } catch (IOException | RuntimeException | LinkageError | InternalError e) {
      return "not drawn: " + e;
    }
  }

  private double limit() {
    if (minutes != null) {
      return minutes;
    }
    return epochs == null ? DEFAULT_MINUTES : Double.POSITIVE_INFINITY;
  }

  private void check() throws Exception {
    boolean positive =
        hidden > 0
            && layers > 0
            && batch > 0
            && steps > 0
            && rate > 0
            && saveSeconds > 0
            && (epochs == null || epochs > 0)
            && (minutes == null || minutes > 0);
    if (!positive) {
      throw new ParameterException(
          spec.commandLine(),
          "--hidden, --layers, --batch, --steps, --epochs, --minutes, --rate and --save-seconds"
              + " must be more than 0");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new IllegalArgumentException(
          out + ": cannot be written; name a file in a folder that exists and can be written");
    }
  }
}

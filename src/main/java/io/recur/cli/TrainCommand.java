package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Safetensors;
import io.recur.nn.Sampler;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  /** The exit status after Ctrl-C. After SIGTERM the JVM exits with 143 by itself. */
  private static final int INTERRUPTED = 130;

  @Option(
      names = "--text",
      arity = "1..*",
      paramLabel = "PATH",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "UTF-8 files, folders or - for standard input. Default: java.util of the JDK.")
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

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to keep the model: a new file, or a checkpoint to overwrite.")
  private Path out = Path.of("character-model.safetensors");

  @Option(
      names = "--resume",
      paramLabel = "FILE",
      description =
          "Resumes a training. The file decides cell, hidden, layers, batch, steps and seed;"
              + " --rate may be another.")
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
    PrintWriter err = spec.commandLine().getErr();
    try (Interruption interruption = new Interruption(err);
        Device device = options.open()) { // fails before a long text is read
      Corpus corpus = text.isEmpty() ? Corpus.java() : Corpus.of(text);
      try (CharacterTraining training = training(device, corpus)) {
        err.println(Printable.of(corpus.name()) + ": " + corpus.text().length() + " characters");
        err.println(device);
        err.println(training.model().chain());
        err.flush();
        return train(training, device, interruption, err);
      }
    }
  }

  private CharacterTraining training(Device device, Corpus corpus) throws IOException {
    Settings settings = new Settings(cell, hidden, layers, batch, steps, rate, seed);
    return resume == null
        ? CharacterTraining.fresh(device, corpus, settings)
        : CharacterTraining.resumed(device, corpus, resume, this::goneOnWith);
  }

  /** {@return the file's settings, with the rate of the command line if there is one} */
  private Settings goneOnWith(Settings file) {
    refuseOther("--cell", cell, file.cell());
    refuseOther("--hidden", hidden, file.hidden());
    refuseOther("--layers", layers, file.layers());
    refuseOther("--batch", batch, file.batch());
    refuseOther("--steps", steps, file.steps());
    refuseOther("--seed", seed, file.seed());
    return isGiven("--rate") ? file.withRate(rate) : file;
  }

  private void refuseOther(String option, Object given, Object file) {
    if (isGiven(option) && !given.equals(file)) {
      throw new ParameterException(
          spec.commandLine(),
          "%s=%s, but %s was trained with %s, which --resume keeps: leave %s out, or train anew"
              .formatted(option, given, resume, file, option));
    }
  }

  private boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  private int train(
      CharacterTraining training, Device device, Interruption interruption, PrintWriter err)
      throws IOException {
    boolean ownPicture = Files.exists(out) || !Files.exists(picture());
    Saving saving = new Saving(training, out, err);
    String outcome = "not saved; " + out + " is as it was";
    interruption.begin();
    try {
      training.run(
          new CharacterTraining.Plan(epochs, limit(), saveSeconds), saving, interruption, err);
      saving.save(Double.NaN);
      outcome =
          saving.failure() == null
              ? "stopped; the training is in %s; resume it with: %s".formatted(out, goOn())
              : "stopped; not saved: " + saving.failure();
    } finally {
      interruption.end(outcome);
    }
    if (interruption.asked()) {
      return INTERRUPTED;
    }
    double bits = training.heldOut();
    saving.save(bits);
    show(training, device, bits, saving.failure(), ownPicture);
    return saving.failure() == null ? 0 : 1;
  }

  private void show(
      CharacterTraining training,
      Device device,
      double bits,
      @Nullable String failure,
      boolean ownPicture) {
    PrintWriter console = spec.commandLine().getOut();
    String drawn =
        ownPicture
            ? draw(training, bits)
            : "not drawn: %s is of something else".formatted(picture());
    training.model().sample(device, "", 500, Sampler.of(0.8), seed, console);
    console.println();
    console.printf(
        "model %s, learning curve %s%n", failure == null ? out : "not saved: " + failure, drawn);
    console.printf(Locale.ROOT, "held-out %.3f bits/char%n", bits);
    console.flush();
  }

  private Path picture() {
    return Path.of(out.toString().replaceFirst("\\.safetensors$", "") + ".png");
  }

  /** Draws the curve. Returns its name, or why there is none: no font must not lose a training. */
  private String draw(CharacterTraining training, double bits) {
    try {
      training.draw(picture(), bits);
      return picture().toString();
    } catch (IOException | RuntimeException | LinkageError e) {
      return "not drawn: " + Failure.cause(e);
    }
  }

  /** {@return the command that resumes this training} */
  private String goOn() {
    List<String> words = new ArrayList<>(List.of("recur", "train"));
    if (!text.isEmpty()) {
      words.add("--text");
      text.forEach(path -> words.add(quoted(path)));
    }
    words.addAll(List.of("--resume", quoted(out), "--out", quoted(out)));
    if (epochs != null) {
      words.addAll(List.of("--epochs", epochs.toString()));
    }
    return String.join(" ", words);
  }

  private static String quoted(Path path) {
    String name = path.toString();
    return name.matches("[\\w./:=@%+,-]+") ? name : "'" + name.replace("'", "'\\''") + "'";
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
            && Float.isFinite(rate)
            && saveSeconds > 0
            && (epochs == null || epochs > 0)
            && (minutes == null || minutes > 0);
    if (!positive) {
      throw new ParameterException(
          spec.commandLine(),
          "--hidden, --layers, --batch, --steps, --epochs, --minutes, --rate and --save-seconds"
              + " must be more than 0, --rate a finite number");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out) || !Files.isDirectory(folder) || !Files.isWritable(folder)) {
      throw new IllegalArgumentException(
          out + ": cannot be written; name a file in a folder that exists and can be written");
    }
    if (Files.exists(out)) {
      refuseOther(out);
    }
  }

  /** Throws unless the file is a checkpoint of Recur, since the training overwrites it. */
  private static void refuseOther(Path out) throws IOException {
    String found;
    try (Safetensors file = Safetensors.read(out)) {
      found = "format=" + file.metadata().get("format");
    } catch (IllegalArgumentException e) {
      found = e.getMessage();
    }
    if (!found.startsWith("format=recur ")) {
      throw new IllegalArgumentException(
          "--out %s: it exists and is no checkpoint of Recur (%s); name another file"
              .formatted(out, found));
    }
  }
}

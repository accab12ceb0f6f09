package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Models;
import io.recur.io.Safetensors;
import io.recur.io.Weights;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint or a file of weights of Recur. One of {@code recur train} or {@code recur convert}
 * tells its model; for another an option does.
 *
 * @param path for errors
 * @param file the open file
 */
record CheckpointFile(Path path, Safetensors file) implements ModelFile {
  private static final String VOCABULARY = "vocabulary";
  private static final String LAYERS = "recur.layers";

  /** Those that a checkpoint adds for an optimiser, whose memory is left behind. */
  private static final Set<String> OF_OPTIMISER =
      Set.of("optimiser", "optimiser.steps", "optimiser.rate");

  private boolean isCharacterModel() {
    return file.metadata().containsKey(VOCABULARY) || file.metadata().containsKey("cell");
  }

  @Override
  public void describe(PrintWriter out) throws IOException {
    if (!isCharacterModel()) {
      describeLayers(out);
      return;
    }
    try (Device device = Device.cpu()) {
      CharacterModel model = CharacterModel.like(path, file, device);
      Weights.load(path, file, model.chain());
      out.println(model.chain());
      out.println();
      out.printf(
          Locale.ROOT,
          "vocabulary: %d characters: %s%n",
          model.vocabulary().size(),
          model.vocabulary().printable());
      facts(out);
    }
  }

  private void describeLayers(PrintWriter out) {
    long values = file.tensors().values().stream().mapToLong(t -> t.count()).sum();
    out.printf(
        Locale.ROOT, "weights of Recur: %d tensors, %d values%n", file.tensors().size(), values);
    if (!Models.isTold(file)) {
      layers().forEach(line -> out.println("  " + Printable.of(line)));
    }
    file.tensors().forEach((name, tensor) -> out.println("  " + Printable.of(name) + " " + tensor));
    if (Models.isTold(file)) {
      out.println();
      Models.like(path, file).toString().lines().forEach(line -> out.println(Printable.of(line)));
    }
    @Nullable String description = file.metadata().get(LoadedModel.DESCRIPTION);
    if (description != null) {
      out.println();
      out.println("model: " + Printable.of(description));
    }
    if (isBatchFirst()) {
      out.println("arrays: [batch, time, …]");
    }
    facts(out);
  }

  private void facts(PrintWriter out) {
    for (Map.Entry<String, String> fact : Weights.facts(file).entrySet()) {
      if (!fact.getKey().equals(VOCABULARY) && !Curve.isFact(fact.getKey())) {
        out.println(Printable.of(fact.getKey()) + ": " + Printable.of(fact.getValue()));
      }
    }
  }

  /** The layers with parameters, as their model prints them. */
  private List<String> layers() {
    return file.metadata().getOrDefault(LAYERS, "").lines().toList();
  }

  @Override
  public LoadedModel load(Device device, ModelOptions options) throws IOException {
    options.refuseFixed(path);
    boolean isTold =
        options.description() == null && Models.isTold(file) && !isCharacterModel(); // has names
    @Nullable Description description = isTold ? stored() : description(options);
    Layer model =
        isTold
            ? Models.read(path, file, device)
            : like(Objects.requireNonNull(description), device);
    Map<String, String> facts = Weights.facts(file);
    facts.keySet().removeAll(OF_OPTIMISER);
    return new LoadedModel(model, description, facts, List.of(), isBatchFirst());
  }

  private boolean isBatchFirst() {
    return file.metadata().containsKey(LoadedModel.BATCH_FIRST);
  }

  /** Reads a model that a description names, in the sizes of the file. */
  private Chain like(Description description, Device device) throws IOException {
    Chain model;
    try {
      model = description.like(file.tensors());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
    }
    Weights.check(path, file, model);
    model.on(device, 0); // memory for the values that are read next
    Weights.load(path, file, model);
    return model;
  }

  /** The names of modules, of a file that was imported from PyTorch. */
  private @Nullable Description stored() {
    String text = file.metadata().get(LoadedModel.DESCRIPTION);
    try {
      return text == null ? null : Description.of(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
    }
  }

  /** The description of a file that does not say what its model is built of. */
  private Description description(ModelOptions options) {
    @Nullable Description named = options.description();
    if (named == null) {
      named = stored();
    }
    Map<String, String> facts = file.metadata();
    if (named == null && isCharacterModel()) {
      named =
          Description.of(
              "%s rnn layers=%s, linear head".formatted(facts.get("cell"), facts.get("layers")));
    }
    if (named == null) {
      throw new IllegalArgumentException(
          path
              + ": it does not tell its model; give that with --as, in the order of its layers: "
              + layers().stream().map(Printable::of).collect(Collectors.joining(", ")));
    }
    return named;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}

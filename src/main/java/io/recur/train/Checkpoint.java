package io.recur.train;

import io.recur.device.Buffer;
import io.recur.grad.Parameter;
import io.recur.io.Role;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import io.recur.io.Weights;
import io.recur.nn.Layer;
import io.recur.nn.Parameters;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Saves and loads a training as a safetensors file: the parameters, the optimiser's memory, the
 * states of the Recurs, the number of steps, and strings of the caller.
 *
 * <p>A training that was killed and continues from its last checkpoint gives the same losses as one
 * that ran through. A tensor's name gives its {@linkplain Role role}: parameters have their names
 * of {@link io.recur.nn.Parameters#named}, {@code optimiser.N} is slot N of the optimiser's memory,
 * {@code state.R.P} is part P of the state of Recur R. {@link Weights#load} loads the parameters
 * alone.
 *
 * <pre>{@code
 * Checkpoint.save(path, model, adam, Map.of("seed", "42"));
 * Map<String, String> facts = Checkpoint.load(path, model, adam);
 * }</pre>
 */
public final class Checkpoint {
  private static final String OPTIMISER = "optimiser";
  private static final String STEPS = "optimiser.steps";
  private static final String RATE = "optimiser.rate";
  private static final Set<String> NUMBERS = Set.of(OPTIMISER, STEPS, RATE);

  private Checkpoint() {}

  /**
   * Writes a checkpoint, as {@link Safetensors#write} writes a file: at any moment the file is the
   * old one or the complete new one.
   *
   * @param path the file
   * @param model a model that is placed on a device
   * @param optimiser the model's optimiser, or null to save the model alone
   * @param facts strings to store with the checkpoint
   * @throws IOException if the file cannot be written; an old file is then unchanged
   * @throws IllegalArgumentException if a fact or a parameter has a reserved name; nothing is then
   *     written
   */
  public static void save(
      Path path, Layer model, @Nullable Optimiser optimiser, Map<String, String> facts)
      throws IOException {
    save(path, model, optimiser, facts, Map.of());
  }

  /**
   * {@link #save(Path, Layer, Optimiser, Map)} without facts.
   *
   * @param path the file
   * @param model a model that is placed on a device
   * @param optimiser the model's optimiser, or null to save the model alone
   * @throws IOException if the file cannot be written; an old file is then unchanged
   */
  public static void save(Path path, Layer model, @Nullable Optimiser optimiser)
      throws IOException {
    save(path, model, optimiser, Map.of());
  }

  /** Writes a checkpoint with {@linkplain Role#COPY copies of parameters} by name. */
  static void save(
      Path path,
      Layer model,
      @Nullable Optimiser optimiser,
      Map<String, String> facts,
      Map<String, Parameter> copies)
      throws IOException {
    for (String name : NUMBERS) {
      if (facts.containsKey(name)) {
        throw new IllegalArgumentException(
            "save: a fact is named %s; a checkpoint keeps that name for itself".formatted(name));
      }
    }
    Map<String, String> metadata = Weights.metadata(model, facts);
    Map<String, StoredTensor> tensors = Weights.tensors(model);
    if (optimiser != null) {
      metadata.put(OPTIMISER, optimiser.getClass().getSimpleName());
      metadata.put(STEPS, Long.toString(optimiser.steps()));
      metadata.put(RATE, Float.toString(optimiser.rate()));
      for (int s = 0; s < optimiser.slots(); s++) {
        long[] dimensions = {floats(model.parameters())};
        Buffer[] memory = optimiser.memory(model.parameters(), s);
        tensors.put(slot(s), StoredTensor.of(dimensions, memory));
      }
    }
    List<List<Snapshot.Part>> states = model.save().states();
    for (int r = 0; r < states.size(); r++) {
      for (int p = 0; p < states.get(r).size(); p++) {
        Snapshot.Part part = states.get(r).get(p);
        int[] dimensions = {part.rows(), part.batch()};
        tensors.put(state(r, p), new StoredTensor(dimensions, part.values()));
      }
    }
    copies.forEach(
        (name, copy) -> tensors.put(name, StoredTensor.of(dimensions(copy), copy.value())));
    new Safetensors(metadata, tensors).write(path);
  }

  private static long[] dimensions(Parameter parameter) {
    return Arrays.stream(parameter.shape().dimensions()).asLongStream().toArray();
  }

  private static String slot(int s) {
    return "optimiser." + s;
  }

  private static String state(int r, int p) {
    return "state." + r + "." + p;
  }

  private static long floats(Parameters parameters) {
    return parameters.spans().stream().mapToLong(Parameters.Span::floats).sum();
  }

  /**
   * Reads a checkpoint into a model of the same structure.
   *
   * @param path the file
   * @param model a model that is placed on a device
   * @param optimiser an optimiser of the kind that was saved, or null to ignore that part
   * @return the strings that were stored with the checkpoint
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file is of another model (the message lists all that is
   *     missing, surplus or different), if it is damaged, or if a weight is not finite; nothing has
   *     then changed
   */
  public static Map<String, String> load(Path path, Layer model, @Nullable Optimiser optimiser)
      throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      return load(path, file, model, optimiser);
    }
  }

  /**
   * Reads an open checkpoint into a model of the same structure.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @param model a model that is placed on a device
   * @param optimiser an optimiser of the kind that was saved, or null to ignore that part
   * @param mayBeNotFinite names of parameters that may hold infinities or NaN
   * @return the strings that were stored with the checkpoint
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #load(Path, Layer, Optimiser)} does; nothing has
   *     then changed
   */
  public static Map<String, String> load(
      Path path,
      Safetensors file,
      Layer model,
      @Nullable Optimiser optimiser,
      String... mayBeNotFinite)
      throws IOException {
    return load(path, file, model, optimiser, null, mayBeNotFinite);
  }

  /**
   * Reads a checkpoint, and all its {@linkplain Role#COPY copies} where these are given by name.
   */
  static Map<String, String> load(
      Path path,
      Safetensors file,
      Layer model,
      @Nullable Optimiser optimiser,
      @Nullable Map<String, Parameter> copies,
      String... mayBeNotFinite)
      throws IOException {
    if (!Weights.isKnown(file)) {
      throw new IllegalArgumentException(
          "%s: format=%s; need a checkpoint of Recur, format=%s, with its checksums"
              .formatted(path, file.metadata().get("format"), Weights.FORMAT));
    }
    List<String> misfits = Weights.misfits(file, model);
    List<Recur> recurs = model.recurs();
    compareStates(file, recurs, misfits);
    if (copies != null) {
      Map<String, long[]> wanted = new LinkedHashMap<>();
      copies.forEach((name, copy) -> wanted.put(name, dimensions(copy)));
      compare(file, Role.COPY, wanted, misfits);
    }
    long steps = 0;
    float rate = 0;
    if (optimiser != null) {
      compareOptimiser(file, model.parameters(), optimiser, misfits);
      steps = steps(path, file);
      rate = rate(path, file);
    }
    Weights.refuse(path, misfits);
    checkValues(path, file, model, optimiser != null, copies != null, Set.of(mayBeNotFinite));
    List<Buffer[]> memory = new ArrayList<>();
    for (int s = 0; optimiser != null && s < optimiser.slots(); s++) {
      memory.add(optimiser.memory(model.parameters(), s)); // throws for another model's optimiser
    }
    model.restore(states(file, recurs.size())); // throws before it changes anything
    for (int s = 0; s < memory.size(); s++) {
      file.tensors().get(slot(s)).read(memory.get(s));
    }
    if (optimiser != null) {
      optimiser.resume(steps, rate);
    }
    Weights.copy(file, model);
    if (copies != null) {
      for (Map.Entry<String, Parameter> copy : copies.entrySet()) {
        file.tensors().get(copy.getKey()).read(copy.getValue().value());
      }
    }
    Map<String, String> facts = Weights.facts(file);
    facts.keySet().removeAll(NUMBERS);
    return facts;
  }

  /** Looks for damage in every tensor that will be read. Only parameters must be finite. */
  private static void checkValues(
      Path path,
      Safetensors file,
      Layer model,
      boolean withOptimiser,
      boolean withCopies,
      Set<String> mayBeNotFinite)
      throws IOException {
    Set<String> names = new LinkedHashSet<>(model.parameters().named().keySet());
    Set<String> free = new LinkedHashSet<>(mayBeNotFinite);
    for (String name : file.tensors().keySet()) {
      Role role = Role.of(name);
      if (role == Role.STATE
          || (role == Role.OPTIMISER && withOptimiser)
          || (role == Role.COPY && withCopies)) {
        names.add(name);
        free.add(name);
      }
    }
    Weights.checkValues(path, file, names, free);
  }

  private static void compareOptimiser(
      Safetensors file, Parameters parameters, Optimiser optimiser, List<String> misfits) {
    String kind = optimiser.getClass().getSimpleName();
    if (!kind.equals(file.metadata().get(OPTIMISER))) {
      misfits.add(
          "optimiser=%s, asked for %s; use the one it was saved with"
              .formatted(file.metadata().get(OPTIMISER), kind));
      return;
    }
    Map<String, long[]> wanted = new LinkedHashMap<>();
    for (int s = 0; s < optimiser.slots(); s++) {
      wanted.put(slot(s), new long[] {floats(parameters)});
    }
    compare(file, Role.OPTIMISER, wanted, misfits);
  }

  /** Each Recur's state has the model's parts and units and one batch size, or it is fresh. */
  private static void compareStates(Safetensors file, List<Recur> recurs, List<String> misfits) {
    Map<String, long[]> wanted = new LinkedHashMap<>();
    for (int r = 0; r < recurs.size(); r++) {
      List<Parameter> initial = recurs.get(r).cell().state0();
      long batch = batch(file, r, initial.size());
      for (int p = 0; batch >= 0 && p < initial.size(); p++) {
        wanted.put(state(r, p), new long[] {initial.get(p).shape().rows(), batch});
      }
    }
    compare(file, Role.STATE, wanted, misfits);
  }

  /** {@return the batch size of a Recur's state in the file; −1 if the state is fresh} */
  private static long batch(Safetensors file, int r, int parts) {
    for (int p = 0; p < parts; p++) {
      StoredTensor entry = file.tensors().get(state(r, p));
      if (entry != null) {
        return entry.dimensions().length == 2 ? Math.max(1, entry.dimensions()[1]) : 1;
      }
    }
    return -1;
  }

  private static void compare(
      Safetensors file, Role role, Map<String, long[]> wanted, List<String> misfits) {
    wanted.forEach(
        (name, dimensions) -> {
          StoredTensor entry = file.tensors().get(name);
          if (entry == null
              || !entry.dtype().isFloat()
              || !Arrays.equals(entry.dimensions(), dimensions)) {
            misfits.add(
                "%s is %s in the file; need %s"
                    .formatted(
                        name, entry == null ? "nothing" : entry, Arrays.toString(dimensions)));
          }
        });
    file.tensors().keySet().stream()
        .filter(name -> Role.of(name) == role && !wanted.containsKey(name))
        .forEach(name -> misfits.add(name + " is in the file and not in the model"));
  }

  private static Snapshot states(Safetensors file, int recurs) throws IOException {
    List<List<Snapshot.Part>> states = new ArrayList<>();
    for (int r = 0; r < recurs; r++) {
      List<Snapshot.Part> parts = new ArrayList<>();
      StoredTensor entry = file.tensors().get(state(r, 0));
      for (int p = 0; entry != null; entry = file.tensors().get(state(r, ++p))) {
        long[] dimensions = entry.dimensions();
        parts.add(
            new Snapshot.Part(
                Math.toIntExact(dimensions[0]), Math.toIntExact(dimensions[1]), entry.values()));
      }
      states.add(parts);
    }
    return new Snapshot(states);
  }

  private static long steps(Path path, Safetensors file) {
    String text = String.valueOf(file.metadata().get(STEPS));
    if (!text.matches("\\d{1,18}")) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need a whole number of 0 or more".formatted(path, STEPS, text));
    }
    return Long.parseLong(text);
  }

  private static float rate(Path path, Safetensors file) {
    String text = String.valueOf(file.metadata().get(RATE));
    float rate =
        text.matches("\\d{1,20}(\\.\\d{1,20})?(E-?\\d{1,3})?") ? Float.parseFloat(text) : Float.NaN;
    if (!Float.isFinite(rate)) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need a finite number of 0 or more".formatted(path, RATE, text));
    }
    return rate;
  }
}

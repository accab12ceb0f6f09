package io.recur.train;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.io.Safetensors;
import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A training as a safetensors file: parameters, what the optimiser remembers, the states of the
 * Recurs, the step, and whatever strings the caller adds.
 *
 * <p>A training that is killed and goes on from its last checkpoint gives the losses of one that
 * was not. Names: parameters as in {@link io.recur.nn.Parameters#named}, then {@code optimiser.0 …}
 * and {@code state.R.P} for part P of Recur R.
 *
 * <pre>{@code
 * Checkpoint.save(path, model, adam, Map.of("seed", "42"));
 * Map<String, String> facts = Checkpoint.load(path, model, adam);
 * }</pre>
 */
public final class Checkpoint {
  private static final String FORMAT = "recur 1";
  private static final String OPTIMISER = "optimiser.";
  private static final String STATE = "state.";

  private Checkpoint() {}

  /**
   * Writes a checkpoint; the file is either the old one or the whole new one at any moment.
   *
   * @param path where to
   * @param model placed on a device
   * @param optimiser of this model, or null for a model alone
   * @param facts strings to keep with it
   * @throws IOException if it cannot be written
   */
  public static void save(
      Path path, Layer model, @Nullable Optimiser optimiser, Map<String, String> facts)
      throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>(facts);
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    metadata.put("format", FORMAT);
    model
        .parameters()
        .named()
        .forEach((name, p) -> put(tensors, name, p.shape().dimensions(), p.toArray()));
    if (optimiser != null) {
      metadata.put("optimiser", optimiser.getClass().getSimpleName());
      metadata.put("optimiser.steps", Long.toString(optimiser.steps()));
      metadata.put("optimiser.rate", Float.toString(optimiser.rate()));
      List<float[]> slots = optimiser.save(model.parameters());
      for (int s = 0; s < slots.size(); s++) {
        put(tensors, OPTIMISER + s, new int[] {slots.get(s).length}, slots.get(s));
      }
    }
    List<List<Snapshot.Part>> states = model.save().states();
    for (int r = 0; r < states.size(); r++) {
      for (int p = 0; p < states.get(r).size(); p++) {
        Snapshot.Part part = states.get(r).get(p);
        int[] dimensions = {part.rows(), part.batch()};
        put(tensors, STATE + r + "." + p, dimensions, part.values());
      }
    }
    new Safetensors(metadata, tensors).write(path);
  }

  private static void put(
      Map<String, Safetensors.Entry> tensors, String name, int[] dimensions, float[] values) {
    tensors.put(name, new Safetensors.Entry(dimensions, values));
  }

  /**
   * Reads a checkpoint into a model of the same structure.
   *
   * @param path of a checkpoint
   * @param model placed on a device
   * @param optimiser of the kind that was saved, or null to leave that part
   * @return the strings that were kept with it
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is of another model; nothing has then changed
   */
  public static Map<String, String> load(Path path, Layer model, @Nullable Optimiser optimiser)
      throws IOException {
    return load(path, Safetensors.read(path), model, optimiser);
  }

  /**
   * Takes a checkpoint that was read already.
   *
   * @param path it came from, for errors
   * @param file its content
   * @param model placed on a device
   * @param optimiser of the kind that was saved, or null to leave that part
   * @return the strings that were kept with it
   * @throws IllegalArgumentException if it is of another model; nothing has then changed
   */
  public static Map<String, String> load(
      Path path, Safetensors file, Layer model, @Nullable Optimiser optimiser) {
    if (!FORMAT.equals(file.metadata().get("format"))) {
      throw new IllegalArgumentException(
          "%s: format=%s; need a checkpoint of Recur, format=%s"
              .formatted(path, file.metadata().get("format"), FORMAT));
    }
    Map<String, Parameter> named = model.parameters().named();
    named.forEach((name, parameter) -> check(path, file, name, parameter));
    Snapshot states = states(path, file, model.recurs().size());
    List<float[]> slots = new ArrayList<>();
    long steps = 0;
    float rate = 0;
    if (optimiser != null) {
      String kind = optimiser.getClass().getSimpleName();
      if (!kind.equals(file.metadata().get("optimiser"))) {
        throw new IllegalArgumentException(
            "%s: optimiser=%s, asked for %s; use the one it was saved with"
                .formatted(path, file.metadata().get("optimiser"), kind));
      }
      for (int s = 0; file.tensors().containsKey(OPTIMISER + s); s++) {
        slots.add(file.tensors().get(OPTIMISER + s).values());
      }
      steps = (long) number(path, file, "optimiser.steps");
      rate = (float) number(path, file, "optimiser.rate");
      optimiser.check(model.parameters(), slots);
    }
    model.restore(states); // refuses before it changes; what follows cannot fail
    if (optimiser != null) {
      optimiser.restore(model.parameters(), steps, slots);
      optimiser.rate(rate);
    }
    named.forEach((name, parameter) -> parameter.value().write(file.tensors().get(name).values()));
    return file.metadata();
  }

  private static double number(Path path, Safetensors file, String name) {
    String text = String.valueOf(file.metadata().get(name));
    if (!text.matches("\\d+(\\.\\d+)?(E-?\\d+)?")) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need a number of 0 or more".formatted(path, name, text));
    }
    return Double.parseDouble(text);
  }

  private static void check(Path path, Safetensors file, String name, Parameter parameter) {
    Safetensors.Entry entry = file.tensors().get(name);
    int[] wanted = parameter.shape().dimensions();
    if (entry == null || !Arrays.equals(entry.dimensions(), wanted)) {
      String found = entry == null ? "nothing" : Shape.of(entry.dimensions()).toString();
      throw new IllegalArgumentException(
          "%s: parameter %s is %s in the model and %s in the file; build the model it was saved from"
              .formatted(path, name, parameter.shape(), found));
    }
  }

  private static Snapshot states(Path path, Safetensors file, int recurs) {
    List<List<Snapshot.Part>> states = new ArrayList<>();
    for (int r = 0; r < recurs; r++) {
      List<Snapshot.Part> parts = new ArrayList<>();
      Safetensors.Entry entry = file.tensors().get(STATE + r + ".0");
      for (int p = 0; entry != null; entry = file.tensors().get(STATE + r + "." + ++p)) {
        int[] dimensions = entry.dimensions();
        int batch = dimensions.length == 2 ? dimensions[1] : 0;
        if (batch < 1 || (p > 0 && batch != parts.getFirst().batch())) {
          throw new IllegalArgumentException(
              "%s: state.%d.%d is %s; need units × batch, one batch for all of a state"
                  .formatted(path, r, p, Arrays.toString(dimensions)));
        }
        parts.add(new Snapshot.Part(dimensions[0], batch, entry.values()));
      }
      states.add(parts);
    }
    return new Snapshot(states);
  }
}

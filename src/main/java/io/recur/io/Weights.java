package io.recur.io;

import io.recur.device.Buffer;
import io.recur.grad.Parameter;
import io.recur.nn.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Saves and loads the parameters of a model as a safetensors file, under the names of {@link
 * io.recur.nn.Parameters#named}.
 *
 * <p>A file records its format and, for each layer that owns parameters, the layer's kind, function
 * and sizes. A load compares these, and the name and size of each parameter, before it changes
 * anything. Files of other programs and of Recur's format 1 record no layers, so a load compares
 * only names and sizes.
 *
 * <pre>{@code
 * Weights.save(path, model, Map.of("trained", "2026-01-31"));
 * Map<String, String> facts = Weights.load(path, model);
 * }</pre>
 *
 * <p>{@link Models} builds the model of a file. A load accepts a checkpoint of a training too. It
 * reads the parameters and ignores the optimiser's memory and the states.
 */
public final class Weights {
  /** The format that this version writes. */
  public static final String FORMAT = "recur 2";

  private static final String FIRST_FORMAT = "recur 1";
  private static final String FORMAT_NAME = "format";
  private static final String LAYERS = "recur.layers";
  private static final int MOST_SHOWN = 1000;

  private Weights() {}

  /**
   * Writes the parameters, as {@link Safetensors#write} writes a file.
   *
   * @param path the file
   * @param model a model that is placed on a device
   * @param facts strings to store with the parameters
   * @throws IOException if the file cannot be written; an old file is then unchanged
   * @throws IllegalArgumentException if a fact or a parameter has a reserved name; nothing is then
   *     written
   */
  public static void save(Path path, Layer model, Map<String, String> facts) throws IOException {
    new Safetensors(metadata(model, facts), tensors(model)).write(path);
  }

  /**
   * {@link #save(Path, Layer, Map)} without facts.
   *
   * @param path the file
   * @param model a model that is placed on a device
   * @throws IOException if the file cannot be written; an old file is then unchanged
   */
  public static void save(Path path, Layer model) throws IOException {
    save(path, model, Map.of());
  }

  /**
   * Composes the strings of a file: the format, the layers, what the model is built of where that
   * can be said, and the facts.
   *
   * @param model the model to save
   * @param facts the caller's strings
   * @return a new, modifiable map
   * @throws IllegalArgumentException if a fact has the reserved name {@code format} or a name that
   *     begins with {@code recur.}
   */
  public static Map<String, String> metadata(Layer model, Map<String, String> facts) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT_NAME, FORMAT);
    metadata.put(LAYERS, String.join("\n", layers(model)));
    if (Structure.unknown(model).isEmpty()) {
      metadata.put(Models.STRUCTURE, Structure.of(model));
    }
    facts.forEach(
        (name, fact) -> {
          if (isReserved(name)) {
            throw new IllegalArgumentException(
                "save: a fact is named %s; Recur keeps that name for itself".formatted(name));
          }
          metadata.put(name, fact);
        });
    return metadata;
  }

  private static boolean isReserved(@Nullable String name) {
    return name != null && (name.equals(FORMAT_NAME) || name.startsWith("recur."));
  }

  /**
   * Finds the facts of a file: its strings except those that {@link #metadata} adds.
   *
   * @param file an open file
   * @return a new, modifiable map
   */
  public static Map<String, String> facts(Safetensors file) {
    Map<String, String> facts = new LinkedHashMap<>(file.metadata());
    facts.keySet().removeIf(Weights::isReserved);
    return facts;
  }

  /**
   * Describes the parameters as tensors of a file. Their values are read when the file is written.
   *
   * @param model a model that is placed on a device
   * @return a new, modifiable map
   * @throws IllegalArgumentException if a parameter has a name of another {@link Role}
   */
  public static Map<String, StoredTensor> tensors(Layer model) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    model
        .parameters()
        .named()
        .forEach(
            (name, parameter) -> {
              if (Role.of(name) != Role.PARAMETER) {
                throw new IllegalArgumentException(
                    "save: a parameter is named %s; that is the name of a tensor of role %s"
                        .formatted(name, Role.of(name)));
              }
              tensors.put(name, StoredTensor.of(dimensions(parameter), values(parameter)));
            });
    return tensors;
  }

  private static Buffer values(Parameter parameter) {
    return parameter.value().slice(0, parameter.shape().count());
  }

  private static long[] dimensions(Parameter parameter) {
    return Arrays.stream(parameter.shape().dimensions()).asLongStream().toArray();
  }

  private static List<String> layers(Layer model) {
    return model.all().stream()
        .filter(layer -> !layer.own().isEmpty())
        .map(layer -> layer.describe().replace('\n', ' '))
        .toList();
  }

  /**
   * Reads the parameters of a file into a model. They may be of any type of {@link Dtype#isFloat}.
   * The model's states do not change.
   *
   * @param path a file of this class or of another program, or a checkpoint
   * @param model a model of the file's structure, placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or NaN
   * @return the facts that were saved with the parameters
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file is of another model (the message lists all that is
   *     missing, surplus or different), if it is damaged, or if a weight is not finite; nothing has
   *     then changed
   */
  public static Map<String, String> load(Path path, Layer model, String... mayBeNotFinite)
      throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      return load(path, file, model, mayBeNotFinite);
    }
  }

  /**
   * Reads the parameters of an open file into a model.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @param model a model of the file's structure, placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or NaN
   * @return the facts that were saved with the parameters
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #load(Path, Layer, String...)} does; nothing has
   *     then changed
   */
  public static Map<String, String> load(
      Path path, Safetensors file, Layer model, String... mayBeNotFinite) throws IOException {
    check(path, file, model);
    checkValues(
        path, file, model.parameters().named().keySet(), Set.copyOf(List.of(mayBeNotFinite)));
    copy(file, model);
    return facts(file);
  }

  /**
   * Reads only the parameters whose name and size the file has too, whatever their layers. Use it
   * to carry weights over to another model.
   *
   * @param path a safetensors file
   * @param model a model that is placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or NaN
   * @return the names that were left out: first the parameters of the model that did not change,
   *     then the parameters of the file that were not read
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file is not a safetensors file, if it is damaged, or if
   *     a value to be read is not finite; nothing has then changed
   */
  public static List<String> loadMatching(Path path, Layer model, String... mayBeNotFinite)
      throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      Map<String, Parameter> matching = new LinkedHashMap<>(model.parameters().named());
      matching.keySet().removeIf(name -> misfit(file, name, matching.get(name)) != null);
      Set<String> leftOut = new LinkedHashSet<>(model.parameters().named().keySet());
      file.tensors().keySet().stream()
          .filter(name -> Role.of(name) == Role.PARAMETER)
          .forEach(leftOut::add);
      leftOut.removeAll(matching.keySet());
      checkValues(path, file, matching.keySet(), Set.of(mayBeNotFinite));
      for (Map.Entry<String, Parameter> entry : matching.entrySet()) {
        file.tensors().get(entry.getKey()).read(values(entry.getValue()));
      }
      return List.copyOf(leftOut);
    }
  }

  /**
   * Throws if the file's parameters are not the model's. Call it before {@code on}, so that a model
   * that does not fit takes no memory.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @param model a model, placed on a device or not
   * @throws IllegalArgumentException if {@link #misfits} finds a difference; the message lists them
   */
  public static void check(Path path, Safetensors file, Layer model) {
    refuse(path, misfits(file, model));
  }

  /**
   * Throws if there is a reason to refuse a file.
   *
   * @param path the file's path
   * @param reasons what {@link #misfits} found
   * @throws IllegalArgumentException if there is a reason; the message lists them
   */
  public static void refuse(Path path, List<String> reasons) {
    if (!reasons.isEmpty()) {
      String more =
          reasons.size() > MOST_SHOWN ? "; and %d more".formatted(reasons.size() - MOST_SHOWN) : "";
      throw new IllegalArgumentException(
          reasons.stream()
              .limit(MOST_SHOWN)
              .collect(
                  Collectors.joining(
                      "; ", path + ": ", more + "; build the model it was saved from")));
    }
  }

  /**
   * Compares a file's format, layers and parameters with a model's.
   *
   * @param file an open file
   * @param model a model, placed on a device or not
   * @return one line per difference; empty if the file fits
   */
  public static List<String> misfits(Safetensors file, Layer model) {
    List<String> misfits = new ArrayList<>();
    String format = file.metadata().get(FORMAT_NAME);
    if (format != null && format.startsWith("recur") && !isKnown(file)) {
      misfits.add(
          "format=%s%s; need %s with checksums, or %s"
              .formatted(
                  PlainJson.shown(format),
                  file.isChecked() ? "" : " without checksums",
                  FORMAT,
                  FIRST_FORMAT));
    }
    compareLayers(file.metadata().get(LAYERS), layers(model), misfits);
    Map<String, Parameter> named = model.parameters().named();
    named.forEach(
        (name, parameter) -> {
          String misfit = misfit(file, name, parameter);
          if (misfit != null) {
            misfits.add(misfit);
          }
        });
    file.tensors().keySet().stream()
        .filter(name -> Role.of(name) == Role.PARAMETER && !named.containsKey(name))
        .forEach(
            name -> misfits.add(PlainJson.shown(name) + " is in the file and not in the model"));
    return misfits;
  }

  /**
   * Tells whether a file has a format of Recur that this version reads.
   *
   * @param file an open file
   * @return false for files of later formats and of other programs
   */
  public static boolean isKnown(Safetensors file) {
    String format = file.metadata().get(FORMAT_NAME);
    return FIRST_FORMAT.equals(format) || (FORMAT.equals(format) && file.isChecked());
  }

  private static void compareLayers(
      @Nullable String text, List<String> here, List<String> misfits) {
    if (text == null) {
      return;
    }
    List<String> there = text.isEmpty() ? List.of() : List.of(text.split("\n", -1));
    if (here.size() != there.size()) {
      misfits.add(
          "%d layers with parameters are in the model and %d in the file"
              .formatted(here.size(), there.size()));
      return;
    }
    for (int i = 0; i < here.size(); i++) {
      if (!here.get(i).equals(there.get(i))) {
        misfits.add(
            "layer %d is %s in the model and %s in the file"
                .formatted(i, here.get(i), PlainJson.shown(there.get(i))));
      }
    }
  }

  private static @Nullable String misfit(Safetensors file, String name, Parameter parameter) {
    StoredTensor entry = file.tensors().get(name);
    if (entry != null
        && entry.dtype().isFloat()
        && Arrays.equals(entry.dimensions(), dimensions(parameter))) {
      return null;
    }
    return "parameter %s is %s in the model and %s in the file"
        .formatted(name, parameter.shape(), entry == null ? "nothing" : entry);
  }

  /**
   * Reads tensors once, and throws if one is damaged or holds a value that is not finite.
   *
   * @param path the file's path, for errors
   * @param file an open file
   * @param names the tensors to read, all of which the file has
   * @param mayBeNotFinite names of tensors that may hold infinities or NaN
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if a checksum does not match, or if values are not finite; the
   *     message lists each tensor with such a value
   */
  public static void checkValues(
      Path path, Safetensors file, Set<String> names, Set<String> mayBeNotFinite)
      throws IOException {
    List<String> found = new ArrayList<>();
    for (String name : names) {
      long at = file.tensors().get(name).firstNotFinite();
      if (at >= 0 && !mayBeNotFinite.contains(name)) {
        found.add("%s (value %d)".formatted(name, at));
      }
    }
    if (!found.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: weights are not finite: %s; load an earlier file, or allow them by name"
              .formatted(path, String.join(", ", found)));
    }
  }

  /**
   * Copies the parameters of a file into a model. Call {@link #check} before: this method only
   * looks for missing parameters.
   *
   * @param file an open file
   * @param model a model of the file's structure, placed on a device
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file lacks a parameter; nothing has then changed
   */
  public static void copy(Safetensors file, Layer model) throws IOException {
    List<String> missing = new ArrayList<>(model.parameters().named().keySet());
    missing.removeAll(file.tensors().keySet());
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "copy: the file lacks the parameters %s; call check(path, file, model) first"
              .formatted(String.join(", ", missing)));
    }
    for (Map.Entry<String, Parameter> entry : model.parameters().named().entrySet()) {
      file.tensors().get(entry.getKey()).read(values(entry.getValue()));
    }
  }
}

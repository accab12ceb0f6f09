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
 * The parameters of a model as a safetensors file, under the names of {@link
 * io.recur.nn.Parameters#named}.
 *
 * <p>A file names the layers that own parameters, each with kind, function and sizes, and its
 * format. A load compares them, and names and sizes of all parameters, before it changes anything.
 * Files of other programs and of Recur's format 1 name no layers; there names and sizes count.
 *
 * <pre>{@code
 * Weights.save(path, model, Map.of("trained", "2026-01-31"));
 * Map<String, String> facts = Weights.load(path, model);
 * }</pre>
 *
 * <p>A checkpoint of a training is loaded too: what its optimiser remembers and the states of its
 * batch are left in the file.
 */
public final class Weights {
  /** The format of files that are written now. */
  public static final String FORMAT = "recur 2";

  private static final String FIRST_FORMAT = "recur 1";
  private static final String FORMAT_NAME = "format";
  private static final String LAYERS = "recur.layers";
  private static final int MOST_SHOWN = 1000;

  private Weights() {}

  /**
   * Writes the parameters.
   *
   * @param path where to, as {@link Safetensors#write} does
   * @param model placed on a device
   * @param facts strings to keep with them
   * @throws IOException if it cannot be written; an old file is then as it was
   * @throws IllegalArgumentException if a fact or parameter has a name that the file needs for
   *     itself; nothing is then written
   */
  public static void save(Path path, Layer model, Map<String, String> facts) throws IOException {
    new Safetensors(metadata(model, facts), tensors(model)).write(path);
  }

  /**
   * The strings of a file: the facts, the format and the layers.
   *
   * @param model that is saved
   * @param facts of the caller
   * @return a map that may be changed
   * @throws IllegalArgumentException if a fact is named {@code format} or begins as {@code recur.}
   */
  public static Map<String, String> metadata(Layer model, Map<String, String> facts) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT_NAME, FORMAT);
    metadata.put(LAYERS, String.join("\n", layers(model)));
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
   * The strings of a file that {@link #metadata} was given.
   *
   * @param file read
   * @return a map that may be changed
   */
  public static Map<String, String> facts(Safetensors file) {
    Map<String, String> facts = new LinkedHashMap<>(file.metadata());
    facts.keySet().removeIf(Weights::isReserved);
    return facts;
  }

  /**
   * The parameters as tensors of a file to be written; they are read when it is.
   *
   * @param model placed on a device
   * @return a map that may be changed
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
   * Reads the parameters of a file, of any floating-point type. States stay as they are.
   *
   * @param path of a file of this class or of another program, or of a checkpoint
   * @param model placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or not-a-numbers
   * @return the facts that were saved with it
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is of another model, with all that is missing, surplus
   *     or misfitting, if it is damaged, or if weights are not finite; nothing has then changed
   */
  public static Map<String, String> load(Path path, Layer model, String... mayBeNotFinite)
      throws IOException {
    try (Safetensors file = Safetensors.read(path)) {
      return load(path, file, model, mayBeNotFinite);
    }
  }

  /**
   * Reads the parameters of a file whose header was read already.
   *
   * @param path it came from, for errors
   * @param file read
   * @param model placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or not-a-numbers
   * @return the facts that were saved with it
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException as {@link #load(Path, Layer, String...)}; nothing has then
   *     changed
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
   * Reads what fits: each parameter whose name and size the file has too, whatever its layer. This
   * is for transfer between models.
   *
   * @param path of a safetensors file
   * @param model placed on a device
   * @param mayBeNotFinite names of parameters that may hold infinities or not-a-numbers
   * @return the names that were left out: parameters of the model that stay as they are, then
   *     tensors of the file, states and an optimiser's memory aside
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if it is no such file, is damaged, or values to be taken are
   *     not finite; nothing has then changed
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
   * Refuses a file whose parameters are not the model's. The model needs no memory for that, so
   * this comes before {@code on}.
   *
   * @param path it came from, for errors
   * @param file read
   * @param model placed or not
   * @throws IllegalArgumentException with all that is missing, surplus or misfitting
   */
  public static void check(Path path, Safetensors file, Layer model) {
    refuse(path, misfits(file, model));
  }

  /**
   * Refuses a file for reasons, if there are any.
   *
   * @param path it came from
   * @param reasons such as {@link #misfits} finds
   * @throws IllegalArgumentException with all of them
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
   * What of a file's format, layers and parameters is not the model's.
   *
   * @param file read
   * @param model placed or not
   * @return one line for each difference; none where the file fits
   */
  public static List<String> misfits(Safetensors file, Layer model) {
    List<String> misfits = new ArrayList<>();
    String format = file.metadata().get(FORMAT_NAME);
    if (format != null && format.startsWith("recur") && !isKnown(file)) {
      misfits.add(
          "format=%s%s; need %s with checksums, or %s"
              .formatted(
                  Json.shown(format),
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
        .forEach(name -> misfits.add(Json.shown(name) + " is in the file and not in the model"));
    return misfits;
  }

  /**
   * Whether a file is of a format of Recur's that is read.
   *
   * @param file read
   * @return false for files of other programs too
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
                .formatted(i, here.get(i), Json.shown(there.get(i))));
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
   * Reads tensors once, and refuses damaged ones and values that are not finite.
   *
   * @param path it came from, for errors
   * @param file read
   * @param names of tensors that it has
   * @param mayBeNotFinite of those whose values may be anything
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException with the names of all weights that are not finite, or if a
   *     checksum does not fit
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
   * Copies the parameters of a file that was checked.
   *
   * @param file of this model
   * @param model placed on a device
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if the file lacks a parameter; nothing has then changed
   */
  public static void copy(Safetensors file, Layer model) throws IOException {
    List<String> missing = new ArrayList<>(model.parameters().named().keySet());
    missing.removeAll(file.tensors().keySet());
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "copy: parameters that the file lacks: %s; check(path, file, model) it first"
              .formatted(String.join(", ", missing)));
    }
    for (Map.Entry<String, Parameter> entry : model.parameters().named().entrySet()) {
      file.tensors().get(entry.getKey()).read(values(entry.getValue()));
    }
  }
}

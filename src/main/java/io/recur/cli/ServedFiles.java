package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Layer;
import io.recur.serve.Batching;
import io.recur.serve.FileStore;
import io.recur.serve.Idle;
import io.recur.serve.SessionStore;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Models of files, each with its sessions and its store. */
final class ServedFiles implements AutoCloseable {
  /** Sessions that nobody calls for are gone. */
  private static final class Nowhere implements SessionStore {
    @Override
    public void put(byte[] key, byte[] value) {}

    @Override
    public boolean holds(byte[] key) {
      return false;
    }

    @Override
    public byte @Nullable [] take(byte[] key) {
      return null;
    }

    @Override
    public long count() {
      return 0;
    }

    @Override
    public void close() {}
  }

  private final Device device;
  private final Batching batching;
  private final int idleSeconds;
  private final @Nullable Path folder;
  private final List<ServedModel> models = new ArrayList<>();
  private final List<SessionStore> stores = new ArrayList<>();

  /**
   * No models yet.
   *
   * @param idleSeconds after which sessions go to the store; 0 for never
   * @param folder of the stores; none where sessions that are idle are closed
   */
  ServedFiles(Device device, Batching batching, int idleSeconds, @Nullable Path folder) {
    this.device = device;
    this.batching = batching;
    this.idleSeconds = idleSeconds;
    this.folder = folder;
  }

  /**
   * Loads a model, {@code NAME=FILE} or {@code FILE}, and opens its sessions.
   *
   * @param isIndependent whether its columns are independent where it does not tell
   */
  void add(String argument, ModelOptions options, boolean isIndependent) throws IOException {
    int split = argument.matches("[A-Za-z0-9._-]+=.+") ? argument.indexOf('=') : -1;
    Path path = Path.of(argument.substring(split + 1));
    String name = split < 0 ? name(path) : argument.substring(0, split);
    if (models.stream().anyMatch(model -> model.name().equals(name))) {
      throw new IllegalArgumentException(
          "%s: another model is named %s; write NAME=%s".formatted(path, name, path));
    }
    LoadedModel loaded;
    try (ModelFile file = ModelFile.open(path)) {
      loaded = file.load(device, options);
    }
    if (loaded.layer() instanceof OnnxModel && loaded.classes() > 0) {
      throw new IllegalArgumentException(
          path + ": a graph that takes integers and is no chain of layers cannot be served");
    }
    Layer layer = loaded.layer();
    boolean isSaid = isIndependent && !layer.columnsAreIndependent();
    Sessions sessions = opened(path, name, isSaid ? new Independent(layer) : layer);
    ServedModel model = ServedModel.of(name, sessions);
    models.add(model); // from here on they are closed
    models.set(models.size() - 1, described(model, loaded));
  }

  private static String name(Path path) {
    String file = String.valueOf(path.getFileName());
    int dot = file.lastIndexOf('.');
    return (dot > 0 ? file.substring(0, dot) : file).replaceAll("[^A-Za-z0-9._-]", "_");
  }

  private Sessions opened(Path path, String name, Layer layer) throws IOException {
    try {
      if (idleSeconds == 0) {
        return Sessions.open(layer, device, batching);
      }
      SessionStore store = folder == null ? new Nowhere() : FileStore.open(folder.resolve(name));
      stores.add(store);
      return Sessions.open(layer, device, batching, Idle.after(1000L * idleSeconds, store));
    } catch (IllegalArgumentException e) {
      String remedy = layer instanceof OnnxModel ? "; of a graph --independent says so" : "";
      throw new IllegalArgumentException(path + ": " + e.getMessage() + remedy, e);
    }
  }

  /** The model with the sizes, names and characters that its file tells. */
  private ServedModel described(ServedModel model, LoadedModel loaded) {
    ServedModel known = model;
    if (loaded.layer() instanceof OnnxModel graph) {
      known = known.withNames(graph.inputs().getFirst().name(), graph.outputs().getFirst().name());
    }
    int in = loaded.classes() > 0 ? loaded.classes() : values(loaded.layer());
    int out = answered(loaded.layer(), in);
    if (out == 0) {
      return known;
    }
    known = known.withSizes(in, out);
    String vocabulary = loaded.facts().getOrDefault("vocabulary", "");
    boolean isOfText = in == out && vocabulary.codePointCount(0, vocabulary.length()) == in;
    if (isOfText && !vocabulary.isEmpty()) {
      return known.withVocabulary(vocabulary);
    }
    return loaded.classes() > 0 ? known.withSymbols() : known;
  }

  /** The values of a step: what a graph says, or what a chain begins with; 0 where that is open. */
  private static int values(Layer layer) {
    if (!(layer instanceof OnnxModel graph)) {
      return columns(layer);
    }
    List<String> sizes = graph.inputs().getFirst().sizes();
    String last = sizes.isEmpty() ? "" : sizes.getLast();
    return last.matches("\\d{1,9}") ? Integer.parseInt(last) : 0;
  }

  /** The columns of the first matrix, which is as a rule what the input meets; else 0. */
  private static int columns(Layer layer) {
    int columns = layer.own().isEmpty() ? 0 : layer.own().getFirst().shape().columns();
    for (Layer inner : layer.layers()) {
      columns = columns == 0 ? columns(inner) : columns;
    }
    return columns;
  }

  /** The values that the model answers a step of as many with; 0 where it refuses these. */
  private int answered(Layer layer, int in) {
    if (in == 0) {
      return 0;
    }
    try (Layer fork = layer.fork();
        Tape tape = Tape.inference(device)) {
      return fork.apply(tape.input(Shape.of(in), new float[in])).shape().rows();
    } catch (ShapeException e) {
      return 0; // it takes others, which it refuses by itself
    }
  }

  ServedModel[] models() {
    return models.toArray(ServedModel[]::new);
  }

  /** Answers what waits, and moves all sessions to the stores. */
  void drain() throws IOException {
    for (ServedModel model : models) {
      model.sessions().drain();
    }
    for (SessionStore store : stores) {
      store.close();
    }
    stores.clear();
  }

  @Override
  public void close() throws IOException {
    models.forEach(model -> model.sessions().close());
    for (SessionStore store : stores) {
      store.close();
    }
  }
}

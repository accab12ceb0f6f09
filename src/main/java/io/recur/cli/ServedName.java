package io.recur.cli;

import io.recur.device.Device;
import io.recur.nn.Layer;
import io.recur.serve.Batching;
import io.recur.serve.FileStore;
import io.recur.serve.Idle;
import io.recur.serve.ModelVersion;
import io.recur.serve.Moving;
import io.recur.serve.SessionStore;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A name with its versions and their sessions: files in the order of their versions, or a folder
 * with a folder for each version, whose name is its number, as Triton has it. All versions serve
 * side by side; one that replaces the last of the files has its place.
 */
final class ServedName {
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

  /** What a name is served with. */
  interface Loader {
    Servable load(Path file) throws IOException;
  }

  private final String name;
  private final Loader loader;
  private final Device device;
  private final Batching batching;
  private final int idleSeconds;

  /** Of the store; none where sessions that are idle are closed. */
  private final @Nullable Path storeFolder;

  private final List<Path> files = new ArrayList<>();
  private final List<ServedModel> versions = new ArrayList<>();
  private @Nullable Sessions sessions;
  private @Nullable SessionStore store;

  ServedName(
      String name,
      Loader loader,
      Device device,
      Batching batching,
      int idleSeconds,
      @Nullable Path storeFolder) {
    this.name = name;
    this.loader = loader;
    this.device = device;
    this.batching = batching;
    this.idleSeconds = idleSeconds;
    this.storeFolder = storeFolder;
  }

  String name() {
    return name;
  }

  /** Adds a file of a further version; the only one may be a folder of versions. */
  void add(Path file) {
    boolean hasFolder = !files.isEmpty() && (isFolder() || Files.isDirectory(file));
    if (hasFolder) {
      throw new IllegalArgumentException(
          "%s: %s has a folder of versions; need that alone, or a file for each"
              .formatted(file, name));
    }
    files.add(file);
  }

  private boolean isFolder() {
    return Files.isDirectory(files.getFirst());
  }

  /**
   * Loads what is not loaded: all versions at first, later those that are new in the folder, or the
   * last file again. Where it throws for one, those before it are loaded.
   *
   * @param moving when sessions move to the newest version
   * @return the versions, the newest last
   */
  synchronized List<ServedModel> load(Moving moving) throws IOException {
    List<Numbered> all = isFolder() ? ofFolder() : ofFiles();
    List<Servable> models = new ArrayList<>();
    for (Numbered one : all) {
      models.add(loader.load(one.file()));
    }
    boolean isAgain = sessions != null;
    try {
      for (int i = 0; i < all.size(); i++) {
        put(Long.toString(all.get(i).number()), models.get(i), isAgain ? moving : Moving.AT_RESET);
      }
    } catch (RuntimeException | IOException e) {
      if (!isAgain) {
        close();
      }
      throw e;
    }
    if (isAgain) {
      release(all.size());
    }
    return versions();
  }

  /** A version's number for clients, and its file. */
  private record Numbered(long number, Path file) {}

  private List<Numbered> ofFiles() {
    if (sessions != null) {
      long next = 1 + Long.parseLong(versions.getLast().version());
      return List.of(new Numbered(next, files.getLast()));
    }
    List<Numbered> all = new ArrayList<>();
    for (Path file : files) {
      all.add(new Numbered(all.size() + 1L, file));
    }
    return all;
  }

  /** The versions of the folder that are not loaded, the lowest first. */
  private List<Numbered> ofFolder() throws IOException {
    List<Numbered> found = new ArrayList<>();
    for (Path path : inside(files.getFirst())) {
      String number = String.valueOf(path.getFileName());
      if (Files.isDirectory(path) && number.matches("[1-9]\\d{0,17}")) {
        found.add(new Numbered(Long.parseLong(number), file(path)));
      }
    }
    found.sort(Comparator.comparingLong(Numbered::number));
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: no version; need folders named 1, 2 and so on, with a file of a model each"
              .formatted(files.getFirst()));
    }
    long newest = versions.isEmpty() ? 0 : Long.parseLong(versions.getLast().version());
    List<Numbered> all = found.stream().filter(one -> !isLoaded(one.number())).toList();
    if (!all.isEmpty() && all.getFirst().number() < newest) {
      throw new IllegalArgumentException(
          "%s: version %d is lower than %d, which is served; give it a higher number"
              .formatted(files.getFirst(), all.getFirst().number(), newest));
    }
    return all;
  }

  private boolean isLoaded(long number) {
    return versions.stream().anyMatch(one -> one.version().equals(Long.toString(number)));
  }

  private static Path file(Path folder) throws IOException {
    List<Path> all = inside(folder).stream().filter(Files::isRegularFile).toList();
    if (all.size() != 1) {
      throw new IllegalArgumentException(
          "%s: %d files; need one, that of the model".formatted(folder, all.size()));
    }
    return all.getFirst();
  }

  private static List<Path> inside(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(path -> !String.valueOf(path.getFileName()).startsWith(".")).toList();
    }
  }

  /** Serves a version, which stays until it is released. */
  private void put(String version, Servable model, Moving moving) throws IOException {
    boolean isFirst = sessions == null;
    if (isFirst) {
      sessions = open(model);
    }
    ServedModel described = model.described(ServedModel.of(name, sessions), device);
    int number = isFirst ? 1 : model.replace(sessions, moving);
    sessions.versions().keep(number);
    versions.add(described.withVersion(version, number));
  }

  private Sessions open(Servable model) throws IOException {
    if (idleSeconds == 0) {
      return model.opened(layer -> Sessions.open(layer, device, batching));
    }
    SessionStore its =
        storeFolder == null ? new Nowhere() : FileStore.open(storeFolder.resolve(name));
    store = its;
    return model.opened(layer -> open(layer, its));
  }

  private Sessions open(Layer layer, SessionStore its) {
    return Sessions.open(layer, device, batching, Idle.after(1000L * idleSeconds, its));
  }

  /**
   * Lets go of versions whose place others have: of the last file before it was loaded again, and
   * of folders that are gone.
   *
   * @param loaded how many have just been loaded
   */
  private void release(int loaded) throws IOException {
    List<Integer> serving = sessions.versions().all().stream().map(ModelVersion::number).toList();
    for (int i = 0; i < versions.size() - 1; i++) {
      boolean isReplaced =
          isFolder()
              ? !Files.isDirectory(files.getFirst().resolve(versions.get(i).version()))
              : loaded > 0 && i == versions.size() - 2;
      if (isReplaced && serving.contains(versions.get(i).number())) {
        sessions.versions().release(versions.get(i).number());
      }
    }
    List<Integer> left = sessions.versions().all().stream().map(ModelVersion::number).toList();
    versions.removeIf(one -> !left.contains(one.number()));
  }

  /** {@return the versions that are loaded, the newest last} */
  synchronized List<ServedModel> versions() {
    return List.copyOf(versions);
  }

  /** Answers what waits, moves all sessions to the store, and ends. */
  synchronized void drain() throws IOException {
    try {
      if (sessions != null) {
        sessions.drain();
      }
    } finally {
      close();
    }
  }

  synchronized void close() throws IOException {
    if (sessions != null) {
      sessions.close();
      sessions = null;
    }
    versions.clear();
    if (store != null) {
      SessionStore its = store;
      store = null;
      its.close();
    }
  }
}

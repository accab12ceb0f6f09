package io.recur.cli;

import io.recur.device.Device;
import io.recur.serve.Batching;
import io.recur.serve.Moving;
import io.recur.serve.http.Repository;
import io.recur.serve.http.ServedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Models of files by their names, each with its sessions and its store. */
final class ServedFiles implements Repository, AutoCloseable {
  private final Device device;
  private final ServedName.Loader loader;
  private final Batching batching;
  private final int idleSeconds;
  private final @Nullable Path stores;
  private final Map<String, ServedName> names = new LinkedHashMap<>();

  /**
   * No models yet.
   *
   * @param loader loads a file
   * @param idleSeconds after which sessions go to the store; 0 for never
   * @param stores the folder of the stores; none where sessions that are idle are closed
   */
  ServedFiles(
      Device device,
      ServedName.Loader loader,
      Batching batching,
      int idleSeconds,
      @Nullable Path stores) {
    this.device = device;
    this.loader = loader;
    this.batching = batching;
    this.idleSeconds = idleSeconds;
    this.stores = stores;
  }

  /** Adds {@code NAME=FILE}, a further version where there is one of the name, or {@code FILE}. */
  void add(String argument) {
    int split = argument.matches("[A-Za-z0-9._-]+=.+") ? argument.indexOf('=') : -1;
    Path path = Path.of(argument.substring(split + 1));
    String name = split < 0 ? name(path) : argument.substring(0, split);
    if (split < 0 && names.containsKey(name)) {
      throw new IllegalArgumentException(
          "%s: another model is named %s; write NAME=%s".formatted(path, name, path));
    }
    names
        .computeIfAbsent(
            name, its -> new ServedName(its, loader, device, batching, idleSeconds, stores))
        .add(path);
  }

  private static String name(Path path) {
    String file = String.valueOf(path.getFileName());
    int dot = file.lastIndexOf('.');
    return (dot > 0 ? file.substring(0, dot) : file).replaceAll("[^A-Za-z0-9._-]", "_");
  }

  /** Loads all models. */
  void load() throws IOException {
    for (ServedName name : names.values()) {
      name.load(Moving.AT_RESET);
    }
  }

  ServedModel[] models() {
    return names.values().stream()
        .flatMap(name -> name.versions().stream())
        .toArray(ServedModel[]::new);
  }

  @Override
  public List<String> names() {
    return List.copyOf(names.keySet());
  }

  @Override
  public List<ServedModel> load(String name, Moving moving) throws IOException {
    return names.get(name).load(moving);
  }

  @Override
  public void unload(String name) throws IOException {
    names.get(name).drain();
  }

  /** Answers what waits, and moves all sessions to the stores. */
  void drain() throws IOException {
    for (ServedName name : names.values()) {
      name.drain();
    }
  }

  @Override
  public void close() throws IOException {
    for (ServedName name : names.values()) {
      name.close();
    }
  }
}

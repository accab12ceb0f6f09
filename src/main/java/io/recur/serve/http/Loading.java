package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Moving;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The models that are served, and the protocol's model repository, by which clients load and unload
 * them.
 */
final class Loading {
  private final ServerSettings settings;
  private final @Nullable Repository repository;
  private final ReentrantLock changing = new ReentrantLock();

  /** By name; a load puts another map in its place. */
  private volatile Map<String, ServedVersions> models;

  Loading(ServerSettings settings, @Nullable Repository repository, List<ServedModel> served) {
    this.settings = settings;
    this.repository = repository;
    Map<String, List<ServedModel>> byName =
        served.stream()
            .collect(
                Collectors.groupingBy(ServedModel::name, LinkedHashMap::new, Collectors.toList()));
    Map<String, ServedVersions> all = new LinkedHashMap<>();
    byName.forEach((name, its) -> all.put(name, ServedVersions.of(its, settings, null)));
    this.models = Collections.unmodifiableMap(all);
  }

  /** Those that are served, by name. */
  Map<String, ServedVersions> models() {
    return models;
  }

  /**
   * The versions of a model, after a load that is under way.
   *
   * @throws Refusal if it is not served
   */
  ServedVersions settled(String name) {
    changing.lock();
    try {
      return served(name);
    } finally {
      changing.unlock();
    }
  }

  /**
   * The versions of a model.
   *
   * @throws Refusal if it is not served
   */
  ServedVersions served(String name) {
    ServedVersions its = models.get(name);
    if (its == null) {
      throw new Refusal(
          Refusal.NOT_FOUND,
          "model %s is not served; served are %s"
              .formatted(
                  Json.shown(name),
                  models.values().stream()
                      .map(ServedVersions::toString)
                      .collect(Collectors.joining(", "))));
    }
    return its;
  }

  // The repository.

  /** All versions with their state; those alone that are ready where the body says so. */
  Reply index(Call call) throws IOException {
    byte[] body = call.body();
    boolean isReady = body.length > 0 && Fields.of("body", ByteBuffer.wrap(body)).isTrue("ready");
    Map<String, ServedVersions> now = models;
    Set<String> names = new LinkedHashSet<>(now.keySet());
    if (repository != null && !isReady) {
      names.addAll(repository.names());
    }
    List<String> entries = new ArrayList<>();
    for (String name : names) {
      ServedVersions its = now.get(name);
      if (its == null) {
        entries.add(entry(name, "", "UNAVAILABLE", "unloaded"));
      } else {
        its.serving()
            .keySet()
            .forEach(one -> entries.add(entry(name, one.model().version(), "READY", "")));
      }
    }
    return Reply.json("[" + String.join(", ", entries) + "]");
  }

  private static String entry(String name, String version, String state, String reason) {
    return "{\"name\": %s, \"version\": %s, \"state\": \"%s\", \"reason\": \"%s\"}"
        .formatted(Json.quoted(name), Json.quoted(version), state, reason);
  }

  /** Loads a model, again where it is loaded. */
  Reply load(Call call, String name) throws IOException {
    byte[] body = call.body();
    Moving moving = body.length == 0 ? Moving.AT_RESET : moving(body);
    changing.lock();
    try {
      List<ServedModel> versions = open(name).load(name, moving);
      put(name, ServedVersions.of(versions, settings, models.get(name)));
      return Reply.json("{}");
    } catch (IOException e) { // of a file, not of the client
      throw failed(e);
    } finally {
      changing.unlock();
    }
  }

  private static Moving moving(byte... body) {
    Fields parameters = Fields.of("body", ByteBuffer.wrap(body)).object("parameters");
    return switch (parameters.text("moving", "at_reset")) {
      case "at_reset" -> Moving.AT_RESET;
      case "at_once" -> Moving.AT_ONCE;
      default -> throw parameters.wrong("moving", "at_reset or at_once");
    };
  }

  /** Unloads a model. What its sequences were asked before is answered. */
  Reply unload(String name) {
    changing.lock();
    try {
      Repository its = open(name);
      served(name);
      put(name, null);
      its.unload(name);
      return Reply.json("{}");
    } catch (IOException e) {
      throw failed(e);
    } finally {
      changing.unlock();
    }
  }

  private static Refusal failed(IOException e) {
    String what =
        e instanceof NoSuchFileException missing
            ? missing.getFile() + ": there is no such file"
            : e.getClass().getSimpleName() + ": " + e.getMessage();
    return new Refusal(Refusal.UNAVAILABLE, "repository: " + what);
  }

  private Repository open(String name) {
    if (repository == null) {
      throw new Refusal(
          Refusal.FORBIDDEN, "repository: this server neither loads nor unloads models");
    }
    if (!repository.names().contains(name)) {
      throw new Refusal(
          Refusal.NOT_FOUND,
          "repository: it has no model %s; it has %s"
              .formatted(Json.shown(name), String.join(", ", repository.names())));
    }
    return repository;
  }

  private void put(String name, @Nullable ServedVersions versions) {
    Map<String, ServedVersions> all = new LinkedHashMap<>(models);
    if (versions == null) {
      all.remove(name);
    } else {
      all.put(name, versions);
    }
    models = Collections.unmodifiableMap(all);
  }
}

package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.ModelVersion;
import io.recur.serve.Sessions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The versions of a model that are served under one name, by the same sessions. A sequence stays
 * with its version; one that starts, and a request of none, have the newest unless their path names
 * another.
 */
final class ServedVersions {
  private final Sequences sequences;

  /** The newest is the last. */
  private final List<Served> all;

  private ServedVersions(Sequences sequences, List<Served> all) {
    this.sequences = sequences;
    this.all = all;
  }

  /**
   * Versions of a name.
   *
   * @param models of one name, the newest last
   * @param before what was served under the name; nothing at first
   * @throws IllegalArgumentException if their sessions are not the same, or do not serve a version
   */
  static ServedVersions of(
      List<ServedModel> models, ServerSettings settings, @Nullable ServedVersions before) {
    ServedModel newest = models.getLast();
    Set<String> versions = new HashSet<>();
    for (ServedModel model : models) {
      boolean isNumbered = models.size() == 1 || model.number() > 0;
      if (!versions.add(model.version()) || !isNumbered || model.sessions() != newest.sessions()) {
        throw new IllegalArgumentException(
            """
            server: two models are named %s; give each a name of its own, or versions of the same \
            sessions with withVersion(version, number)"""
                .formatted(model.name()));
      }
    }
    checkServing(models, newest.sessions());
    List<Served> all = new ArrayList<>();
    for (ServedModel model : models) {
      Served its = before == null ? null : before.named(model.version());
      all.add(its != null && its.model().equals(model) ? its : new Served(model));
    }
    boolean isSame = before != null && before.sequences.sessions() == newest.sessions();
    return new ServedVersions(
        isSame ? before.sequences : new Sequences(newest, settings.mostSessions()),
        List.copyOf(all));
  }

  private static void checkServing(List<ServedModel> models, Sessions sessions) {
    if (models.stream().allMatch(model -> model.number() == 0)) {
      return; // without a call that waits for a batch
    }
    List<Integer> serving = sessions.versions().all().stream().map(ModelVersion::number).toList();
    for (ServedModel model : models) {
      if (model.number() > 0 && !serving.contains(model.number())) {
        throw new IllegalArgumentException(
            "server: version %s of %s has number %d, its sessions have %s; see Versions.keep"
                .formatted(model.version(), model.name(), model.number(), serving));
      }
    }
  }

  String name() {
    return newest().model().name();
  }

  Sequences sequences() {
    return sequences;
  }

  Sessions sessions() {
    return sequences.sessions();
  }

  Served newest() {
    return all.getLast();
  }

  List<Served> all() {
    return all;
  }

  /** The version of a name; none where it is not served. */
  @Nullable Served named(String version) {
    for (Served its : all) {
      if (its.model().version().equals(version)) {
        return its;
      }
    }
    return null;
  }

  /** Those that the sessions still have, with the number of sessions of each. */
  Map<Served, Long> serving() {
    Map<Integer, Long> counts =
        sessions().versions().all().stream()
            .collect(Collectors.toMap(ModelVersion::number, ModelVersion::sessions));
    long sum = counts.values().stream().mapToLong(Long::longValue).sum();
    return all.stream()
        .filter(its -> its.model().number() == 0 || counts.containsKey(its.model().number()))
        .collect(
            Collectors.toMap(
                Function.identity(),
                its -> counts.getOrDefault(its.model().number(), sum),
                (a, b) -> a,
                LinkedHashMap::new));
  }

  /**
   * The version that steps a request.
   *
   * @param version that its path names; empty for none
   * @param id of its sequence; null for none
   * @throws Refusal if there is no such version, or the sequence is not open
   */
  Served chosen(String version, @Nullable SequenceId id, boolean isStart) {
    if (!version.isEmpty()) {
      Served its = named(version);
      if (its == null) {
        throw unknown(version);
      }
      return its;
    }
    if (all.size() > 1 && id != null && !isStart) {
      int number = sequences.version(id);
      for (Served its : all) {
        if (its.model().number() == number) {
          return its;
        }
      }
    }
    return newest();
  }

  /** Refuses a version that is not served. */
  Refusal unknown(String version) {
    return new Refusal(
        Refusal.NOT_FOUND,
        "model %s of version %s is not served; served are %s"
            .formatted(Json.shown(name()), Json.shown(version), this));
  }

  /** Refuses a request of another version than its sequence has. */
  Refusal refused(@Nullable SequenceId id, Served by) {
    return new Refusal(
        Refusal.CONFLICT,
        "version %s of %s does not step %s; start it again, or leave the version out"
            .formatted(
                by.model().version(),
                name(),
                id == null ? "this request: it was unloaded" : "sequence " + id.json()));
  }

  /** Their names as an array of JSON. */
  String names() {
    return (all.size() == 1 ? all : serving().keySet())
        .stream()
            .map(its -> Json.quoted(its.model().version()))
            .collect(Collectors.joining(", ", "[", "]"));
  }

  /** Name and versions, for errors. */
  @Override
  public String toString() {
    return all.stream()
        .map(one -> "%s (%s)".formatted(one.model().name(), one.model().version()))
        .collect(Collectors.joining(", "));
  }
}

package io.recur.serve;

import io.recur.grad.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which sessions are stepped by which version of the model. The stepping thread alone uses it. */
final class Models implements AutoCloseable {
  private final Table table;

  /** Those that have sessions or are kept, and the newest, which is the last. */
  private final List<Version> serving = new ArrayList<>();

  private final @Nullable Version[] bySlot = new Version[VersionStates.MOST];

  /**
   * By number, that of the version to which all sessions of a version moved at once; else its own.
   */
  private int[] movedTo = new int[16];

  private Version newest;

  Models(Table table, Version first) {
    this.table = table;
    this.newest = first;
    begin(first, 1, 0);
  }

  private void begin(Version version, int number, int slot) {
    version.begin(number, slot);
    table.versions().admit(slot, version.initial.length);
    bySlot[slot] = version;
    serving.add(version);
    if (number == movedTo.length) {
      movedTo = Arrays.copyOf(movedTo, 2 * number);
    }
    movedTo[number] = number;
    newest = version;
  }

  Version newest() {
    return newest;
  }

  /** The version of a session. */
  Version of(int row) {
    return bySlot[table.version(row)];
  }

  /** The number of the version that is to step a call whose turn in its session has come. */
  int number(Waiting step) {
    if (!step.isFirst()) {
      return of(step.row).number();
    }
    return step.request.version == 0 ? newest.number() : step.request.version;
  }

  /**
   * The version of a number, or the one to which all its sessions have moved; the newest where that
   * was released.
   */
  Version at(int number) {
    Version its = number < movedTo.length ? stored(number) : null;
    return its == null ? newest : its;
  }

  /** Keeps a version also while no session has it, or no longer does so. */
  void keep(int number, boolean isKept) {
    for (Version version : serving) {
      if (version.number() == number) {
        version.isKept = isKept;
        return;
      }
    }
    throw new IllegalArgumentException(
        "versions: number=%d does not serve; those that do are %s"
            .formatted(number, serving.stream().map(Version::number).toList()));
  }

  /** The versions that serve: those of sessions, those that are kept, and last the newest. */
  List<Version> serving() {
    return List.copyOf(serving);
  }

  /** The newest version that a file calls the same model. */
  Version alike(Version version) {
    for (Version its : serving.reversed()) {
      if (its.isSameModel(version)) {
        return its;
      }
    }
    throw new ShapeException(
        "sessions: no session has the model of the file any more; it was replaced meanwhile");
  }

  /** The newest version that the states of another one fit, by their checksum; none where none. */
  @Nullable Version fitting(int statesChecksum) {
    for (Version its : serving.reversed()) {
      if (its.statesChecksum == statesChecksum) {
        return its;
      }
    }
    return null;
  }

  /**
   * The version of a session that was stored when it had the version of this number; none where
   * that was released.
   */
  @Nullable Version stored(int number) {
    int its = number;
    while (movedTo[its] != its) {
      its = movedTo[its];
    }
    for (Version version : serving) {
      if (version.number() == its) {
        return version;
      }
    }
    return null;
  }

  /**
   * Has new sessions begin with a version.
   *
   * @throws io.recur.grad.ShapeException if the state of a session that shall move at once does not
   *     fit; nothing has then changed
   */
  void replace(Version version, Moving moving) {
    releaseUnused();
    int slot = 0;
    while (slot < bySlot.length && bySlot[slot] != null) {
      slot++;
    }
    if (slot == bySlot.length) {
      throw new IllegalStateException(
          "sessions: %d models have sessions; close or reset those of some"
              .formatted(serving.size()));
    }
    List<Version> before = List.copyOf(serving);
    if (moving == Moving.AT_ONCE) {
      before.stream().filter(this::hasSessions).forEach(old -> checkFits(old, version));
    }
    begin(version, newest.number() + 1, slot);
    if (moving == Moving.AT_ONCE) {
      moveAll(before, version);
      releaseUnused(); // now, so that no file brings a session a version that all have left
    }
  }

  private void checkFits(Version old, Version version) {
    try {
      version.states().values(old.states().snapshot(old.initial)); // as a restore would check
    } catch (ShapeException e) {
      ShapeException refused =
          new ShapeException(
              "versions: %d sessions of version=%d have other states, %s; let them move AT_RESET"
                  .formatted(sessions(old), old.number(), e.getMessage()));
      refused.initCause(e);
      throw refused;
    }
  }

  private void moveAll(List<Version> before, Version to) {
    for (int row = 0; row < table.end(); row++) {
      if (table.isOpen(row)) {
        table.move(row, to.slot());
      }
    }
    for (Version old : before) {
      to.stored += old.stored;
      old.stored = 0;
      old.isKept = false;
      movedTo[old.number()] = to.number();
    }
  }

  /** Gives a session a version and its initial state. */
  void begin(int row, Version version) {
    move(row, version, version.initial);
  }

  /** Gives a session a version and a state of it. */
  void move(int row, Version version, float... state) {
    table.move(row, version.slot());
    table.state(row, state);
    table.failed(row, false);
    table.forget(row);
  }

  /** In memory and in the store. */
  private long sessions(Version version) {
    return table.versions().of(version.slot()).count + version.stored;
  }

  private boolean hasSessions(Version version) {
    return table.versions().of(version.slot()).count > 0 || version.stored > 0;
  }

  /** Releases versions that no session has and that are not kept. */
  void releaseUnused() {
    for (int i = serving.size() - 2; i >= 0; i--) { // never the newest
      Version version = serving.get(i);
      if (!version.isKept && !hasSessions(version)) {
        serving.remove(i);
        bySlot[version.slot()] = null;
        table.versions().dismiss(version.slot());
        version.close();
      }
    }
  }

  List<ModelVersion> described() {
    releaseUnused();
    return serving.stream()
        .map(version -> new ModelVersion(version.number(), version.label(), sessions(version)))
        .toList();
  }

  @Override
  public void close() {
    serving.forEach(Version::close);
  }
}

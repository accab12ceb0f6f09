package io.recur.serve;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The steps whose turn can come: of each session at most one, the others wait behind it. Steps of
 * one kind, which one batch can hold, are in a group; the group with the oldest turn is next.
 */
final class Turns {
  /** Empty groups that are kept: as a rule a model gets few kinds of requests. */
  private static final int MOST_EMPTY = 64;

  /**
   * What the steps of a batch have in common.
   *
   * @param request the kind of their requests
   * @param version the number of the version of their sessions
   */
  private record Kind(long request, int version) {}

  /** Steps of one kind in the order of their turns. */
  static final class Group {
    private final Kind kind;
    private @Nullable Waiting first;
    private @Nullable Waiting last;
    private int size;

    /** How many of its steps have a deadline. */
    private int deadlines;

    private Group(Kind kind) {
      this.kind = kind;
    }

    private void add(Waiting step) {
      if (last == null) {
        first = step;
      } else {
        last.behind = step;
      }
      last = step;
      size++;
      deadlines += step.hasDeadline() ? 1 : 0;
    }

    /** Takes the step with the oldest turn; none where the group is empty. */
    @Nullable Waiting next() {
      Waiting next = first;
      if (next != null) {
        first = next.behind;
        last = first == null ? null : last;
        next.behind = null;
        size--;
        deadlines -= next.hasDeadline() ? 1 : 0;
      }
      return next;
    }

    int size() {
      return size;
    }

    /** The number of the version that its sessions had when they got their turns. */
    int version() {
      return kind.version;
    }

    private long turn() {
      return first == null ? Long.MAX_VALUE : first.turn;
    }
  }

  private final Map<Kind, Group> groups = new HashMap<>();
  private final PriorityQueue<Group> order =
      new PriorityQueue<>((a, b) -> Long.compare(a.turn(), b.turn()));

  /** That of the last step, which is as a rule that of the next one. */
  private @Nullable Group known;

  /** The one that was taken and not given back. */
  private @Nullable Group taken;

  private long turns;

  /**
   * Adds a step, which gets its turn behind all others.
   *
   * @param version the number of the version that is to step it
   */
  void add(Waiting step, int version) {
    step.turn = turns++;
    long request = step.request.kind;
    Group group = known;
    if (group == null || group.kind.request != request || group.kind.version != version) {
      group = groups.computeIfAbsent(new Kind(request, version), Group::new);
      known = group;
    }
    group.add(step);
    if (group.size() == 1 && group != taken) {
      order.add(group);
    }
  }

  /** The group of the oldest turn, without taking it; none where no step waits. */
  @Nullable Group peek() {
    return order.peek();
  }

  /** When the next batch begins at the latest, if a step waits for others for at most some µs. */
  long due(long longestMicros) {
    Group oldest = order.element();
    long due = Objects.requireNonNull(oldest.first).due(longestMicros);
    for (Group group : order) {
      for (Waiting step = group.first; step != null && group.deadlines > 0; step = step.behind) {
        due = Math.min(due, step.due(longestMicros));
      }
    }
    return due;
  }

  /** Takes the group of the oldest turn, until {@link #giveBack}. */
  @Nullable Group take() {
    taken = order.poll();
    return taken;
  }

  void giveBack(Group group) {
    taken = null;
    if (group.size() > 0) {
      order.add(group);
    } else if (groups.size() > MOST_EMPTY) {
      groups.remove(group.kind);
      known = null;
    }
  }
}

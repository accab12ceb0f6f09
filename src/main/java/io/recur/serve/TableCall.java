package io.recur.serve;

import io.recur.nn.Snapshot;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A call other than a step: its arguments, and the answer of the stepping thread. */
final class TableCall extends Waiting {
  /** The session that a fork opens. */
  @Nullable Id other;

  /** The sessions to open. */
  Id @Nullable [] ids;

  /** The state to restore, and its values in the order of {@link #version}. */
  @Nullable Snapshot snapshot;

  float @Nullable [] values;

  /** The version that replaces others, or the one of a session, a restored or a stored state. */
  @Nullable Version version;

  @Nullable Moving moving;

  /** The number of a version, and whether it is to be kept. */
  int number;

  boolean isKept;

  /** Packed sessions, which go to a file or come from one. */
  @Nullable MemorySegment memory;

  // The answer.

  /** The versions that serve, and what callers see of them. */
  @Nullable List<Version> serving;

  @Nullable List<ModelVersion> versions;

  /** How many sessions and bytes were stored. */
  int stored;

  long storedBytes;

  /** The row at which the next {@link Kind#STORE} begins; -1 after the last row. */
  int next;

  TableCall(Kind kind, Id id) {
    super(kind, id);
  }
}

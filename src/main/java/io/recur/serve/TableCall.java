package io.recur.serve;

import io.recur.nn.Snapshot;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A call that is no step, with what it asks for and what it is told. */
final class TableCall extends Waiting {
  /** The session that a fork opens. */
  @Nullable Id other;

  /** All sessions that are opened. */
  Id @Nullable [] ids;

  /** The state that is restored, and its values for {@link #version}. */
  @Nullable Snapshot snapshot;

  float @Nullable [] values;

  /** The version that replaces others; that of a session, of what is restored or stored. */
  @Nullable Version version;

  @Nullable Moving moving;

  /** Packed sessions to and from a file. */
  @Nullable MemorySegment memory;

  // Written before the call is answered.

  /** The versions that serve, and what callers see of them. */
  @Nullable List<Version> serving;

  @Nullable List<ModelVersion> versions;

  /** The sessions and the bytes that were stored. */
  int stored;

  long storedBytes;

  /** The row from which {@link Kind#STORE} goes on; -1 after the last. */
  int next;

  TableCall(Kind kind, Id id) {
    super(kind, id);
  }
}

package io.recur.device.cpu;

import java.lang.foreign.MemorySegment;

/** An entry of a table of {@code native/recur.h}. */
interface Row {
  /** Writes all fields of the entry's struct. */
  void write(MemorySegment to);
}

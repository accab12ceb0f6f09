package io.recur.serve.kafka;

import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import io.recur.nn.StateBatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a session in its store: 4 of the format's version, 4 of a checksum of the model's
 * structure, 8 of the time of its last step in ms, all little-endian, then the values of a column
 * of {@link StateBatch}.
 */
final class StateBytes {
  /** The bytes before the first value. */
  static final int HEADER = 16;

  private static final int VERSION = 1;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** A session of this model that has just begun. */
  private final Snapshot first;

  private final byte[] fresh;

  private StateBytes(Snapshot first, float... initial) {
    this.first = first;
    this.fresh = new byte[HEADER + Float.BYTES * initial.length];
    MemorySegment bytes = MemorySegment.ofArray(fresh);
    bytes.set(INT, 0, VERSION);
    bytes.set(INT, 4, structure(first));
    MemorySegment.copy(initial, 0, bytes, FLOAT, HEADER, initial.length);
  }

  /**
   * The bytes of sessions of a model.
   *
   * @throws IllegalArgumentException if it is none whose sessions are columns
   */
  static StateBytes of(Layer model) {
    Layer fork = model.fork();
    try {
      StateBatch states = new StateBatch(fork, 1);
      return new StateBytes(states.snapshot(states.initial()), states.initial());
    } finally {
      fork.close();
    }
  }

  private static int structure(Snapshot snapshot) {
    CRC32C sum = new CRC32C();
    sum.update(snapshot.label().getBytes(StandardCharsets.UTF_8));
    snapshot.kinds().forEach(kind -> sum.update(kind.getBytes(StandardCharsets.UTF_8)));
    return (int) sum.getValue();
  }

  /** {@return a session that has just begun} */
  byte[] fresh() {
    return fresh.clone();
  }

  /** The bytes of a session, in memory of their own, to be written over. */
  byte[] empty() {
    return Arrays.copyOf(Arrays.copyOf(fresh, HEADER), fresh.length);
  }

  static long time(byte[] bytes) {
    return MemorySegment.ofArray(bytes).get(LONG, 8);
  }

  static void time(byte[] bytes, long millis) {
    MemorySegment.ofArray(bytes).set(LONG, 8, millis);
  }

  /**
   * Refuses bytes that are none of a session of this model.
   *
   * @throws IllegalStateException if they are not
   */
  byte[] checked(String name, @Nullable Object key, byte[] bytes) {
    boolean isOurs = bytes.length == fresh.length && Arrays.equals(bytes, 0, 8, fresh, 0, 8);
    if (!isOurs) {
      throw new IllegalStateException(
          """
          kafka: the store of %s holds another state for key=%s: bytes=%d, a session of %s has %d; \
          give a model of another structure another name, or reset the application"""
              .formatted(name, key, bytes.length, first.label(), fresh.length));
    }
    return bytes;
  }

  /** A session as a value. */
  Snapshot snapshot(byte[] bytes) {
    MemorySegment from = MemorySegment.ofArray(bytes);
    List<List<Snapshot.Part>> states = new ArrayList<>();
    long at = HEADER;
    for (List<Snapshot.Part> its : first.states()) {
      List<Snapshot.Part> parts = new ArrayList<>();
      for (Snapshot.Part part : its) {
        float[] values = new float[part.rows()];
        MemorySegment.copy(from, FLOAT, at, values, 0, values.length);
        parts.add(new Snapshot.Part(part.rows(), 1, values));
        at += (long) Float.BYTES * values.length;
      }
      states.add(parts);
    }
    return new Snapshot(first.label(), first.kinds(), states);
  }
}

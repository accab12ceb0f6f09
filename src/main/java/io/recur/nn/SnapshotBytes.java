package io.recur.nn;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;

/** Writes and reads the bytes of a {@link Snapshot}, whose Javadoc gives the layout. */
final class SnapshotBytes {
  private static final int MAGIC = 0x52435354; // "RCST"
  private static final int VERSION = 2;
  private static final int FIRST_VERSION = 1;
  private static final int FLOAT32 = 0;

  private static final int LENGTH = 8;
  private static final int HEADER = 16;
  private static final int HEADER_CHECKSUM = 20;
  private static final int RECURS = 24;
  private static final int FIXED = 28;
  private static final int LINE = 64;
  private static final int WORD = 8;
  private static final int MOST_AT_ONCE = 1 << 30; // bytes of a checksum

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Snapshot snapshot;
  private final byte[] label;
  private final List<byte[]> kinds;
  private final long header;
  private final long length;

  private SnapshotBytes(Snapshot snapshot) {
    this.snapshot = snapshot;
    this.label = snapshot.label().getBytes(StandardCharsets.UTF_8);
    this.kinds =
        snapshot.kinds().stream().map(kind -> kind.getBytes(StandardCharsets.UTF_8)).toList();
    long end = FIXED + 4 + padded(label.length, WORD);
    for (int r = 0; r < kinds.size(); r++) {
      end += 8 + padded(kinds.get(r).length, WORD) + 32L * snapshot.states().get(r).size();
    }
    this.header = padded(end, LINE);
    long all = header;
    for (List<Snapshot.Part> parts : snapshot.states()) {
      for (Snapshot.Part part : parts) {
        all += valueBytes(part.rows(), part.batch()) + checksumBytes(part.batch());
      }
    }
    this.length = all;
  }

  static SnapshotBytes of(Snapshot snapshot) {
    return new SnapshotBytes(snapshot);
  }

  long length() {
    return length;
  }

  private static long padded(long bytes, int to) {
    return (bytes + to - 1) / to * to;
  }

  /** The bytes of a part's values with padding; rows and columns have 31 bits each at most. */
  private static long valueBytes(long rows, long columns) {
    return padded(Math.multiplyExact(rows * columns, Float.BYTES), LINE);
  }

  private static long checksumBytes(long columns) {
    return padded(columns * Integer.BYTES, LINE);
  }

  long write(MemorySegment target) {
    checkKind(target);
    if (target.byteSize() < length || target.isReadOnly()) {
      throw new IllegalArgumentException(
          "snapshot: target=%d bytes%s; need %d that can be written"
              .formatted(target.byteSize(), target.isReadOnly() ? ", read-only" : "", length));
    }
    MemorySegment bytes = target.asSlice(0, length).fill((byte) 0);
    Cursor at = new Cursor(bytes, 0);
    at.putInt(MAGIC).putInt(VERSION).putLong(length).putInt((int) header).putInt(0);
    at.putInt(kinds.size()).putInt(label.length).putText(label);
    long values = header;
    for (int r = 0; r < kinds.size(); r++) {
      List<Snapshot.Part> parts = snapshot.states().get(r);
      at.putInt(kinds.get(r).length).putInt(parts.size()).putText(kinds.get(r));
      for (Snapshot.Part part : parts) {
        long checksums = values + valueBytes(part.rows(), part.batch());
        at.putInt(FLOAT32).putInt(part.rows()).putLong(part.batch());
        at.putLong(values).putLong(checksums);
        MemorySegment.copy(part.values(), 0, bytes, FLOAT, values, part.values().length);
        for (long c = 0; c < part.batch(); c++) {
          long column = columnBytes(part.rows());
          bytes.set(INT, checksums + 4 * c, sum(bytes, values + column * c, column));
        }
        values = checksums + checksumBytes(part.batch());
      }
    }
    bytes.set(INT, HEADER_CHECKSUM, sum(bytes, 0, header));
    return length;
  }

  private static long columnBytes(long rows) {
    return rows * Float.BYTES;
  }

  private static int sum(MemorySegment bytes, long from, long length) {
    return sum(new CRC32C(), bytes, from, length);
  }

  private static int sum(Checksum checksum, MemorySegment bytes, long from, long length) {
    for (long at = 0; at < length; at += MOST_AT_ONCE) {
      checksum.update(bytes.asSlice(from + at, Math.min(MOST_AT_ONCE, length - at)).asByteBuffer());
    }
    return (int) checksum.getValue();
  }

  /** Reads or writes one field after another. */
  private static final class Cursor {
    private final MemorySegment bytes;
    private long at;

    Cursor(MemorySegment bytes, long at) {
      this.bytes = bytes;
      this.at = at;
    }

    Cursor putInt(int value) {
      bytes.set(INT, at, value);
      at += Integer.BYTES;
      return this;
    }

    Cursor putLong(long value) {
      bytes.set(LONG, at, value);
      at += Long.BYTES;
      return this;
    }

    Cursor putText(byte[] text) {
      MemorySegment.copy(text, 0, bytes, ValueLayout.JAVA_BYTE, at, text.length);
      at += padded(text.length, WORD);
      return this;
    }

    int getInt() {
      need(Integer.BYTES);
      at += Integer.BYTES;
      return bytes.get(INT, at - Integer.BYTES);
    }

    /** A count of 0 or more. */
    int getCount() {
      int count = getInt();
      if (count < 0) {
        throw wrong(bytes, "at byte %d a count of %d", at - Integer.BYTES, count);
      }
      return count;
    }

    long getLong() {
      need(Long.BYTES);
      at += Long.BYTES;
      return bytes.get(LONG, at - Long.BYTES);
    }

    String getText(int length) {
      need(padded(length, WORD));
      byte[] text = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
      at += padded(length, WORD);
      return new String(text, StandardCharsets.UTF_8);
    }

    void need(long more) {
      if (more > bytes.byteSize() - at) {
        throw wrong(bytes, "its header ends within a field at byte %d", at);
      }
    }
  }

  /** The place of a part in the bytes. */
  private record Place(int rows, int columns, long values, long checksums) {}

  /** A header whose numbers are consistent with the memory that holds it. */
  private record Read(String label, List<String> kinds, List<List<Place>> places) {}

  static Snapshot read(MemorySegment bytes) {
    checkKind(bytes);
    if (version(bytes) == FIRST_VERSION) {
      return readFirst(bytes);
    }
    Read header = readHeader(bytes);
    List<List<Snapshot.Part>> states = new ArrayList<>();
    for (List<Place> places : header.places()) {
      List<Snapshot.Part> parts = new ArrayList<>();
      for (Place place : places) {
        checkPadding(bytes, place);
        parts.add(part(bytes, place, 0, place.columns()));
      }
      states.add(parts);
    }
    return new Snapshot(header.label(), header.kinds(), states);
  }

  static Snapshot readColumn(MemorySegment bytes, long column) {
    checkKind(bytes);
    Read header = readHeader(bytes);
    List<List<Snapshot.Part>> states = new ArrayList<>();
    for (List<Place> places : header.places()) {
      List<Snapshot.Part> parts = new ArrayList<>();
      for (Place place : places) {
        if (column < 0 || column >= place.columns()) {
          throw new IndexOutOfBoundsException(
              "snapshot: column=%d of %d".formatted(column, place.columns()));
        }
        parts.add(part(bytes, place, (int) column, 1));
      }
      states.add(parts);
    }
    return new Snapshot(header.label(), header.kinds(), states);
  }

  /** Verifies the checksums of some columns and copies them. */
  private static Snapshot.Part part(MemorySegment bytes, Place place, int from, int count) {
    if ((long) place.rows() * count > Integer.MAX_VALUE - 8) {
      throw wrong(bytes, "a part of %d×%d is too large for an array", place.rows(), count);
    }
    long column = columnBytes(place.rows());
    for (long c = from; c < (long) from + count; c++) {
      int found = sum(bytes, place.values() + column * c, column);
      if (found != bytes.get(INT, place.checksums() + 4 * c)) {
        throw wrong(bytes, "the checksum of column %d does not fit; they are damaged", c);
      }
    }
    float[] values = new float[place.rows() * count];
    MemorySegment.copy(bytes, FLOAT, place.values() + column * from, values, 0, values.length);
    return new Snapshot.Part(place.rows(), count, values);
  }

  private static void checkPadding(MemorySegment bytes, Place place) {
    long behindValues = place.values() + columnBytes(place.rows()) * place.columns();
    long behindChecksums = place.checksums() + 4L * place.columns();
    long end = place.checksums() + checksumBytes(place.columns());
    for (long at = behindValues; at < end; at++) {
      if (at == place.checksums()) {
        at = behindChecksums;
      }
      if (at < end && bytes.get(ValueLayout.JAVA_BYTE, at) != 0) {
        throw wrong(bytes, "byte %d is not 0; they are damaged", at);
      }
    }
  }

  private static Read readHeader(MemorySegment bytes) {
    if (version(bytes) != VERSION || bytes.byteSize() < LINE) {
      throw wrong(bytes, "they do not begin as a snapshot of version %d", VERSION);
    }
    long length = bytes.get(LONG, LENGTH);
    long header = Integer.toUnsignedLong(bytes.get(INT, HEADER));
    if (length != bytes.byteSize() || header > length || header < LINE || header % LINE != 0) {
      throw wrong(bytes, "a header of %d in a snapshot of %d; they are cut off", header, length);
    }
    MemorySegment copy =
        MemorySegment.ofArray(bytes.asSlice(0, header).toArray(ValueLayout.JAVA_BYTE));
    copy.set(INT, HEADER_CHECKSUM, 0);
    if (sum(copy, 0, header) != bytes.get(INT, HEADER_CHECKSUM)) {
      throw wrong(bytes, "the checksum of the header does not fit; they are damaged");
    }
    Cursor at = new Cursor(copy, RECURS);
    int recurs = at.getCount();
    String label = at.getText(at.getCount());
    List<String> kinds = new ArrayList<>();
    List<List<Place>> places = new ArrayList<>();
    long end = header;
    for (int r = 0; r < recurs; r++) {
      int kind = at.getCount();
      int count = at.getCount();
      kinds.add(at.getText(kind));
      List<Place> parts = new ArrayList<>();
      for (int p = 0; p < count; p++) {
        Place place = place(bytes, at, end);
        end = place.checksums() + checksumBytes(place.columns());
        parts.add(place);
      }
      places.add(parts);
    }
    if (end != length || padded(at.at, LINE) != header) {
      throw wrong(bytes, "its parts end at byte %d, its header at %d of %d", end, at.at, header);
    }
    return new Read(label, kinds, places);
  }

  private static Place place(MemorySegment bytes, Cursor at, long begin) {
    int dtype = at.getInt();
    int rows = at.getCount();
    long columns = at.getLong();
    long values = at.getLong();
    long checksums = at.getLong();
    if (dtype != FLOAT32
        || rows < 1
        || columns < 1
        || columns > Integer.MAX_VALUE
        || columns > bytes.byteSize() / columnBytes(rows)
        || values != begin
        || checksums != values + valueBytes(rows, columns)
        || checksumBytes(columns) > bytes.byteSize() - checksums) {
      throw wrong(
          bytes,
          "a part of type %d, %d×%d at bytes %d and %d; need one that is inside and begins at %d",
          dtype,
          rows,
          columns,
          values,
          checksums,
          begin);
    }
    return new Place(rows, (int) columns, values, checksums);
  }

  private static int version(MemorySegment bytes) {
    return bytes.byteSize() >= HEADER && bytes.get(INT, 0) == MAGIC ? bytes.get(INT, 4) : 0;
  }

  /** Version 1: counts, sizes and values in order, then one CRC-32 of all of them. */
  private static Snapshot readFirst(MemorySegment all) {
    long end = all.byteSize() - Integer.BYTES;
    if (sum(new CRC32(), all, 0, end) != all.get(INT, end)) {
      throw wrong(all, "the checksum does not fit; they are damaged or cut off");
    }
    Cursor at = new Cursor(all.asSlice(0, end), 8);
    List<List<Snapshot.Part>> states = new ArrayList<>();
    int recurs = at.getCount();
    for (int r = 0; r < recurs; r++) {
      List<Snapshot.Part> parts = new ArrayList<>();
      int count = at.getCount();
      for (int p = 0; p < count; p++) {
        int rows = at.getCount();
        int columns = at.getCount();
        long length = (long) rows * columns;
        if (length == 0 || length > Integer.MAX_VALUE - 8) {
          throw wrong(all, "a part of %d×%d", rows, columns);
        }
        at.need(length * Float.BYTES);
        float[] values = new float[(int) length];
        MemorySegment.copy(at.bytes, FLOAT, at.at, values, 0, values.length);
        at.at += length * Float.BYTES;
        parts.add(new Snapshot.Part(rows, columns, values));
      }
      states.add(parts);
    }
    if (at.at != end) {
      throw wrong(all, "%d bytes follow the last part", end - at.at);
    }
    return new Snapshot(states);
  }

  /** Refuses arrays of other types than byte: checksums read bytes. */
  private static void checkKind(MemorySegment bytes) {
    try {
      bytes.asSlice(0, 0).asByteBuffer();
    } catch (UnsupportedOperationException e) {
      throw new IllegalArgumentException(
          "snapshot: %d bytes of an array of another type; need native memory or a byte array"
              .formatted(bytes.byteSize()),
          e);
    }
  }

  private static IllegalArgumentException wrong(
      MemorySegment bytes, String message, Object... facts) {
    return new IllegalArgumentException(
        "snapshot: %d bytes: %s".formatted(bytes.byteSize(), message.formatted(facts)));
  }
}

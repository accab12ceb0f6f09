package io.recur.serve;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One file of a {@link FileStore}: records one after the other. A record is the length of what
 * follows it, and its CRC-32C, 4 bytes each, little-endian; the length of the key, a byte; the key;
 * and after a byte 1 the value, or a byte 0 where the key was taken.
 */
final class StoreFile implements AutoCloseable {
  private static final int HEAD = 8;

  /**
   * A record.
   *
   * @param value none where the key was taken
   */
  record Entry(int at, byte[] key, byte @Nullable [] value) {
    /** The bytes that it takes in the file. */
    int bytes() {
      return HEAD + 2 + key.length + (value == null ? 0 : value.length);
    }
  }

  /** What is done with each record. */
  @FunctionalInterface
  interface Each {
    void take(Entry entry) throws IOException;
  }

  final int number;
  private final Path path;
  private final FileChannel channel;
  private int size;

  private StoreFile(int number, Path path, FileChannel channel) {
    this.number = number;
    this.path = path;
    this.channel = channel;
  }

  /** Opens a file, or begins one. */
  static StoreFile open(int number, Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    return new StoreFile(number, path, channel);
  }

  int size() {
    return size;
  }

  /** Adds a record and returns its place. Where that fails, the next one takes the place. */
  int add(byte[] key, byte @Nullable [] value) throws IOException {
    int length = 2 + key.length + (value == null ? 0 : value.length);
    ByteBuffer record = ByteBuffer.allocate(HEAD + length).order(ByteOrder.LITTLE_ENDIAN);
    record.putInt(length).putInt(0).put((byte) key.length).put(key);
    record.put((byte) (value == null ? 0 : 1)).put(value == null ? new byte[0] : value);
    record.putInt(4, checksum(record.array(), HEAD, length)).flip();
    int at = size;
    while (record.hasRemaining()) {
      channel.write(record, at + record.position());
    }
    size += HEAD + length;
    return at;
  }

  private static int checksum(byte[] bytes, int from, int length) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, from, length);
    return (int) sum.getValue();
  }

  /** The record at a place. */
  Entry at(int at) throws IOException {
    int length = filled(at, HEAD).getInt();
    Entry entry = entry(filled(at, HEAD + length), at);
    if (entry == null) {
      throw wrong(at);
    }
    return entry;
  }

  private ByteBuffer filled(int at, int length) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.max(0, Math.min(length, size - at)))
            .order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw wrong(at);
      }
    }
    return bytes.flip();
  }

  /** The record at the position; none where it is not whole. */
  private static @Nullable Entry entry(ByteBuffer from, int at) {
    if (from.remaining() < HEAD + 2) {
      return null;
    }
    int begin = from.position() + HEAD;
    int length = from.getInt(from.position());
    if (length < 2
        || length > from.limit() - begin
        || checksum(from.array(), begin, length) != from.getInt(from.position() + 4)) {
      return null;
    }
    int key = begin + 1;
    int end = key + from.get(begin);
    if (end < key || end >= begin + length) {
      return null;
    }
    byte[] value =
        from.get(end) == 0 ? null : Arrays.copyOfRange(from.array(), end + 1, begin + length);
    from.position(begin + length);
    return new Entry(at, Arrays.copyOfRange(from.array(), key, end), value);
  }

  /**
   * Visits all records.
   *
   * @param mayEndEarly whether a record that is not whole ends the file, which is then cut off
   *     there; otherwise it is an error
   */
  void read(boolean mayEndEarly, Each each) throws IOException {
    if (channel.size() > Integer.MAX_VALUE) {
      throw wrong(Integer.MAX_VALUE);
    }
    size = (int) channel.size();
    ByteBuffer all = filled(0, size);
    while (all.hasRemaining()) {
      int at = all.position();
      Entry entry = entry(all, at);
      if (entry == null && !mayEndEarly) {
        throw wrong(at);
      }
      if (entry == null) {
        channel.truncate(at);
        size = at;
        return;
      }
      each.take(entry);
    }
  }

  private FileSystemException wrong(int at) {
    return new FileSystemException(
        path.toString(), null, "store: the record at byte %d is damaged".formatted(at));
  }

  /** Has all records on the disk. What an addition that failed has left behind them is cut off. */
  void force() throws IOException {
    channel.truncate(size);
    channel.force(true);
  }

  void delete() throws IOException {
    Files.deleteIfExists(path);
    channel.close();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

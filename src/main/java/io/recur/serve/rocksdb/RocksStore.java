package io.recur.serve.rocksdb;

import io.recur.io.optional.OptionalLibrary;
import io.recur.serve.SessionStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A store of sessions in RocksDB, through {@code org.rocksdb:rocksdbjni:10.1.3}, which you add to
 * your project. It suits more sessions than the index of a {@link io.recur.serve.FileStore} has
 * memory for: RocksDB keeps its index on the disk.
 *
 * <pre>{@code
 * try (RocksStore store = RocksStore.open(path);
 *     Sessions sessions = Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
 *   sessions.open(7);
 *   sessions.drain();                       // what is in memory goes to the store, too
 * }
 * }</pre>
 *
 * <p>A process that is killed loses nothing that was put, and finds nothing that was taken. A
 * machine that loses power may lose what came after the last {@link #close} or the last file that
 * RocksDB has written. After a failed call, such as on a full disk, the next call opens the
 * database again and undoes what may have remained of the failed one.
 */
public final class RocksStore implements SessionStore {
  /** The key of the number of values. No value has it. */
  private final byte[] countKey = {};

  private final RocksFolder folder;
  private long count;

  private RocksStore(RocksFolder folder) throws IOException {
    this.folder = folder;
    byte[] known = folder.get(countKey);
    this.count = known == null ? folder.count() : ByteBuffer.wrap(known).getLong();
  }

  /**
   * Opens the store of a folder, which is made where it is not there.
   *
   * @param path a folder of this store alone
   * @return to be closed by the caller after the sessions that use it
   * @throws IOException if it cannot be read or written, is damaged, or is in use
   * @throws IllegalStateException if rocksdbjni is missing or has no library for this platform; the
   *     message gives its coordinates
   */
  public static RocksStore open(Path path) throws IOException {
    Files.createDirectories(path);
    RocksFolder folder;
    try {
      folder = RocksFolder.open(path);
    } catch (LinkageError e) {
      throw OptionalLibrary.ROCKSDB.missing("store", e);
    }
    try {
      return new RocksStore(folder);
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  private static byte[] bytes(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  private static void check(byte... key) {
    if (key.length == 0) {
      throw new IllegalArgumentException("store: a key of 0 bytes; need 1 or more");
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if a value of this key is there
   */
  @Override
  public synchronized void put(byte[] key, byte[] value) throws IOException {
    check(key);
    if (folder.get(key) != null) {
      throw new IllegalArgumentException("store: the key is there; take it before");
    }
    folder.change(key, null, value, countKey, bytes(count), bytes(count + 1));
    count++;
  }

  @Override
  public synchronized boolean holds(byte[] key) throws IOException {
    check(key);
    return folder.get(key) != null;
  }

  @Override
  public synchronized byte @Nullable [] take(byte[] key) throws IOException {
    check(key);
    byte[] value = folder.get(key);
    if (value != null) {
      folder.change(key, value, null, countKey, bytes(count), bytes(count - 1));
      count--;
    }
    return value;
  }

  @Override
  public synchronized long count() {
    return count;
  }

  /** {@inheritDoc} A second call does nothing. */
  @Override
  public synchronized void close() throws IOException {
    folder.close();
  }
}

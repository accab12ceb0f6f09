package io.recur.serve.rocksdb;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A database of RocksDB in a folder. All that touches its library is here, so that the store can
 * say what is missing. The caller sees to it that one thread at a time is inside: RocksDB checks no
 * handle.
 */
final class RocksFolder implements AutoCloseable {
  private static final long WRITE_BUFFER_BYTES = 16 << 20;

  private final Path path;
  private final Options options;
  private final WriteOptions writes =
      new WriteOptions(); // to the log, without waiting for the disk
  private @Nullable RocksDB database;
  private boolean isOpen = true;

  /** What undoes a change that has failed; none where none has. */
  private @Nullable Undo undo;

  /**
   * A change that may have gone to the disk in part.
   *
   * @param before the value of the key before; null for none
   */
  private record Undo(byte[] key, byte @Nullable [] before, WriteBatch batch) {}

  private RocksFolder(Path path) {
    this.path = path;
    this.options =
        new Options()
            .setCreateIfMissing(true)
            .setWriteBufferSize(WRITE_BUFFER_BYTES)
            .setAvoidFlushDuringRecovery(true) // which a full disk has no room for
            .setCompressionType(CompressionType.NO_COMPRESSION) // of floats it gains nothing
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
            .setKeepLogFileNum(2)
            .setStatsDumpPeriodSec(0);
  }

  static RocksFolder open(Path path) throws IOException {
    RocksDB.loadLibrary();
    RocksFolder folder = new RocksFolder(path);
    try {
      folder.database();
      return folder;
    } catch (IOException e) {
      folder.close();
      throw e;
    }
  }

  private RocksDB database() throws IOException {
    if (!isOpen) {
      throw new IllegalStateException(
          "store: it is closed; close it after the sessions that use it");
    }
    RocksDB now = database;
    if (now == null) {
      try {
        now = RocksDB.open(options, path.toString());
        database = now;
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }
    return now;
  }

  /** Undoes a change that has failed. */
  private void repair() throws IOException {
    Undo failed = undo;
    if (failed == null) {
      return;
    }
    try {
      write(failed.batch);
    } catch (RocksDBException e) {
      if (Files.getFileStore(path).getUsableSpace() < WRITE_BUFFER_BYTES) {
        throw failed(e); // it could not be opened again, and can be read meanwhile
      }
      reopen(failed.batch);
    }
    undo = null;
    failed.batch.close();
  }

  /** After some errors a database takes no writes until it is opened again. */
  private void reopen(WriteBatch first) throws IOException {
    database().close();
    database = null;
    try {
      write(first);
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  private void write(WriteBatch batch) throws IOException, RocksDBException {
    database().write(writes, batch);
  }

  private FileSystemException failed(RocksDBException e) {
    FileSystemException failed =
        new FileSystemException(path.toString(), null, "store: RocksDB: " + e.getMessage());
    failed.initCause(e);
    return failed;
  }

  byte @Nullable [] get(byte... key) throws IOException {
    RocksDB now = database();
    if (undo != null && Arrays.equals(undo.key, key)) {
      return undo.before;
    }
    try {
      return now.get(key);
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  /** The number of keys, for which all are visited. */
  long count() throws IOException {
    long count = 0;
    try (RocksIterator all = database().newIterator()) {
      for (all.seekToFirst(); all.isValid(); all.next()) {
        count++;
      }
      all.status();
    } catch (RocksDBException e) {
      throw failed(e);
    }
    return count;
  }

  /**
   * Changes two values, both or none.
   *
   * @param before the value of the first key; null for none
   * @param after what it becomes; null for none
   * @param other the second key, with its value before and after
   */
  void change(
      byte[] key,
      byte @Nullable [] before,
      byte @Nullable [] after,
      byte[] other,
      byte[] otherBefore,
      byte[] otherAfter)
      throws IOException {
    repair();
    try (WriteBatch change = new WriteBatch()) {
      add(change, key, after);
      change.put(other, otherAfter);
      write(change);
    } catch (RocksDBException e) {
      undo = new Undo(key.clone(), before, undo(key, before, other, otherBefore));
      throw failed(e);
    }
  }

  private WriteBatch undo(byte[] key, byte @Nullable [] before, byte[] other, byte[] otherBefore)
      throws IOException {
    WriteBatch back = new WriteBatch();
    try {
      add(back, key, before);
      back.put(other, otherBefore);
      return back;
    } catch (RocksDBException e) {
      back.close();
      throw failed(e);
    }
  }

  private static void add(WriteBatch batch, byte[] key, byte @Nullable [] value)
      throws RocksDBException {
    if (value == null) {
      batch.delete(key);
    } else {
      batch.put(key, value);
    }
  }

  /** Has what was written be on the disk. A second call does nothing. */
  @Override
  public void close() throws IOException {
    if (!isOpen) {
      return;
    }
    try {
      repair();
      if (database != null) {
        database.syncWal();
      }
    } catch (RocksDBException e) {
      throw failed(e);
    } finally {
      isOpen = false;
      if (database != null) {
        database.close();
      }
      if (undo != null) {
        undo.batch.close();
      }
      writes.close();
      options.close();
    }
  }
}

package io.recur.serve;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A store of sessions in a folder: a log of what was put and taken, in files of 16 MiB that are
 * written once. A record carries a checksum, so that one that a crash has cut off is not there
 * after it, and all before it are. What was taken leaves no files behind: the oldest is written
 * again without it where more than half of all is of no use.
 *
 * <pre>{@code
 * try (FileStore store = FileStore.open(path);
 *     Sessions sessions = Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
 *   sessions.open(7);
 *   sessions.drain();                       // what is in memory goes to the store, too
 * }
 * }</pre>
 *
 * <p>The index is in memory: some 40 bytes per session. A process that is killed loses nothing that
 * was put. A machine that loses power may lose what came after the last {@link #close} or the last
 * full file.
 */
public final class FileStore implements SessionStore {
  private static final Pattern NAME = Pattern.compile("sessions-(\\d{9})\\.log");
  private static final int FULL = 16 << 20;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final long PLACE_BYTES = 12; // the file's number, its byte, the bytes there

  private final Path folder;
  private final FileChannel lock;
  private final Arena arena = Arena.ofShared();
  private final Cells places = new Cells(arena, PLACE_BYTES, Cells.LARGE_SLAB);
  private final Index index = new Index(Arena::ofShared);
  private final long seed = new SecureRandom().nextLong();
  private final TreeMap<Integer, StoreFile> files = new TreeMap<>();
  private long count;
  private long all;
  private long used;
  private boolean isOpen = true;

  private FileStore(Path folder, FileChannel lock) {
    this.folder = folder;
    this.lock = lock;
  }

  /**
   * Opens the store of a folder, which is made where it is not there.
   *
   * @param folder of this store alone
   * @return to be closed by the caller after the sessions that use it
   * @throws IOException if it cannot be read or written, is damaged, or is in use
   */
  public static FileStore open(Path folder) throws IOException {
    Files.createDirectories(folder);
    FileChannel lock =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileStore store = new FileStore(folder, lock);
    try {
      if (lock.tryLock() == null) {
        throw new OverlappingFileLockException();
      }
      store.read();
      return store;
    } catch (OverlappingFileLockException e) {
      store.release();
      throw new FileSystemException(
          folder.toString(), null, "store: it is in use; one store at a time has a folder");
    } catch (IOException | RuntimeException e) {
      store.release();
      throw e;
    }
  }

  private void read() throws IOException {
    List<Integer> numbers;
    try (Stream<Path> found = Files.list(folder)) {
      numbers =
          found
              .map(path -> NAME.matcher(path.getFileName().toString()))
              .filter(Matcher::matches)
              .map(name -> Integer.parseInt(name.group(1)))
              .sorted()
              .toList();
    }
    for (int number : numbers) {
      StoreFile file = file(number);
      file.read(number == numbers.getLast(), entry -> replay(file, entry));
      all += file.size();
    }
    if (files.isEmpty()) {
      file(1);
    }
  }

  private StoreFile file(int number) throws IOException {
    StoreFile file = StoreFile.open(number, folder.resolve("sessions-%09d.log".formatted(number)));
    files.put(number, file);
    return file;
  }

  private void replay(StoreFile file, StoreFile.Entry entry) throws IOException {
    int cell = find(entry.key());
    if (cell >= 0) {
      forget(entry.key(), cell);
    }
    if (entry.value() != null) {
      note(entry.key(), file.number, entry.at(), entry.bytes());
    }
  }

  // The index.

  private int get(int cell, int field) {
    return places.slab(cell).get(INT, places.at(cell) + Integer.BYTES * field);
  }

  private StoreFile.Entry entry(int cell) throws IOException {
    return files.get(get(cell, 0)).at(get(cell, 1));
  }

  private int find(byte... key) throws IOException {
    IOException[] failed = new IOException[1];
    int cell =
        index.find(
            Id.hash(seed, key),
            at -> {
              try {
                return Arrays.equals(entry(at).key(), key);
              } catch (IOException e) {
                failed[0] = e;
                return true;
              }
            });
    if (failed[0] != null) {
      throw failed[0];
    }
    return cell;
  }

  private void note(byte[] key, int... place) {
    int cell = places.take();
    move(cell, place);
    index.add(Id.hash(seed, key), cell);
    count++;
    used += place[2];
  }

  private void move(int cell, int... place) {
    MemorySegment.copy(place, 0, places.slab(cell), INT, places.at(cell), place.length);
  }

  private void forget(byte[] key, int cell) {
    used -= get(cell, 2);
    index.remove(Id.hash(seed, key), cell);
    places.giveBack(cell);
    count--;
  }

  // The log.

  private StoreFile last() {
    return files.lastEntry().getValue();
  }

  private int add(byte[] key, byte @Nullable [] value) throws IOException {
    if (last().size() >= FULL) {
      last().force();
      file(last().number + 1);
    }
    int at = last().add(key, value);
    all += last().size() - at;
    return at;
  }

  /**
   * Writes the oldest file again, less what is of no use, while more than half is. A call begins
   * with it: where it fails, the call has changed nothing.
   */
  private void clear() throws IOException {
    while (files.size() > 1 && all - used > Math.max(FULL, all / 2)) {
      StoreFile oldest = files.firstEntry().getValue();
      oldest.read(
          false,
          entry -> {
            int cell = entry.value() == null ? -1 : find(entry.key());
            if (cell >= 0 && get(cell, 0) == oldest.number && get(cell, 1) == entry.at()) {
              int at = add(entry.key(), entry.value());
              move(cell, last().number, at, entry.bytes());
            }
          });
      last().force(); // before what it holds is nowhere else
      oldest.delete();
      files.remove(oldest.number);
      all -= oldest.size();
    }
  }

  @Override
  public void put(byte[] key, byte[] value) throws IOException {
    checkOpen();
    if (key.length < 1 || key.length > Byte.MAX_VALUE) {
      throw new IllegalArgumentException(
          "store: a key of %d bytes; need 1 to %d".formatted(key.length, Byte.MAX_VALUE));
    }
    if (find(key) >= 0) {
      throw new IllegalArgumentException("store: the key is there; take it before");
    }
    clear();
    int at = add(key, value);
    note(key, last().number, at, last().size() - at);
  }

  @Override
  public boolean holds(byte[] key) throws IOException {
    checkOpen();
    return find(key) >= 0;
  }

  @Override
  public byte @Nullable [] take(byte[] key) throws IOException {
    checkOpen();
    int cell = find(key);
    if (cell < 0) {
      return null;
    }
    clear();
    byte[] value = entry(cell).value();
    add(key, null);
    forget(key, cell);
    return value;
  }

  @Override
  public long count() {
    return count;
  }

  private void checkOpen() {
    if (!isOpen) {
      throw new IllegalStateException(
          "store: it is closed; close it after the sessions that use it");
    }
  }

  /** {@inheritDoc} A second call does nothing. */
  @Override
  public void close() throws IOException {
    if (isOpen) {
      isOpen = false;
      try {
        last().force();
      } finally {
        release();
      }
    }
  }

  private void release() throws IOException {
    isOpen = false;
    index.close();
    arena.close();
    for (StoreFile file : files.values()) {
      file.close();
    }
    lock.close();
  }
}

package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Devices;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A store in files, against a map. */
@Tag(Devices.CPU)
class FileStoreTest {
  @TempDir private Path folder;

  private static byte[] key(int i) {
    return ("key-" + i).getBytes();
  }

  private static byte[] value(Random random) {
    byte[] value = new byte[random.nextInt(3000)];
    random.nextBytes(value);
    return value;
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
    }
  }

  private static void check(Map<Integer, byte[]> known, FileStore store) throws IOException {
    assertEquals(known.size(), store.count());
    for (int i = 0; i < 1000; i++) {
      assertEquals(known.containsKey(i), store.holds(key(i)));
    }
  }

  @Test
  void aStoreIsAMapThatOutlivesItsProcess() throws IOException {
    Random random = new Random(1);
    Map<Integer, byte[]> known = new HashMap<>();
    for (int round = 0; round < 6; round++) {
      try (FileStore store = FileStore.open(folder)) {
        check(known, store);
        for (int i = 0; i < 3000; i++) {
          int key = random.nextInt(1000);
          byte[] its = known.remove(key);
          if (its == null) {
            byte[] value = value(random);
            store.put(key(key), value);
            known.put(key, value);
          } else {
            assertArrayEquals(its, store.take(key(key)));
            assertNull(store.take(key(key)));
          }
        }
        check(known, store);
      }
    }
  }

  /** What was taken leaves no files behind. */
  @Test
  void filesStayInProportionToWhatIsThere() throws IOException {
    byte[] value = new byte[1 << 16];
    try (FileStore store = FileStore.open(folder)) {
      store.put(key(-1), value);
      for (int i = 0; i < 2000; i++) { // 128 MiB in all, of which 1.3 are there at a time
        store.put(key(i), value);
        assertEquals(value.length, i < 20 ? value.length : store.take(key(i - 20)).length);
      }
      assertTrue(files().size() <= 4, files().toString());
      assertEquals(21, store.count());
    }
    try (FileStore store = FileStore.open(folder)) {
      assertEquals(21, store.count());
      assertArrayEquals(value, store.take(key(-1)), "written again from file to file");
    }
  }

  /** Old values of a key are in files that are written again. */
  @Test
  void aKeyThatWasPutAgainHasItsLastValue() throws IOException {
    byte[] large = new byte[1 << 20];
    try (FileStore store = FileStore.open(folder)) {
      for (int key : new int[] {-2, -1, -2}) { // -2: twice in the first file
        store.take(key(key));
        store.put(key(key), new byte[] {(byte) files().size(), (byte) store.count()});
      }
      for (int i = 0; i < 20; i++) {
        store.put(key(i), large);
      }
      store.take(key(-1));
      store.put(key(-1), new byte[] {3});
      Path first = files().getFirst();
      for (int i = 0; i < 20; i++) {
        store.take(key(i));
      }
      assertFalse(Files.exists(first), "it is not written again");
    }
    try (FileStore store = FileStore.open(folder)) {
      assertArrayEquals(new byte[] {3}, store.take(key(-1)));
      assertArrayEquals(new byte[] {1, 1}, store.take(key(-2)));
      assertEquals(0, store.count());
    }
  }

  /** A record that a crash has cut off is not there; all before it are. */
  @Test
  void aCutOffEndLosesTheLastRecordAlone() throws IOException {
    Random random = new Random(2);
    int count = 40;
    List<Long> ends = new ArrayList<>();
    List<byte[]> values = new ArrayList<>();
    try (FileStore store = FileStore.open(folder)) {
      for (int i = 0; i < count; i++) {
        values.add(value(random));
        store.put(key(i), values.get(i));
        ends.add(Files.size(files().getFirst()));
      }
    }
    byte[] whole = Files.readAllBytes(files().getFirst());
    for (int round = 0; round < 60; round++) {
      int length = random.nextInt(whole.length + 1);
      Files.write(files().getFirst(), Arrays.copyOf(whole, length));
      try (FileStore store = FileStore.open(folder)) {
        long left = ends.stream().filter(end -> end <= length).count();
        assertEquals(left, store.count());
        store.put(key(count), values.getFirst()); // and the next one follows what is left
      }
      try (FileStore store = FileStore.open(folder)) {
        assertArrayEquals(values.getFirst(), store.take(key(count)));
      }
    }
  }

  @Test
  void damageThatNoCrashMakesIsAnError() throws IOException {
    byte[] value = new byte[1 << 20];
    try (FileStore store = FileStore.open(folder)) {
      for (int i = 0; i < 40; i++) {
        store.put(key(i), value);
      }
    }
    assertTrue(files().size() > 1);
    for (int at : new int[] {5000, 1 << 20}) { // near either end of the first record
      try (RandomAccessFile file = new RandomAccessFile(files().getFirst().toFile(), "rw")) {
        file.seek(at);
        file.write(1);
        Thrown.says(FileSystemException.class, () -> FileStore.open(folder), "byte 0 is damaged");
        file.seek(at);
        file.write(0);
      }
    }
    FileStore.open(folder).close();
  }

  /** What was damaged is found when the oldest file is written again. */
  @Test
  void aCallThatFailsChangesNothing() throws IOException {
    byte[] value = new byte[1 << 20];
    try (FileStore store = FileStore.open(folder)) {
      for (int i = 0; i < 20; i++) {
        store.put(key(i), value);
      }
      try (RandomAccessFile file = new RandomAccessFile(files().getFirst().toFile(), "rw")) {
        file.seek(5000);
        file.write(1);
      }
      int next = 20;
      while (isDone(() -> store.put(key(999), value))) {
        assertArrayEquals(value, store.take(key(999)));
        next++;
        assertTrue(next < 100, "100 MiB of no use");
      }
      assertEquals(20, store.count());
      assertFalse(store.holds(key(999)));
      assertFalse(isDone(() -> store.take(key(7))));
      assertTrue(store.holds(key(7)));
      assertEquals(20, store.count());
    }
  }

  private static boolean isDone(Executable call) {
    try {
      call.execute();
      return true;
    } catch (Throwable thrown) {
      assertTrue(thrown.getMessage().contains("the record at byte 0 is damaged"), thrown::toString);
      return false;
    }
  }

  /** A disk that is full has taken a part of a record. */
  @Test
  void theRestOfAWriteThatFailedIsNoDamage() throws IOException {
    byte[] value = new byte[1 << 20];
    try (FileStore store = FileStore.open(folder)) {
      for (int i = 0; i < 18; i++) {
        if (i == 15) {
          Files.write(files().getFirst(), new byte[3 << 20], StandardOpenOption.APPEND);
        }
        store.put(key(i), value);
      }
      assertEquals(2, files().size());
    }
    try (FileStore store = FileStore.open(folder)) {
      for (int i = 0; i < 18; i++) {
        assertArrayEquals(value, store.take(key(i)));
      }
    }
  }

  /** Whoever writes a checksum that fits may still write what no store does. */
  @Test
  void aKeyThatIsLongerThanItsRecordIsDamage() throws IOException {
    for (int length : new int[] {-1, 9, 100}) {
      CRC32C sum = new CRC32C();
      byte[] record = {(byte) length, 'k', 'e', 'y', 1};
      sum.update(record);
      ByteBuffer bytes = ByteBuffer.allocate(8 + record.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(record.length).putInt((int) sum.getValue()).put(record);
      Files.write(folder.resolve("sessions-000000001.log"), bytes.array());
      Files.write(folder.resolve("sessions-000000002.log"), new byte[0]);
      Thrown.says(FileSystemException.class, () -> FileStore.open(folder), "byte 0 is damaged");
    }
  }

  @Test
  void oneStoreAtATimeHasAFolder() throws IOException {
    FileStore store = FileStore.open(folder);
    Thrown.says(FileSystemException.class, () -> FileStore.open(folder), "in use");
    store.put(key(1), key(2));
    assertThrows(IllegalArgumentException.class, () -> store.put(key(1), key(3)));
    assertThrows(IllegalArgumentException.class, () -> store.put(new byte[0], key(3)));
    assertThrows(IllegalArgumentException.class, () -> store.put(new byte[128], key(3)));
    store.close();
    store.close();
    Thrown.says(IllegalStateException.class, () -> store.take(key(1)), "it is closed");
    try (FileStore again = FileStore.open(folder)) {
      assertArrayEquals(key(2), again.take(key(1)));
    }
  }
}

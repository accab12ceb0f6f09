package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.Thrown;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every store that outlives its process does: against a map, over a crash, and on a full disk.
 * Public, as stores of other packages are held to it too.
 */
public abstract class StoreLaws {
  /** Opens a store. Public, with a constructor without arguments: a child process makes one. */
  public interface Opens {
    /** Opens the store of a folder. */
    SessionStore open(Path folder) throws IOException;
  }

  private static final int SHORT = 3;
  private static final int LONG = 50;
  private static final int KEYS = 200;

  @TempDir private Path folder;

  private final Opens opens;

  protected StoreLaws(Opens opens) {
    this.opens = opens;
  }

  private SessionStore opened() throws IOException {
    return opens.open(folder.resolve("store"));
  }

  private static byte[] key(int i) {
    return ("key-" + i).getBytes();
  }

  /** A value that says whose it is, in each of its bytes. */
  private static byte[] value(int key, int bytes) {
    byte[] value = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      value[i] = (byte) (key * 31 + i);
    }
    return value;
  }

  private static void check(Map<Integer, byte[]> known, SessionStore store) throws IOException {
    assertEquals(known.size(), store.count());
    for (int i = 0; i < KEYS; i++) {
      assertEquals(known.containsKey(i), store.holds(key(i)));
    }
  }

  @Test
  void aStoreIsAMapThatOutlivesItsProcess() throws IOException {
    Random random = new Random(1);
    Map<Integer, byte[]> known = new HashMap<>();
    for (int round = 0; round < 5; round++) {
      try (SessionStore store = opened()) {
        check(known, store);
        for (int i = 0; i < 1000; i++) {
          int key = random.nextInt(KEYS);
          byte[] its = known.remove(key);
          if (its == null) {
            byte[] value = value(key, random.nextInt(3000));
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

  @Test
  void whatIsNoUseOfAStoreIsRefused() throws IOException {
    SessionStore store = opened();
    Thrown.says(FileSystemException.class, this::opened, "store: ");
    store.put(key(1), key(2));
    Thrown.says(IllegalArgumentException.class, () -> store.put(key(1), key(3)), "take it before");
    assertThrows(IllegalArgumentException.class, () -> store.put(new byte[0], key(3)));
    assertEquals(1, store.count());
    store.close();
    store.close();
    Thrown.says(IllegalStateException.class, () -> store.take(key(1)), "it is closed");
    Thrown.says(IllegalStateException.class, () -> store.holds(key(1)), "it is closed");
    Thrown.says(IllegalStateException.class, () -> store.put(key(5), key(1)), "it is closed");
    try (SessionStore again = opened()) {
      assertArrayEquals(key(2), again.take(key(1)));
    }
  }

  // A process that is killed.

  /** Puts and takes the same keys for ever, and says what it has done, after it has. */
  public static final class Writer {
    private Writer() {}

    /** Begins. */
    public static void main(String[] arguments) throws Exception {
      Opens opens = (Opens) Class.forName(arguments[0]).getConstructor().newInstance();
      Random random = new Random();
      StringBuilder told = new StringBuilder();
      try (SessionStore store = opens.open(Path.of(arguments[1]))) {
        while (true) {
          int key = random.nextInt(KEYS);
          told.setLength(0);
          if (store.take(key(key)) == null) {
            store.put(key(key), value(key, 500 + random.nextInt(3000)));
            told.append('+');
          } else {
            told.append('-');
          }
          told.append(key).append('\n');
          System.out.write(told.toString().getBytes());
          System.out.flush();
        }
      }
    }
  }

  private void kills(int wanted) throws Exception {
    Random random = new Random(3);
    Map<Integer, Boolean> there = new HashMap<>();
    for (int kill = 0; kill < wanted; kill++) {
      Path output = folder.resolve("output.txt");
      Process writer =
          ChildJvm.start(
              output,
              Writer.class,
              List.of(),
              opens.getClass().getName(),
              folder.resolve("store").toString());
      while (writer.isAlive() && Files.size(output) == 0) {
        Thread.sleep(2);
      }
      boolean ended = writer.waitFor(50 + random.nextInt(250), TimeUnit.MILLISECONDS);
      writer.destroyForcibly().waitFor();
      String told = Files.readString(output);
      assertTrue(!ended, told);
      String whole = told.substring(0, told.lastIndexOf('\n') + 1);
      whole
          .lines()
          .forEach(line -> there.put(Integer.valueOf(line.substring(1)), line.charAt(0) == '+'));
      checkAfterKill(there);
    }
  }

  /** All that was told is so, but for the one call that the kill may have cut off. */
  private void checkAfterKill(Map<Integer, Boolean> there) throws IOException {
    try (SessionStore store = opened()) {
      List<Integer> otherwise = new ArrayList<>();
      int found = 0;
      for (int i = 0; i < KEYS; i++) {
        boolean isThere = store.holds(key(i));
        found += isThere ? 1 : 0;
        if (isThere != there.getOrDefault(i, false)) {
          otherwise.add(i);
          there.put(i, isThere);
        }
        if (isThere) {
          byte[] value = store.take(key(i));
          assertArrayEquals(value(i, value.length), value);
          store.put(key(i), value);
        }
      }
      assertTrue(otherwise.size() <= 1, "not as was told: " + otherwise);
      assertEquals(found, store.count());
    }
  }

  @Test
  void aProcessThatIsKilledLosesNothing() throws Exception {
    kills(SHORT);
  }

  @Test
  @Tag("soak")
  void fiftyKilledProcessesLoseNothing() throws Exception {
    kills(LONG);
    System.out.printf(
        "soak: %d kills of a process at random calls of a %s: nothing was lost%n",
        LONG, opens.getClass().getEnclosingClass().getSimpleName());
  }

  // A disk that is full.

  /**
   * Fills the disk: first with what is taken again, so that the store has to tidy up where there is
   * no room to, then with what stays. Goes on once there is room again.
   */
  public static final class Filler {
    private static final int BYTES = 10_000;

    private final SessionStore store;
    private int count;

    private Filler(SessionStore store) {
      this.store = store;
    }

    /** Begins. */
    public static void main(String[] arguments) throws Exception {
      Opens opens = (Opens) Class.forName(arguments[0]).getConstructor().newInstance();
      Path disk = Path.of(arguments[1]);
      Path ballast = SmallDisk.fillHalf(disk);
      try (SessionStore store = opens.open(disk.resolve("store"))) {
        Filler filler = new Filler(store);
        filler.fill(1000);
        filler.putAndTake(1800);
        filler.fill(10_000);
        Files.delete(ballast);
        filler.check();
      }
      System.out.println("all there");
    }

    private static void require(boolean isSo, String what) {
      if (!isSo) {
        throw new IllegalStateException(what);
      }
    }

    /** Puts values until there are as many or the disk is full. */
    private void fill(int wanted) throws IOException {
      for (int failed = 0; count < wanted && failed < 3; ) {
        try {
          store.put(key(count), value(count, failed == 0 ? BYTES : 100 * BYTES));
          count++;
        } catch (IOException e) {
          failed++;
          System.out.println("full after " + count + ": " + e.getMessage());
          require(!store.holds(key(count)), "what was refused is there");
        }
      }
    }

    private void putAndTake(int rounds) throws IOException {
      byte[] key = key(-1);
      for (int i = 0; i < rounds; i++) {
        try {
          store.put(key, value(-1, BYTES));
        } catch (IOException e) {
          require(!store.holds(key), "what was refused is there: " + e);
          return;
        }
        try {
          store.take(key);
        } catch (IOException e) {
          require(store.holds(key), "what could not be taken is gone: " + e);
          return;
        }
      }
    }

    private void check() throws IOException {
      store.take(key(-1));
      require(store.count() == count, store.count() + " values of " + count);
      store.put(key(count), value(count, BYTES));
      for (int i = 0; i <= count; i += 1 + i / 20) {
        require(Arrays.equals(store.take(key(i)), value(i, BYTES)), "value " + i);
      }
    }
  }

  @Test
  void aFullDiskLosesNothingAndIsUsedAgain() throws Exception {
    String told = SmallDisk.run(folder, Filler.class, opens.getClass().getName());
    assertTrue(told.contains("all there"), told);
    assertEquals(3, told.lines().filter(line -> line.startsWith("full")).count(), told);
  }
}

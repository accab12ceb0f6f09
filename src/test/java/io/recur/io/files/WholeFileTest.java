package io.recur.io.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.ChildJvm;
import io.recur.device.Devices;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reader sees the old file or the whole new one. */
@Tag(Devices.CPU)
class WholeFileTest {
  private static final int ROUNDS = 60;
  private static final int LONGEST_SECONDS = 120;

  @TempDir Path folder;

  private static void write(Path path, String text) throws IOException {
    WholeFile.write(path, channel -> channel.write(ByteBuffer.wrap(text.getBytes())));
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void nothingButTheFileRemainsInTheFolder() throws IOException {
    write(folder.resolve("a"), "one");
    write(folder.resolve("a"), "two");
    assertEquals("two", Files.readString(folder.resolve("a")));
    assertEquals(List.of("a"), names());
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    write(folder.resolve("a"), "old");
    assertThrows(
        IOException.class,
        () ->
            WholeFile.write(
                folder.resolve("a"),
                channel -> {
                  channel.write(ByteBuffer.wrap(new byte[10]));
                  throw new IOException("disk full");
                }));
    assertEquals("old", Files.readString(folder.resolve("a")));
    assertEquals(List.of("a"), names());
  }

  @Test
  void theOldFilesModeIsKept() throws IOException {
    assumeTrue(isPosix(), "no POSIX permissions here");
    Path file = folder.resolve("a");
    for (String mode : List.of("rw-------", "rw-rw-rw-", "r--r-----")) {
      write(file, "old");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
      write(file, "new");
      assertEquals(mode, PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }
    Path plain = Files.createFile(folder.resolve("plain")); // has the umask's
    write(folder.resolve("b"), "new");
    assertEquals(
        Files.getPosixFilePermissions(plain), Files.getPosixFilePermissions(folder.resolve("b")));
  }

  private boolean isPosix() {
    return folder.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  @Test
  void onlyARegularFileIsReplaced() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "no mkfifo on this machine");
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start().waitFor());
    Path full = Files.createDirectories(folder.resolve("full/inside")).getParent();
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Path target = Files.writeString(folder.resolve("target"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("none"));
    List<String> before = names();
    for (Path path : List.of(pipe, full, empty, link, dangling)) {
      IOException e = assertThrows(IOException.class, () -> write(path, "new"));
      assertTrue(e.getMessage().startsWith(path + ": only a regular file"), e.getMessage());
    }
    assertEquals(before, names());
    assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(dangling));
    assertFalse(Files.isRegularFile(pipe, LinkOption.NOFOLLOW_LINKS));
    assertEquals("old", Files.readString(target));
    assertThrows(IOException.class, () -> write(Path.of("/"), "new"));
  }

  /** A target that becomes something else while a saver writes is left alone too. */
  @Test
  void aPathThatChangesDuringTheWriteIsNotReplaced() throws IOException {
    Path path = folder.resolve("a");
    assertThrows(
        IOException.class, () -> WholeFile.write(path, channel -> Files.createDirectory(path)));
    assertTrue(Files.isDirectory(path));
    assertEquals(List.of("a"), names());
  }

  private List<Path> temporaryFiles() throws IOException {
    try (var files = Files.list(folder)) {
      return files.filter(path -> path.toString().endsWith(".part")).toList();
    }
  }

  /** A saver that is killed within a write leaves a temporary file; a later save removes it. */
  @Test
  void anOrphanIsRemovedAndALivingSaversFileIsNot() throws Exception {
    Path file = folder.resolve("a");
    write(file, "old");
    Path log = folder.resolve("log");
    Process saver = ChildJvm.start(log, Stuck.class, List.of(), file.toString());
    try {
      while (temporaryFiles().isEmpty() || Files.size(temporaryFiles().getFirst()) == 0) {
        assertTrue(saver.isAlive(), () -> "the saver ended early");
        Thread.sleep(10);
      }
      Path others = temporaryFiles().getFirst();
      write(file, "new");
      assertTrue(Files.exists(others), "a file that its saver still writes");
      saver.destroyForcibly().waitFor();
      assertTrue(Files.exists(others), "an orphan");
      Path strange = Files.writeString(folder.resolve(".a.mine.part"), "not a temporary file");
      write(file, "newer");
      assertEquals(List.of(strange), temporaryFiles());
      assertEquals("newer", Files.readString(file));
    } finally {
      saver.destroyForcibly().waitFor();
    }
  }

  /** Writes a byte of a file and waits. */
  static final class Stuck {
    private Stuck() {}

    public static void main(String[] arguments) throws IOException {
      WholeFile.write(
          Path.of(arguments[0]),
          channel -> {
            channel.write(ByteBuffer.wrap(new byte[1]));
            try {
              Thread.sleep(TimeUnit.SECONDS.toMillis(LONGEST_SECONDS));
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
          });
    }
  }

  /** Threads of this process and another process save to one path, and each file read is whole. */
  @Test
  void readersSeeWholeFilesWhateverSaversThereAre() throws Exception {
    Path file = folder.resolve("a");
    Path log = folder.resolve("log");
    Process other = ChildJvm.start(log, Saver.class, List.of(), file.toString(), "3");
    List<Throwable> failures = new ArrayList<>();
    List<Thread> savers = new ArrayList<>();
    for (int id = 1; id <= 2; id++) {
      int mine = id;
      savers.add(Thread.ofPlatform().start(() -> collect(failures, () -> save(file, mine))));
    }
    while (other.isAlive() || savers.stream().anyMatch(Thread::isAlive)) {
      collect(failures, () -> readWhole(file));
    }
    for (Thread saver : savers) {
      saver.join();
    }
    assertEquals(0, other.exitValue(), Files.readString(log));
    assertEquals(List.of(), failures);
    assertEquals(List.of("a", "log"), names());
  }

  /** As in two containers: each saver is process 1 and sees no other process. */
  @Test
  void saversThatSeeNoOtherProcessDoNotDisturbEachOther() throws Exception {
    List<String> container = container();
    Path file = folder.resolve("a");
    List<Path> logs = List.of(folder.resolve("log1"), folder.resolve("log2"));
    List<Process> savers = new ArrayList<>();
    for (int i = 0; i < logs.size(); i++) {
      String id = Integer.toString(i + 1);
      savers.add(ChildJvm.startBy(container, logs.get(i), Saver.class, file.toString(), id));
    }
    List<Throwable> failures = new ArrayList<>();
    while (savers.stream().anyMatch(Process::isAlive)) {
      collect(failures, () -> readWhole(file));
    }
    for (int i = 0; i < logs.size(); i++) {
      List<String> lines = Files.readAllLines(logs.get(i));
      assertEquals(0, savers.get(i).exitValue(), lines.toString());
      assertTrue(lines.contains("process 1"), lines.toString());
    }
    assertEquals(List.of(), failures);
    assertEquals(List.of("a", "log1", "log2"), names());
  }

  /** A command that starts another one as process 1 of a namespace. */
  private static List<String> container() throws Exception {
    List<String> container = List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc");
    List<String> ofUser = new ArrayList<>(container);
    ofUser.addAll(List.of("--user", "--map-root-user"));
    for (List<String> starter : List.of(container, ofUser)) {
      List<String> command = new ArrayList<>(starter);
      command.add("true");
      try {
        Process probe =
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (probe.waitFor() == 0) {
          return starter;
        }
      } catch (IOException e) {
        break; // there is no such command
      }
    }
    return abort("this user may not make a namespace of processes, or has no unshare");
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void collect(List<Throwable> failures, Work work) {
    try {
      work.run();
    } catch (IOException | RuntimeException e) {
      synchronized (failures) {
        failures.add(e);
      }
    }
  }

  private static void save(Path file, int id) throws IOException {
    for (int i = 0; i < ROUNDS; i++) {
      float[] values = new float[20_000 + 1000 * ((7 * i + id) % 50)];
      Arrays.fill(values, id);
      StoredTensor entry = new StoredTensor(new int[] {values.length}, values);
      new Safetensors(Map.of("id", "x".repeat(500 * id)), Map.of("W", entry)).write(file);
    }
  }

  private static void readWhole(Path file) throws IOException {
    try (Safetensors read = Safetensors.read(file)) {
      float[] values = read.tensors().get("W").values();
      float[] alike = new float[values.length];
      Arrays.fill(alike, read.metadata().get("id").length() / 500);
      assertArrayEquals(alike, values);
    } catch (NoSuchFileException e) {
      // before the first save
    }
  }

  /** Another process that saves. */
  static final class Saver {
    private Saver() {}

    public static void main(String[] arguments) throws IOException {
      System.out.println("process " + ProcessHandle.current().pid());
      save(Path.of(arguments[0]), Integer.parseInt(arguments[1]));
    }
  }
}

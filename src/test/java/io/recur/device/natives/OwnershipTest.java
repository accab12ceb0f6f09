package io.recur.device.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.Thrown;
import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag(Devices.CPU)
class OwnershipTest {
  private static final Path PATH = Path.of("/some/folder");
  private static final int ME = 1000;
  private static final int OTHER = 1001;
  private static final int SYSTEM = 65534;
  private static final int STICKY = 01000;

  @TempDir private Path folder;

  @BeforeEach
  void onlyWhereFilesHaveModes() throws IOException {
    assumeTrue(
        folder.getFileSystem().supportedFileAttributeViews().contains("unix"),
        "files have no modes here");
    folder = folder.toRealPath();
  }

  private static void mode(Path path, int mode) throws IOException {
    Files.setAttribute(path, "unix:mode", mode);
  }

  @Test
  void theUserRootAndTheSystemsOwnerAreTrusted() {
    for (int owner : new int[] {ME, 0, SYSTEM}) {
      assertNull(new Ownership(owner, 0100755).refusal(PATH, ME, SYSTEM, 0));
    }
    assertEquals(
        PATH + " belongs to user 1001; need user 1000 or root",
        new Ownership(OTHER, 0100755).refusal(PATH, ME, SYSTEM, 0));
    assertEquals(
        PATH + " belongs to user 1001; need user 1000 or root",
        new Ownership(OTHER, 041777).refusal(PATH, ME, SYSTEM, STICKY));
  }

  @Test
  void whatGroupOrOthersWriteIsRefused() {
    for (int mode : new int[] {0100775, 0100757, 0100720}) {
      String refusal = new Ownership(ME, mode).refusal(PATH, ME, 0, 0);
      assertEquals(
          PATH + " has mode=%04o, so others may write it; chmod go-w it".formatted(mode & 07777),
          refusal);
    }
    assertNull(new Ownership(0, 041777).refusal(PATH, ME, 0, STICKY));
  }

  @Test
  void aFolderAboveCountsUnlessOthersCannotEnter() throws IOException {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path inner = Files.createDirectory(shared.resolve("inner"));
    Path file = Files.createFile(inner.resolve("file"));
    mode(folder, 0755);
    mode(inner, 0755);
    mode(file, 0644);
    Ownership.check(file);
    mode(shared, 0777);
    Thrown.says(IOException.class, () -> Ownership.check(file), shared + " has mode=0777");
    mode(shared, 01777);
    Ownership.check(file);
    mode(shared, 0777);
    mode(folder, 0700);
    Ownership.check(file);
    mode(file, 0664);
    Thrown.says(IOException.class, () -> Ownership.check(file), file + " has mode=0664");
  }

  @Test
  void whatBelongsToSomebodyElseIsRefused() throws IOException {
    assumeTrue(Ownership.of(folder).owner() == 0, "only root can give a file away");
    Path file = Files.createFile(folder.resolve("file"));
    Files.setAttribute(file, "unix:uid", OTHER);
    Thrown.says(IOException.class, () -> Ownership.check(file), file + " belongs to user 1001");
  }
}

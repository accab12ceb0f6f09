package io.recur.io.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a file as a whole: a reader sees the old file or the complete new one. This holds for
 * any number of savers, in one process, in several, or in containers that share a folder.
 *
 * <p>The content goes to a temporary file of a random name in the same folder, which is forced to
 * the disk and renamed; then the folder is forced. A saver holds a lock on its temporary file while
 * it lives. A later saver that gets the lock therefore knows that the file is an orphan, and
 * removes it.
 */
public final class WholeFile {
  private static final int ATTEMPTS = 100;

  /** Beyond any content: on Windows, nobody else can read a locked byte. */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  /** Writes the content. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param channel the temporary file, at its begin
     * @throws IOException if it cannot be written
     */
    void write(FileChannel channel) throws IOException;
  }

  private final Path target;
  private final Path folder;

  /** The prefix of this JVM's temporary files for the target: process id and start time. */
  private final String mine;

  /** Matches the names of all temporary files for the target, of every process. */
  private final Pattern temporary;

  private WholeFile(Path target) {
    this.target = target;
    this.folder = target.resolveSibling("");
    ProcessHandle self = ProcessHandle.current();
    long started = self.info().startInstant().map(time -> time.toEpochMilli()).orElse(0L);
    this.mine = ".%s.%x-%x-".formatted(target.getFileName(), self.pid(), started);
    this.temporary =
        Pattern.compile(
            "\\.%s\\.[0-9a-f]+-[0-9a-f]+-[0-9a-f]{16}\\.part"
                .formatted(Pattern.quote(target.getFileName().toString())));
  }

  /**
   * Writes the file.
   *
   * @param path the file; the new file has the old file's permissions
   * @param content writes the content
   * @throws IOException if the file cannot be written, or if the path is anything but a regular
   *     file, such as a folder, a pipe or a symbolic link; what was there is then unchanged
   */
  public static void write(Path path, Content content) throws IOException {
    Path target = path.toAbsolutePath();
    if (target.getFileName() == null) {
      throw new FileSystemException(path.toString(), null, "it is a folder; name a file");
    }
    new WholeFile(target).write(content);
  }

  private void write(Content content) throws IOException {
    checkTarget();
    removeOrphans();
    Set<PosixFilePermission> permissions = permissions();
    SecureRandom names = new SecureRandom();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      String random = HexFormat.of().toHexDigits(names.nextLong());
      Path fresh = target.resolveSibling(mine + random + ".part");
      try (FileChannel channel = create(fresh, permissions)) {
        try {
          // Another saver may take the file for an orphan before it is locked, or where the file
          // system loses locks. Then the next attempt writes it again.
          if (hasPermissions(fresh, permissions)
              && isLocked(channel)
              && Files.exists(fresh, LinkOption.NOFOLLOW_LINKS)
              && isReplaced(fresh, channel, content)) {
            return;
          }
        } finally {
          Files.deleteIfExists(fresh);
        }
      }
    }
    throw new FileSystemException(
        target.toString(), null, ATTEMPTS + " temporary files were removed by other savers");
  }

  /** Throws if the target is anything but a regular file, since a rename would replace it. */
  private void checkTarget() throws IOException {
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
      String found =
          Files.isSymbolicLink(target)
              ? "a symbolic link; name the file that it points to"
              : Files.isDirectory(target) ? "a folder; name a file" : "a pipe or a device";
      throw new FileSystemException(
          target.toString(), null, "only a regular file is replaced, this is " + found);
    }
  }

  /** {@return the old file's permissions; null if there is no old file or no POSIX permissions} */
  private @Nullable Set<PosixFilePermission> permissions() throws IOException {
    PosixFileAttributeView view = posix(target);
    return view != null && Files.exists(target, LinkOption.NOFOLLOW_LINKS)
        ? view.readAttributes().permissions()
        : null;
  }

  private static @Nullable PosixFileAttributeView posix(Path path) {
    return Files.getFileAttributeView(
        path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Gives the temporary file the old file's permissions, since the umask took some away when it was
   * created. Returns false if another saver has removed the file.
   */
  private static boolean hasPermissions(Path fresh, @Nullable Set<PosixFilePermission> permissions)
      throws IOException {
    PosixFileAttributeView view = posix(fresh);
    try {
      if (view != null && permissions != null) {
        view.setPermissions(permissions); // opens and closes the file, which would end a lock
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static FileChannel create(Path fresh, @Nullable Set<PosixFilePermission> permissions)
      throws IOException {
    Set<OpenOption> options =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    if (permissions == null) {
      return FileChannel.open(fresh, options);
    }
    return FileChannel.open(fresh, options, PosixFilePermissions.asFileAttribute(permissions));
  }

  /** Replaces the target. Returns false if another saver has removed the temporary file. */
  private boolean isReplaced(Path fresh, FileChannel channel, Content content) throws IOException {
    content.write(channel);
    channel.force(true);
    checkTarget();
    try {
      Files.move(
          fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (NoSuchFileException e) {
      if (Files.isDirectory(folder)) {
        return false;
      }
      throw e;
    }
    if (posix(target) != null && Files.isReadable(folder)) { // elsewhere a folder cannot be opened
      try (FileChannel opened = FileChannel.open(folder, StandardOpenOption.READ)) {
        opened.force(true);
      }
    }
    return true;
  }

  /** Locks the file for this saver. Returns true without a lock where nobody removes orphans. */
  private static boolean isLocked(FileChannel channel) {
    try {
      return channel.tryLock(LOCKED_BYTE, 1, false) != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      return true; // a file system without locks
    }
  }

  /**
   * Removes temporary files of dead savers. It never opens those of this JVM: closing a file ends
   * all locks that the process holds on it.
   */
  private void removeOrphans() throws IOException {
    if (!Files.isReadable(folder)) {
      return;
    }
    synchronized (WholeFile.class) { // or one thread's closing would end another's lock
      try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, this::isForeign)) {
        for (Path path : found) {
          if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.isReadable(path)) {
            removeIfOrphan(path);
          }
        }
      }
    }
  }

  private boolean isForeign(Path path) {
    String name = path.getFileName().toString();
    return !name.startsWith(mine) && temporary.matcher(name).matches();
  }

  private static void removeIfOrphan(Path path) {
    try (FileChannel channel =
            FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.tryLock(LOCKED_BYTE, 1, true)) {
      if (lock != null) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | OverlappingFileLockException e) {
      // The saver has just renamed the file, or the file system has no locks: leave it alone.
    }
  }
}

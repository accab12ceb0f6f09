package io.recur.io;

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
 * Replaces a file as a whole: a reader sees the old file or the new one, whatever number of savers
 * there are, in one process, in several, or in containers that share a folder.
 *
 * <p>The content is written to a temporary file of a random name in the same folder, forced to the
 * disk and renamed; then the folder is forced. A saver holds a lock on its temporary file while it
 * lives. So a later saver that gets the lock knows that the file is an orphan, and removes it.
 */
final class WholeFile {
  private static final int ATTEMPTS = 100;

  /** Beyond all content, since locks on Windows keep readers out of what they cover. */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  /** What is written. */
  @FunctionalInterface
  interface Content {
    void write(FileChannel channel) throws IOException;
  }

  private final Path target;
  private final Path folder;

  /** How names of temporary files for this target begin in this JVM: process and its start. */
  private final String mine;

  /** The names of all temporary files for this target. */
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
   * @param path where to; permissions of an old file are kept
   * @param content what to write
   * @throws IOException if it cannot be written, or if the path is something else than a regular
   *     file, such as a folder, a pipe or a symbolic link; what was there is then as it was
   */
  static void write(Path path, Content content) throws IOException {
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
          // Before it is locked, and where a file system loses locks, another saver may take it for
          // an orphan; then it is written again.
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

  /** Refuses what a rename would replace although it is no file of ours. */
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

  /** The old file's permissions; none where there is no old file or the platform has others. */
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
   * Gives it the old file's permissions, from which the umask took some at its creation; false
   * where another saver removed it.
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

  /** Whether the target is replaced; if not, the temporary file was removed. */
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

  /** Whether this saver holds the file. Without locks nobody removes orphans, so it does. */
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
   * Removes temporary files whose savers are dead. Those of this JVM are not even opened: closing a
   * file ends all locks on it that the process has.
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
      // Its saver has just renamed it, or the file system has no locks: it is not ours to remove.
    }
  }
}

package io.recur.device.natives;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether another user than this one and root can change what a path leads to: whoever can change a
 * library, or a folder above it, runs code as this user.
 *
 * <p>Owners and permissions decide. Where the file system has none of them, as on Windows, nothing
 * is refused: there the user's profile, which holds the cache, keeps others out.
 *
 * @param owner the user's number
 * @param mode the permissions, as the system counts them
 */
record Ownership(int owner, int mode) {
  private static final int OTHERS_WRITE = 0022;
  private static final int OTHERS_ENTER = 0011;
  private static final int STICKY = 01000; // an entry is renamed and removed by its owner alone
  private static final Once<Integer> USER = new Once<>(Ownership::user);

  /** The permissions of a new file or folder, less those that the process's umask takes away. */
  static FileAttribute<?>[] permissions(Path near, String permissions) {
    return isKnown(near)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * Refuses a path that others can change.
   *
   * @param path of a file or folder, with no link in it
   * @throws IOException with what is wrong, and with which folder
   */
  static void check(Path path) throws IOException {
    if (!isKnown(path)) {
      return;
    }
    int system = of(path.getRoot()).owner; // whoever owns it decides over all paths, as root does
    String refusal = null;
    for (Path above = path.getParent(); above != null; above = above.getParent()) {
      Ownership folder = of(above);
      if (folder.owner == USER.get() && (folder.mode & OTHERS_ENTER) == 0) {
        refusal = null; // others do not get below
      } else if (refusal == null) {
        refusal = folder.refusal(above, USER.get(), system, STICKY);
      }
    }
    String own = of(path).refusal(path, USER.get(), system, 0);
    if (own != null || refusal != null) {
      throw new IOException(own != null ? own : refusal);
    }
  }

  /**
   * Why a path cannot be relied on, or null.
   *
   * @param user this user's number
   * @param system the number of another user who is trusted, as root is
   * @param excuse of others who may write: a bit of the mode, or 0
   */
  @Nullable String refusal(Path path, int user, int system, int excuse) {
    if (owner != user && owner != 0 && owner != system) {
      return "%s belongs to user %d; need user %d or root".formatted(path, owner, user);
    }
    if ((mode & OTHERS_WRITE) != 0 && (mode & excuse) == 0) {
      return "%s has mode=%04o, so others may write it; chmod go-w it"
          .formatted(path, mode & 07777);
    }
    return null;
  }

  /** Of a path itself, also where it is a link. */
  static Ownership of(Path path) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
    return new Ownership((int) attributes.get("uid"), (int) attributes.get("mode"));
  }

  /** Whether a path belongs to this user; always where there are no owners. */
  static boolean isMine(Path path) throws IOException {
    return !isKnown(path) || of(path).owner == USER.get();
  }

  private static boolean isKnown(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  private static int user() {
    Linker linker = Linker.nativeLinker();
    try {
      return (int)
          linker
              .downcallHandle(
                  linker.defaultLookup().find("geteuid").orElseThrow(),
                  FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Throwable e) {
      throw new AssertionError("geteuid neither fails nor throws", e);
    }
  }
}

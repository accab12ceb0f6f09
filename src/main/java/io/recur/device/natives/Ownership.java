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
 * Tells whether a user other than this one and root can change the file of a path: whoever can
 * change a library, or a folder above it, can run code as this user.
 *
 * <p>Owners and permissions decide. Where the file system has neither, as on Windows, every path is
 * accepted: there the user's profile holds the cache and keeps others out.
 *
 * @param owner the owner's number
 * @param mode the permissions, in the system's bits
 */
record Ownership(int owner, int mode) {
  private static final int OTHERS_WRITE = 0022;
  private static final int OTHERS_ENTER = 0011;
  private static final int STICKY = 01000; // only its owner can rename or remove an entry
  private static final Once<Integer> USER = new Once<>(Ownership::user);

  /** {@return the permissions of a new file or folder, from which the umask takes some away} */
  static FileAttribute<?>[] permissions(Path near, String permissions) {
    return isKnown(near)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * Throws if others can change the file of a path.
   *
   * @param path a path without links
   * @throws IOException if others can change it; the message says what is wrong with which folder
   */
  static void check(Path path) throws IOException {
    if (!isKnown(path)) {
      return;
    }
    int system = of(path.getRoot()).owner; // the owner of / can change every path, as root can
    String refusal = null;
    for (Path above = path.getParent(); above != null; above = above.getParent()) {
      Ownership folder = of(above);
      if (folder.owner == USER.get() && (folder.mode & OTHERS_ENTER) == 0) {
        refusal = null; // others cannot enter this folder
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
   * {@return why others can change a path, or null}
   *
   * @param user this user's number
   * @param system the number of another user who is trusted, as root is
   * @param excuse a bit of the mode that excuses others who may write, or 0
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

  /** {@return the ownership of a path itself, even if it is a link} */
  static Ownership of(Path path) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
    return new Ownership((int) attributes.get("uid"), (int) attributes.get("mode"));
  }

  /** {@return whether a path belongs to this user; true where there are no owners} */
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

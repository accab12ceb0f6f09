package io.recur.device.natives;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder that keeps files from one start to the next. Nobody but this user and root can write it.
 *
 * <p>The system property {@value #PROPERTY} names the user's folder. Without the property it is
 * {@code recur} in the platform's cache folder: that of {@code XDG_CACHE_HOME}, of {@code
 * LOCALAPPDATA}, or of the user's home. If that folder cannot be used, the process gets a private
 * folder in {@code java.io.tmpdir}, which is removed when the process ends.
 *
 * <p>A rename gives a file its name when the file is complete. There are no locks: a folder that
 * somebody else filled need not be writable, an interrupted thread can use the folder, and
 * processes that start together replace a file by an equal one.
 *
 * @param path an absolute path without links
 * @param ends whether the folder is removed when the process ends
 */
public record CacheFolder(Path path, boolean ends) {
  public static final String PROPERTY = "io.recur.cache";

  /** The property with which the first class loader tells the others of the private folder. */
  static final String PRIVATE = "io.recur.cache.private";

  private static final String UNFINISHED = "unfinished-";
  private static final String TEMPORARY = "recur-";
  private static final Duration FORGOTTEN = Duration.ofDays(1);
  private static final int ATTEMPTS = 3;

  /** Writes the bytes of a file. */
  public interface Content {
    /**
     * Writes the bytes.
     *
     * @param out the file's stream
     * @throws IOException if the bytes cannot be read or written
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Opens the user's folder. Makes it if it is missing.
   *
   * @return the folder
   * @throws IOException if the folder cannot be used; the message says why
   */
  public static CacheFolder ofUser() throws IOException {
    Path named = named(System::getProperty, System::getenv);
    if (!Files.isDirectory(named)) {
      Files.createDirectories(named.getParent(), Ownership.permissions(named, "rwx------"));
      Files.createDirectories(named, Ownership.permissions(named, "rwxr-xr-x"));
    }
    return of(named, false);
  }

  /**
   * Opens the private folder of this process, which all its class loaders share.
   *
   * @param reason why the folder is needed; a warning says so when it is made
   * @throws IOException if the folder cannot be used; the message says why
   */
  static CacheFolder ofProcess(String reason) throws IOException {
    String known = System.getProperty(PRIVATE);
    if (known != null && Files.isDirectory(Path.of(known), LinkOption.NOFOLLOW_LINKS)) {
      return of(Path.of(known), true);
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toRealPath();
    removeLeftovers(temporary, TEMPORARY);
    Path made =
        Files.createTempDirectory(
            temporary, mark(TEMPORARY), Ownership.permissions(temporary, "rwx------"));
    made.toFile().deleteOnExit();
    CacheFolder folder = of(made, true);
    if (known != null) {
      System.getProperties().remove(PRIVATE, known); // somebody cleared java.io.tmpdir
    }
    if (System.getProperties().putIfAbsent(PRIVATE, made.toString()) != null) {
      Files.delete(made); // another class loader was faster
      return ofProcess(reason);
    }
    System.getLogger("io.recur")
        .log(
            Level.WARNING,
            "the cache cannot be used: {0}; the native libraries are unpacked to {1}, at each start"
                + " again: name a writable folder of your own with -D{2}=FOLDER",
            reason,
            made,
            PROPERTY);
    return folder;
  }

  /**
   * Finds the user's folder.
   *
   * @param property gives a system property by its name
   * @param variable gives a variable of the environment by its name
   * @return an absolute path
   * @throws IOException if neither a property nor a variable names a folder
   */
  static Path named(
      UnaryOperator<@Nullable String> property, UnaryOperator<@Nullable String> variable)
      throws IOException {
    try {
      String named = property.apply(PROPERTY);
      if (named != null && !named.isBlank()) {
        return Path.of(named).toAbsolutePath().normalize();
      }
      String platform = Bundle.platform();
      if (!platform.startsWith("macosx")) {
        boolean isWindows = platform.startsWith("windows");
        String base = variable.apply(isWindows ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
        if (base != null && Path.of(base).isAbsolute()) { // XDG: ignore a relative path
          return Path.of(base, "recur");
        }
      }
      String home = property.apply("user.home");
      if (home == null || !Path.of(home).isAbsolute() || !Files.isDirectory(Path.of(home))) {
        throw new IOException("user.home=" + home + " is not the absolute path of a folder");
      }
      return Path.of(home, platform.startsWith("macosx") ? "Library/Caches" : ".cache", "recur");
    } catch (InvalidPathException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Checks that nobody else can write the folder. */
  private static CacheFolder of(Path path, boolean ends) throws IOException {
    Path real = path.toRealPath();
    Ownership.check(real);
    return new CacheFolder(real, ends);
  }

  /** Opens a folder in this one. Makes it if it is missing. */
  CacheFolder folder(String name) throws IOException {
    Path inner = path.resolve(name);
    if (!Files.isDirectory(inner)) {
      Files.createDirectories(inner, Ownership.permissions(inner, "rwxr-xr-x"));
      removeAtEnd(inner);
    }
    return of(inner, ends);
  }

  /**
   * {@return whether there is a file of this name that nobody else can write}
   *
   * @param name the name
   */
  public boolean has(String name) {
    Path file = path.resolve(name);
    try {
      Ownership.check(file);
      return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      return false; // the caller writes it again
    }
  }

  /**
   * Writes a file. Replaces one of the same name. Removes what killed processes have left.
   *
   * @param name the name
   * @param content writes the bytes
   * @return the file
   * @throws IOException if the file cannot be written
   */
  public Path put(String name, Content content) throws IOException {
    removeLeftovers(path, UNFINISHED);
    Path file = path.resolve(name);
    for (int attempt = 1; ; attempt++) {
      Path fresh =
          Files.createTempFile(
              path, mark(UNFINISHED), "", Ownership.permissions(path, "rw-r--r--"));
      try {
        try (OutputStream out = Files.newOutputStream(fresh, StandardOpenOption.WRITE)) {
          content.writeTo(out);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        removeAtEnd(file);
        return file;
      } catch (NoSuchFileException e) {
        // removed by a process that cannot see this one, such as one in another container
        if (attempt == ATTEMPTS) {
          throw e;
        }
      } finally {
        Files.deleteIfExists(fresh);
      }
    }
  }

  private void removeAtEnd(Path file) {
    if (ends) {
      file.toFile().deleteOnExit();
    }
  }

  /** {@return the prefix of an unfinished or private file, which names the process} */
  private static String mark(String prefix) {
    return prefix + ProcessHandle.current().pid() + "-";
  }

  /** Removes unfinished and private files of this user whose process has ended. */
  private static void removeLeftovers(Path folder, String prefix) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, prefix + "*")) {
      for (Path entry : entries) {
        String process = entry.getFileName().toString().substring(prefix.length());
        try {
          if (process.matches("\\d{1,18}-.*")
              && Ownership.isMine(entry)
              && isLeft(entry, process)) {
            remove(entry);
          }
        } catch (NoSuchFileException e) {
          // its process has finished and renamed it since the folder was listed
        }
      }
    }
  }

  private static boolean isLeft(Path entry, String process) throws IOException {
    long number = Long.parseLong(process.substring(0, process.indexOf('-')));
    Instant written = Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS).toInstant();
    return ProcessHandle.of(number).isEmpty()
        || written.isBefore(Instant.now().minus(FORGOTTEN)); // the number is another process's now
  }

  private static void remove(Path entry) {
    try (Stream<Path> below = Files.walk(entry)) {
      List<Path> all = below.sorted(Comparator.reverseOrder()).toList();
      for (Path path : all) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      System.getLogger("io.recur").log(Level.DEBUG, "{0} is left over: {1}", entry, e);
    }
  }
}

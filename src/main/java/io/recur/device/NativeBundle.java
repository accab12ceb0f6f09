package io.recur.device;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Native libraries that travel inside a jar, unpacked once to a folder named by what they contain.
 *
 * <p>The folder is filled under a temporary name and renamed when it is complete, under a lock
 * file: two JVMs that start at once cannot see half a library, and the second uses the first one's.
 * Where it lies: the system property {@value #CACHE}, else the platform's cache folder of the user.
 */
final class NativeBundle {
  static final String CACHE = "io.recur.cache";

  private final String name;
  private final String folder;
  private final List<String> files;

  private NativeBundle(String name, String folder, List<String> files) {
    this.name = name;
    this.folder = folder;
    this.files = files;
  }

  /** OpenBLAS for this platform, as {@code org.bytedeco:openblas} packs it, in order of loading. */
  static NativeBundle openBlas() {
    List<String> files =
        switch (platform()) {
          case "linux-x86_64" ->
              List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
          case "linux-arm64" -> List.of("libgcc_s.so.1", "libgfortran.so.5", "libopenblas.so.0");
          case "macosx-arm64" -> List.of("libopenblas.0.dylib");
          case "windows-x86_64" -> List.of("libopenblas.dll");
          default -> List.of();
        };
    return new NativeBundle("openblas", "org/bytedeco/openblas/" + platform() + "/", files);
  }

  /** The C kernels for this platform, where they were compiled. */
  static NativeBundle kernels() {
    String file = System.mapLibraryName("recur");
    return new NativeBundle("kernels", "io/recur/device/" + platform() + "/", List.of(file));
  }

  /** The platform as the jars' classifiers name it. */
  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String family =
        os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : "linux";
    String processor =
        switch (arch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm64";
          default -> arch;
        };
    return family + "-" + processor;
  }

  List<String> files() {
    return files;
  }

  String resource() {
    return files.isEmpty() ? folder + " (unknown platform)" : folder + files.getLast();
  }

  boolean isPresent() {
    return !files.isEmpty() && files.stream().allMatch(file -> url(file) != null);
  }

  private URL url(String file) {
    return NativeBundle.class.getClassLoader().getResource(folder + file);
  }

  /**
   * The folder with all files in it: the cache's, or where they lie already.
   *
   * @throws DeviceException if it cannot be written
   */
  Path unpack() {
    if (url(files.getFirst()).getProtocol().equals("file")) {
      return Path.of(URI.create(url(files.getFirst()).toString())).getParent(); // not in a jar
    }
    Path cache = cacheFolder();
    try {
      Path home = cache.resolve(platform() + "-" + fingerprint());
      if (!isComplete(home)) {
        fill(cache, home);
      }
      return home;
    } catch (IOException e) {
      throw new DeviceException(
          "%s: cannot unpack to %s: %s; name a writable folder with -D%s=FOLDER"
              .formatted(name, cache, e, CACHE),
          e);
    }
  }

  /** Under a lock between JVMs: whoever waited for it finds the folder complete. */
  private void fill(Path cache, Path home) throws IOException {
    Files.createDirectories(cache);
    try (FileChannel channel =
            FileChannel.open(
                cache.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      if (!lock.isValid() || isComplete(home)) {
        return;
      }
      Path fresh = Files.createTempDirectory(cache, "unpacking-");
      try {
        for (String file : files) {
          try (InputStream in = url(file).openStream()) {
            Files.copy(in, fresh.resolve(file));
          }
        }
        delete(home);
        Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        delete(fresh);
      }
    }
  }

  private boolean isComplete(Path home) throws IOException {
    for (String file : files) {
      Path path = home.resolve(file);
      if (!Files.isRegularFile(path) || Files.size(path) != length(url(file))) {
        return false;
      }
    }
    return true;
  }

  /** Sixteen hex digits from every file's name, length and, where it lies in a jar, checksum. */
  private String fingerprint() throws IOException {
    long hash = 0xcbf29ce484222325L;
    for (String file : files) {
      URLConnection connection = url(file).openConnection();
      long checksum = connection instanceof JarURLConnection jar ? jar.getJarEntry().getCrc() : 0;
      for (char c : (file + ' ' + length(url(file)) + ' ' + checksum).toCharArray()) {
        hash = (hash ^ c) * 0x100000001b3L;
      }
    }
    return "%016x".formatted(hash);
  }

  private static long length(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    return connection instanceof JarURLConnection jar
        ? jar.getJarEntry().getSize()
        : connection.getContentLengthLong();
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.list(folder)) {
      for (Path path : paths.toList()) {
        Files.deleteIfExists(path);
      }
    }
    Files.deleteIfExists(folder);
  }

  /** Where this library keeps what it need not make anew. */
  static Path cacheFolder() {
    String named = System.getProperty(CACHE);
    if (named != null) {
      return Path.of(named);
    }
    Path home = Path.of(System.getProperty("user.home"));
    String os = platform();
    if (os.startsWith("macosx")) {
      return home.resolve("Library/Caches/recur");
    }
    String base = System.getenv(os.startsWith("windows") ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
    return (base == null || base.isBlank() ? home.resolve(".cache") : Path.of(base))
        .resolve("recur");
  }
}

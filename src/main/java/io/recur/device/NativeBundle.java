package io.recur.device;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Native libraries that travel inside a jar, and are opened from a folder.
 *
 * <p>They are unpacked to a folder of the {@link CacheFolder} that is named by their content, and
 * from then on found there. Before each opening each file's content is compared with its SHA-256.
 * Files that are in no jar are opened where they are, as class files are.
 */
final class NativeBundle {
  private static final int NAME_BYTES = 8;

  private final String name;
  private final String property;
  private final String folder;
  private final List<String> files;

  private NativeBundle(String name, String property, String folder, List<String> files) {
    this.name = name;
    this.property = property;
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
    return new NativeBundle(
        "openblas", OpenBlas.PROPERTY, "org/bytedeco/openblas/" + platform() + "/", files);
  }

  /** The C kernels for this platform, where they were compiled. */
  static NativeBundle kernels() {
    String file = System.mapLibraryName("recur");
    return new NativeBundle(
        "kernels", Kernels.LIBRARY, "io/recur/device/" + platform() + "/", List.of(file));
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

  String resource() {
    return files.isEmpty() ? folder + " (unknown platform)" : folder + files.getLast();
  }

  boolean isPresent() {
    return !files.isEmpty() && files.stream().allMatch(file -> found(file) != null);
  }

  private @Nullable Resource found(String file) {
    return Resource.find(folder + file);
  }

  /**
   * Opens all files in order, for the bindings.
   *
   * @param symbols that the last one must have
   * @throws DeviceException if they cannot be opened from any folder, with the reason for each
   */
  void open(List<String> symbols) {
    List<Resource> resources = files.stream().map(this::found).toList();
    List<Path> unpacked = resources.stream().map(Resource::file).filter(Objects::nonNull).toList();
    String refusal =
        unpacked.size() == files.size()
            ? refusal(() -> unpacked, symbols)
            : refusal(resources, symbols);
    if (refusal != null) {
      throw new DeviceException(
          """
          %s: cannot be opened: %s; name a writable folder with -D%s=FOLDER: your own, on a disk with \
          space, not mounted noexec; or another library with -D%s=FILE"""
              .formatted(name, refusal, CacheFolder.PROPERTY, property));
    }
  }

  /** From the user's folder, else from the private one. */
  private @Nullable String refusal(List<Resource> packed, List<String> symbols) {
    String user = refusal(() -> unpacked(packed, CacheFolder.ofUser()), symbols);
    if (user == null) {
      return null;
    }
    String process = refusal(() -> unpacked(packed, CacheFolder.ofProcess(user)), symbols);
    return process == null ? null : user + "; nor from a private folder: " + process;
  }

  private interface Paths {
    List<Path> get() throws IOException;
  }

  /** Opens files; null, or the reason why they cannot be had or opened. */
  private static @Nullable String refusal(Paths source, List<String> symbols) {
    try {
      List<Path> paths = source.get();
      for (Path path : paths) {
        NativeLibrary.open(path, path.equals(paths.getLast()) ? symbols : List.of());
      }
      return null;
    } catch (IOException | UnsatisfiedLinkError e) {
      return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
  }

  private static List<Path> unpacked(List<Resource> packed, CacheFolder cache) throws IOException {
    List<NativeFile> natives = new ArrayList<>();
    MessageDigest content = NativeFile.digest();
    for (Resource resource : packed) {
      NativeFile file = NativeFile.of(resource);
      natives.add(file);
      content.update(file.sum().getBytes(StandardCharsets.US_ASCII));
    }
    String sums = HexFormat.of().formatHex(content.digest(), 0, NAME_BYTES);
    CacheFolder folder = cache.folder(platform() + "-" + sums);
    List<Path> paths = new ArrayList<>();
    for (NativeFile file : natives) {
      paths.add(file.in(folder));
    }
    return paths;
  }
}

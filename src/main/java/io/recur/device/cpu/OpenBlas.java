package io.recur.device.cpu;

import static io.recur.bindings.openblas.cblas_h.openblas_get_config;
import static io.recur.bindings.openblas.cblas_h.openblas_get_corename;
import static io.recur.bindings.openblas.cblas_h.openblas_get_num_threads;

import io.recur.device.DeviceException;
import io.recur.device.natives.Bundle;
import io.recur.device.natives.Library;
import io.recur.device.natives.Once;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * OpenBLAS, opened once.
 *
 * <p>{@link #load} looks in this order: the file that the system property {@value #PROPERTY} names;
 * the {@code org.bytedeco:openblas} jar of this platform on the class path, unpacked to a cache
 * folder; a library installed on the system. A property that names an unusable file is an error; it
 * is never skipped.
 */
public final class OpenBlas {
  static final String PROPERTY = "io.recur.openblas";

  /** The functions that this library calls. */
  static final List<String> SYMBOLS =
      List.of(
          "cblas_sgemm",
          "cblas_sgemv",
          "cblas_sger",
          "openblas_get_config",
          "openblas_get_corename",
          "openblas_get_num_threads",
          "openblas_set_num_threads");

  private static final Once<OpenBlas> LIBRARY =
      new Once<>(() -> find(System.getProperty(PROPERTY)));

  private final String origin;

  private OpenBlas(String origin) {
    this.origin = origin;
  }

  /** {@return the number of threads on which it computes, the same for the whole process} */
  int threads() {
    return openblas_get_num_threads();
  }

  /** {@return version, processor kernel and origin, in a few words} */
  String description() {
    String config = openblas_get_config().getString(0).strip();
    String[] words = config.split("\\s+");
    String version = words.length > 1 ? words[0] + " " + words[1] : config;
    String core = openblas_get_corename().getString(0);
    return "%s %s, %s".formatted(version, core, origin);
  }

  /**
   * Opens the library at the first call that finds it; later calls return the same.
   *
   * @throws DeviceException if there is none; the message lists every place searched
   */
  static OpenBlas load() {
    return LIBRARY.get();
  }

  private static OpenBlas find(@Nullable String property) {
    Library.checkAccess();
    if (property != null) {
      return named(Path.of(property));
    }
    List<String> tried = new ArrayList<>();
    Bundle bundle = bundle();
    if (bundle.isPresent()) {
      bundle.open(SYMBOLS);
      return new OpenBlas("bundled");
    }
    tried.add("class path: " + bundle.resource());
    for (Path path : systemPaths()) {
      tried.add(path.toString());
      if (Files.isRegularFile(path)) {
        return opened(path);
      }
    }
    throw new DeviceException(
        """
        openblas: no library found; looked at -D%s (not set), %s. Add the dependency \
        org.bytedeco:openblas:0.3.31-1.5.13 with classifier %s to the class path (also of a modular \
        program), or install OpenBLAS, or set -D%s=FILE"""
            .formatted(PROPERTY, String.join(", ", tried), Bundle.platform(), PROPERTY));
  }

  /**
   * Finds the library as {@code org.bytedeco:openblas} packs it.
   *
   * @return its files in order of loading
   */
  public static Bundle bundle() {
    String platform = Bundle.platform();
    List<String> files =
        switch (platform) {
          case "linux-x86_64" ->
              List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");
          case "linux-arm64" -> List.of("libgcc_s.so.1", "libgfortran.so.5", "libopenblas.so.0");
          case "macosx-arm64" -> List.of("libopenblas.0.dylib");
          case "windows-x86_64" -> List.of("libopenblas.dll");
          default -> List.of();
        };
    return new Bundle("openblas", PROPERTY, "org/bytedeco/openblas/" + platform + "/", files);
  }

  private static OpenBlas named(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new DeviceException(
          "openblas: -D%s=%s is not a file; name libopenblas itself or drop the property"
              .formatted(PROPERTY, path));
    }
    return opened(path);
  }

  private static OpenBlas opened(Path path) {
    try {
      Library.open(path, SYMBOLS);
      return new OpenBlas(path.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new DeviceException(
          "openblas: %s cannot be opened: %s; name another file with -D%s=FILE"
              .formatted(path.toAbsolutePath(), e.getMessage(), PROPERTY),
          e);
    }
  }

  private static List<Path> systemPaths() {
    String library = System.mapLibraryName("openblas");
    List<Path> paths = new ArrayList<>();
    for (String folder : System.getProperty("java.library.path", "").split(File.pathSeparator)) {
      if (Path.of(folder)
          .isAbsolute()) { // the owner of the current folder does not decide what is loaded
        paths.add(Path.of(folder, library));
      }
    }
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String triplet = arch.equals("aarch64") ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
    paths.add(Path.of("/usr/lib", triplet, "libopenblas.so.0"));
    paths.add(Path.of("/usr/lib64/libopenblas.so.0"));
    paths.add(Path.of("/opt/homebrew/opt/openblas/lib/libopenblas.dylib"));
    return paths;
  }
}

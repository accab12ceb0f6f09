package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.cuDriverGetVersion;
import static io.recur.bindings.cuda.cuda_h.cuInit;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcVersion;

import io.recur.device.DeviceException;
import io.recur.device.natives.Library;
import io.recur.device.natives.Once;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * NVIDIA's driver, NVRTC and cuBLAS, opened once.
 *
 * <p>{@link #load} looks in this order: what the system property {@value #PROPERTY} names; what the
 * environment variable {@value #ENVIRONMENT} names; the sonames of CUDA 13, then 12, in the
 * system's folders; NVIDIA's Python packages; the toolkit's folder. A name is that of a file that
 * has all symbols, or of a folder with NVIDIA's libraries. A name without a library is an error; it
 * is never skipped. The driver comes with the card: it is taken from the system's folders even if a
 * folder is named.
 *
 * @param compiler the file of NVRTC
 * @param blas the file of cuBLAS
 * @param driverVersion in the driver's numbers: 12040 is 12.4
 * @param compilerVersion in the same numbers
 */
record Libraries(Path compiler, Path blas, int driverVersion, int compilerVersion) {
  static final String PROPERTY = "io.recur.cuda";
  static final String ENVIRONMENT = "RECUR_CUDA";

  /** The oldest CUDA that has every call that is used. */
  static final int OLDEST_MAJOR = 12;

  /** One function of each library: a file without it is something else. */
  private static final String DRIVER_SYMBOL = "cuDriverGetVersion";

  private static final String COMPILER_SYMBOL = "nvrtcVersion";
  private static final String BLAS_SYMBOL = "cublasCreate_v2";

  private static final Once<Libraries> LIBRARIES = new Once<>(Libraries::found);

  private static final int NEWEST_MAJOR = 13;

  /** The factor of the major version in a version number. */
  private static final int MAJOR = 1000;

  private static final int MINOR = 10;

  /**
   * Opens the libraries at the first call that finds them; later calls return the same.
   *
   * @throws DeviceException if one is missing or too old; the message lists every place searched
   */
  static Libraries load() {
    return LIBRARIES.get();
  }

  /** {@return such as 12.4} */
  static String version(int number) {
    return number / MAJOR + "." + number % MAJOR / MINOR;
  }

  private static Libraries found() {
    Library.checkAccess();
    String property = System.getProperty(PROPERTY);
    if (property != null) {
      return named(Path.of(property).toAbsolutePath(), "-D" + PROPERTY);
    }
    String variable = System.getenv(ENVIRONMENT);
    if (variable != null && !variable.isBlank()) {
      return named(Path.of(variable).toAbsolutePath(), ENVIRONMENT);
    }
    List<Path> system = Folders.system();
    return found(system, List.of(system, Folders.wheels(), Folders.toolkit()));
  }

  /** Opens a file that has all symbols, or a folder. {@code how} says in errors what named it. */
  static Libraries named(Path path, String how) {
    if (Files.isDirectory(path)) {
      List<Path> folders = Folders.below(path);
      List<Path> driver = new ArrayList<>(folders);
      driver.addAll(Folders.system());
      return found(driver, List.of(folders));
    }
    if (!Files.isRegularFile(path)) {
      throw new DeviceException(
          """
          cuda: %s=%s is neither a file nor a folder; name a folder with NVIDIA's libraries, or \
          leave it unset"""
              .formatted(how, path));
    }
    open(path, DRIVER_SYMBOL, COMPILER_SYMBOL, BLAS_SYMBOL);
    return opened(path, path, driver(path));
  }

  private static Libraries found(List<Path> driverFolders, List<List<Path>> places) {
    Path driver = LibraryFile.DRIVER.find(List.of(0), List.of(driverFolders));
    open(driver, DRIVER_SYMBOL);
    int version = driver(driver);
    // a driver does not run a library of a later CUDA
    List<Integer> majors =
        version / MAJOR >= NEWEST_MAJOR
            ? List.of(NEWEST_MAJOR, OLDEST_MAJOR)
            : List.of(OLDEST_MAJOR);
    Path compiler = LibraryFile.COMPILER.find(majors, places);
    Path blas = LibraryFile.BLAS.find(majors, places);
    LibraryFile.BUILTINS.beside(compiler).forEach(Libraries::open);
    open(compiler, COMPILER_SYMBOL);
    LibraryFile.BLAS_LIGHT.beside(blas).forEach(Libraries::open);
    open(blas, BLAS_SYMBOL);
    return opened(compiler, blas, version);
  }

  private static Libraries opened(Path compiler, Path blas, int driverVersion) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment minor = arena.allocate(ValueLayout.JAVA_INT);
      Status.checkCompiler(nvrtcVersion(major, minor), "nvrtcVersion");
      int version =
          major.get(ValueLayout.JAVA_INT, 0) * MAJOR + minor.get(ValueLayout.JAVA_INT, 0) * MINOR;
      refuseOld("NVRTC", compiler, version);
      refuseNewer("NVRTC", compiler, version, driverVersion);
      return new Libraries(compiler, blas, driverVersion, version);
    }
  }

  /** Starts the driver and returns its version. */
  static int driver(Path path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment version = arena.allocate(ValueLayout.JAVA_INT);
      Status.check(cuDriverGetVersion(version), "cuDriverGetVersion");
      int found = version.get(ValueLayout.JAVA_INT, 0);
      refuseOld("driver", path, found);
      int status = cuInit(0);
      if (status != 0) {
        throw new DeviceException(
            "cuda: cuInit of the driver %s, version %s: %s"
                .formatted(path, version(found), Status.driver(status)));
      }
      return found;
    }
  }

  /** Throws for a version below CUDA 12. */
  static void refuseOld(String what, Path path, int version) {
    if (version < OLDEST_MAJOR * MAJOR) {
      throw new DeviceException(
          "cuda: the %s %s is of CUDA %s; need %d.0 or later: install a newer one"
              .formatted(what, path, version(version), OLDEST_MAJOR));
    }
  }

  /** Throws for a library of a later CUDA than the driver's, since the driver does not run it. */
  static void refuseNewer(String what, Path path, int version, int driverVersion) {
    if (version / MAJOR > driverVersion / MAJOR) {
      throw new DeviceException(
          """
          cuda: the %s %s is of CUDA %s, the driver of CUDA %s; need a driver of CUDA %d or later, \
          or name the folder of an older library with -D%s=FOLDER"""
              .formatted(
                  what, path, version(version), version(driverVersion), version / MAJOR, PROPERTY));
    }
  }

  private static void open(Path file, String... symbols) {
    try {
      Library.open(file, List.of(symbols));
    } catch (UnsatisfiedLinkError e) {
      throw new DeviceException(
          "cuda: %s cannot be opened: %s; name other libraries with -D%s=FOLDER"
              .formatted(file, e.getMessage(), PROPERTY),
          e);
    }
  }
}

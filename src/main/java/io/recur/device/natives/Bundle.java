package io.recur.device.natives;

import io.recur.device.DeviceException;
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
 * Native libraries that are packed in a jar and opened from a folder.
 *
 * <p>The first start unpacks them to a folder of the {@link CacheFolder} whose name depends on
 * their content; later starts find them there. Before a file is opened, its content is compared
 * with its SHA-256. Files that are in no jar are opened where they are, as class files are.
 */
public final class Bundle {
  private static final int NAME_BYTES = 8;

  private final String name;
  private final String property;
  private final String folder;
  private final List<String> files;

  /**
   * Names libraries that are opened together.
   *
   * @param name the name in errors
   * @param property the property that names another library
   * @param folder the folder of the files among the resources, with a slash at its end
   * @param files the files in order of loading; none if this platform is unknown
   */
  public Bundle(String name, String property, String folder, List<String> files) {
    this.name = name;
    this.property = property;
    this.folder = folder;
    this.files = files;
  }

  /**
   * Names the platform as the classifiers of jars do.
   *
   * @return such as {@code linux-x86_64}
   */
  public static String platform() {
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

  /**
   * Names the last of the files, for errors.
   *
   * @return the name among the resources
   */
  public String resource() {
    return files.isEmpty() ? folder + " (unknown platform)" : folder + files.getLast();
  }

  /**
   * Tells whether all files are packed with the classes.
   *
   * @return whether {@link #open} finds them
   */
  public boolean isPresent() {
    return !files.isEmpty() && files.stream().allMatch(file -> found(file) != null);
  }

  private @Nullable Resource found(String file) {
    return Resource.find(folder + file);
  }

  /**
   * Opens all files in order, for the bindings.
   *
   * @param symbols the symbols that the last file must have
   * @throws DeviceException if no folder can be used; the message gives the reason for each
   */
  public void open(List<String> symbols) {
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

  /** Opens packed files from the user's folder, else from the private one. Returns a reason. */
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

  /** Opens files. Returns null, or the reason why they cannot be unpacked or opened. */
  private static @Nullable String refusal(Paths source, List<String> symbols) {
    try {
      List<Path> paths = source.get();
      for (Path path : paths) {
        Library.open(path, path.equals(paths.getLast()) ? symbols : List.of());
      }
      return null;
    } catch (IOException | UnsatisfiedLinkError e) {
      return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
  }

  private static List<Path> unpacked(List<Resource> packed, CacheFolder cache) throws IOException {
    List<PackedFile> natives = new ArrayList<>();
    MessageDigest content = PackedFile.digest();
    for (Resource resource : packed) {
      PackedFile file = PackedFile.of(resource);
      natives.add(file);
      content.update(file.sum().getBytes(StandardCharsets.US_ASCII));
    }
    String sums = HexFormat.of().formatHex(content.digest(), 0, NAME_BYTES);
    CacheFolder folder = cache.folder(platform() + "-" + sums);
    List<Path> paths = new ArrayList<>();
    for (PackedFile file : natives) {
      paths.add(file.in(folder));
    }
    return paths;
  }
}

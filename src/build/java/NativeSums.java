import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Records the SHA-256 of the native libraries: run by the build as {@code java NativeSums.java
 * RECORD CLASSPATH}.
 *
 * <p>A line of the record is SHA-256, length, CRC-32 and name among the resources, as {@code
 * io.recur.device.natives.PackedFile} reads it.
 */
final class NativeSums {
  /** OpenBLAS's and our own; JavaCPP's are never loaded. */
  private static final Pattern LIBRARY =
      Pattern.compile(
          "(org/bytedeco/openblas|io/recur/device)/[^/]+/(?!.*jniopenblas).*[.](dll|dylib|so([.]\\d+)?)");

  private NativeSums() {}

  public static void main(String[] arguments) throws IOException {
    Path record = Path.of(arguments[0]);
    Files.createDirectories(record.getParent());
    List<String> lines =
        Stream.of(arguments[1].split(File.pathSeparator))
            .map(Path::of)
            .flatMap(NativeSums::lines)
            .sorted()
            .toList();
    Files.write(record, lines);
  }

  private static Stream<String> lines(Path source) {
    try {
      return (Files.isDirectory(source) ? ofFolder(source) : ofJar(source)).stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> ofFolder(Path folder) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(file).toString().replace(File.separatorChar, '/');
        if (LIBRARY.matcher(name).matches()) {
          lines.add(line(name, Files.readAllBytes(file)));
        }
      }
    }
    return lines;
  }

  private static List<String> ofJar(Path jar) throws IOException {
    List<String> lines = new ArrayList<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        if (LIBRARY.matcher(entry.getName()).matches()) {
          lines.add(line(entry.getName(), zip.getInputStream(entry).readAllBytes()));
        }
      }
    }
    return lines;
  }

  private static String line(String name, byte[] content) {
    try {
      byte[] sum = MessageDigest.getInstance("SHA-256").digest(content);
      CRC32 crc = new CRC32();
      crc.update(content);
      return String.join(
          " ",
          HexFormat.of().formatHex(sum),
          String.valueOf(content.length),
          String.valueOf(crc.getValue()),
          name);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

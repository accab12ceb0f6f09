package io.recur.device.natives;

import io.recur.device.natives.Resource.Stamp;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A native library in a jar, and the SHA-256 of its content, by which its copies on disk are known.
 *
 * <p>The build records the sums in this library's jar, each with length and CRC-32. A recorded sum
 * is that of the file on the class path if length and CRC-32 are those of the jar's own list. Else
 * the class path has another version than the build had: then the sum is computed from what the jar
 * holds, at each start.
 *
 * @param resource where it is packed
 * @param sum SHA-256 in hexadecimal digits
 */
public record PackedFile(Resource resource, String sum) {
  /** Of the build, one line per file: SHA-256, length, CRC-32, name. */
  private static final String RECORDS = "natives.sha256";

  private static final int BUFFER_BYTES = 1 << 16;

  static PackedFile of(Resource resource) throws IOException {
    String recorded = recorded(resource);
    return new PackedFile(resource, recorded != null ? recorded : computed(resource));
  }

  /** Without the folder. */
  String name() {
    return resource.name().substring(resource.name().lastIndexOf('/') + 1);
  }

  /** The file in a folder, put there again unless what is there has the content of the jar's. */
  Path in(CacheFolder folder) throws IOException {
    Path file = folder.path().resolve(name());
    if (!folder.has(name()) || !sum(file).equals(sum)) {
      folder.put(name(), resource::copyTo);
      if (!folder.has(name()) || !sum(file).equals(sum)) {
        throw new IOException(
            file + " was unpacked and has not the SHA-256 of " + resource.url() + ", " + sum);
      }
    }
    return file;
  }

  private static @Nullable String recorded(Resource resource) throws IOException {
    Resource records = Resource.find("io/recur/device/" + Bundle.platform() + "/" + RECORDS);
    if (records == null) {
      return null;
    }
    Stamp stamp = resource.stamp();
    String end = " %d %d %s".formatted(stamp.bytes(), stamp.crc(), resource.name());
    return new String(records.bytes(), StandardCharsets.US_ASCII)
        .lines()
        .filter(line -> line.endsWith(end))
        .map(line -> line.substring(0, line.length() - end.length()))
        .findFirst()
        .orElse(null);
  }

  private static String computed(Resource resource) throws IOException {
    MessageDigest digest = digest();
    resource.copyTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String sum(Path file) throws IOException {
    MessageDigest digest = digest();
    byte[] bytes = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        digest.update(bytes, 0, read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * SHA-256.
   *
   * @return a new digest
   */
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

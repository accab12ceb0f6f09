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
 * A native library in a jar, and the SHA-256 of its content, which identifies its copies on disk.
 *
 * <p>The build records the sums in this library's jar, each with length and CRC-32. A recorded sum
 * holds for the file on the class path if length and CRC-32 are those of the jar's own list. If
 * not, the class path has another version than the build had; each start then computes the sum of
 * the file in the jar.
 *
 * @param resource the packed file
 * @param sum the SHA-256 in hexadecimal digits
 */
public record PackedFile(Resource resource, String sum) {
  /** The build's record. Each line gives SHA-256, length, CRC-32 and name of a file. */
  private static final String RECORDS = "natives.sha256";

  private static final int BUFFER_BYTES = 1 << 16;

  static PackedFile of(Resource resource) throws IOException {
    String recorded = recorded(resource);
    return new PackedFile(resource, recorded != null ? recorded : computed(resource));
  }

  /** {@return the file's name without the folder} */
  String name() {
    return resource.name().substring(resource.name().lastIndexOf('/') + 1);
  }

  /** {@return the file in a folder} Unpacks it unless the file there has the same content. */
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
    String end = " " + stamp.bytes() + " " + stamp.crc() + " " + resource.name();
    String lines = new String(records.bytes(), StandardCharsets.US_ASCII);
    for (String line : lines.lines().toList()) {
      if (line.endsWith(end)) {
        return line.substring(0, line.length() - end.length());
      }
    }
    return null;
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

  /** {@return a new SHA-256 digest} */
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

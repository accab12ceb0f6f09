package io.recur.device.natives;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A file that is packed with the classes: in a folder, in a jar, or where a class loader of the
 * user finds it.
 *
 * <p>This class opens a jar by its path, not by its URL. The text of a URL is ambiguous where a
 * folder's name ends with an exclamation mark, and the JVM keeps a jar open that was read by URL.
 *
 * @param name the path among the resources
 * @param url where the class loader finds the file
 */
public record Resource(String name, URL url) {
  /** Length and CRC-32 of a file in a jar's list: files that agree in both count as equal. */
  record Stamp(long bytes, long crc) {}

  private interface Reader<T> {
    T read(InputStream in, Stamp stamp) throws IOException;
  }

  /** {@return the resource that this library's class loader finds, or null} */
  static @Nullable Resource find(String name) {
    URL url = Resource.class.getClassLoader().getResource(name);
    return url == null ? null : new Resource(name, url);
  }

  /** {@return the file if it is in a folder; null if it is packed} */
  @Nullable Path file() {
    return url.getProtocol().equals("file") ? path(url.toString()) : null;
  }

  /** {@return length and checksum without reading the file; −1 if the class loader has neither} */
  Stamp stamp() throws IOException {
    return read((in, stamp) -> stamp);
  }

  void copyTo(OutputStream out) throws IOException {
    read((in, stamp) -> in.transferTo(out));
  }

  /**
   * Reads the file.
   *
   * @return all bytes
   * @throws IOException if the file cannot be read
   */
  public byte[] bytes() throws IOException {
    return read((in, stamp) -> in.readAllBytes());
  }

  private <T> T read(Reader<T> reader) throws IOException {
    String text = url.toString();
    String end = "!/" + name;
    Path jar =
        text.startsWith("jar:file:") && text.endsWith(end)
            ? path(text.substring("jar:".length(), text.length() - end.length()))
            : null;
    if (jar != null) {
      try (ZipFile zip = new ZipFile(jar.toFile())) {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
          throw new IOException(jar + " no longer holds " + name);
        }
        try (InputStream in = zip.getInputStream(entry)) {
          return reader.read(in, stamp(entry));
        }
      }
    }
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    try (InputStream in = connection.getInputStream()) {
      ZipEntry entry = connection instanceof JarURLConnection jarred ? jarred.getJarEntry() : null;
      return reader.read(in, stamp(entry));
    }
  }

  private static Stamp stamp(@Nullable ZipEntry entry) {
    return entry == null ? new Stamp(-1, -1) : new Stamp(entry.getSize(), entry.getCrc());
  }

  private static @Nullable Path path(String url) {
    try {
      Path path = Path.of(URI.create(url));
      return Files.isRegularFile(path) ? path : null;
    } catch (IllegalArgumentException e) {
      return null; // not a valid URI; the class loader that made the URL may open it
    }
  }
}

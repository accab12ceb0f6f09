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
 * A file that travels with classes: in a folder, in a jar, or where a class loader of the user's
 * finds it.
 *
 * <p>A jar is opened here, not by its URL: a URL's text breaks where a folder's name ends with an
 * exclamation mark, and the JVM keeps a jar open that was read by URL.
 *
 * @param name its path among the resources
 * @param url where the class loader finds it
 */
public record Resource(String name, URL url) {
  /** What a jar's list says of a file: files of equal length and CRC-32 are taken as equal. */
  record Stamp(long bytes, long crc) {}

  private interface Reader<T> {
    T read(InputStream in, Stamp stamp) throws IOException;
  }

  /** What the class loader of this library finds; null where it finds none. */
  static @Nullable Resource find(String name) {
    URL url = Resource.class.getClassLoader().getResource(name);
    return url == null ? null : new Resource(name, url);
  }

  /** The file itself where it is in a folder; null where it is packed. */
  @Nullable Path file() {
    return url.getProtocol().equals("file") ? path(url.toString()) : null;
  }

  /** Its length and checksum, without reading it; -1 each where the class loader does not tell. */
  Stamp stamp() throws IOException {
    return read((in, stamp) -> stamp);
  }

  void copyTo(OutputStream out) throws IOException {
    read((in, stamp) -> in.transferTo(out));
  }

  /**
   * Its content.
   *
   * @return all bytes
   * @throws IOException if it cannot be read
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
      return null; // not written as a URL should be: whoever made it may be able to open it
    }
  }
}

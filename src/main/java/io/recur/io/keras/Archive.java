package io.recur.io.keras;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A {@code .keras} file: a zip archive of what Keras stores without compression, so that no part is
 * larger than the archive.
 *
 * @param config {@code config.json}
 * @param weights {@code model.weights.h5}
 */
record Archive(String config, byte[] weights) {
  private static final String WEIGHTS = "model.weights.h5";

  /**
   * Reads an archive.
   *
   * @param size that of the file
   */
  static Archive read(String where, Path path, long size) throws IOException {
    try (ZipFile zip = new ZipFile(path.toFile())) {
      byte[] config = part(where, zip, "config.json", size);
      return new Archive(
          new String(config, StandardCharsets.UTF_8), part(where, zip, WEIGHTS, size));
    } catch (ZipException | EOFException e) {
      throw new IllegalArgumentException(
          "%s: a damaged zip archive: %s"
              .formatted(where, e.getMessage() == null ? "it is cut off" : e.getMessage()),
          e);
    }
  }

  private static byte[] part(String where, ZipFile zip, String name, long size) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new IllegalArgumentException(
          "%s: %s is missing; need the archive of model.save(\"model.keras\"), it has %s"
              .formatted(
                  where,
                  name,
                  Import.shown(zip.stream().limit(100).map(ZipEntry::getName).toList())));
    }
    if (entry.getMethod() != ZipEntry.STORED || entry.getSize() > size) {
      throw new IllegalArgumentException(
          "%s: %s is compressed, or larger than the file; need it stored, as Keras does: zip -0"
              .formatted(where, name));
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readNBytes((int) entry.getSize());
      CRC32 crc = new CRC32();
      crc.update(bytes);
      if (bytes.length != entry.getSize() || crc.getValue() != entry.getCrc()) {
        throw new IllegalArgumentException(
            "%s: %s has another checksum; the file is damaged".formatted(where, name));
      }
      return bytes;
    }
  }
}

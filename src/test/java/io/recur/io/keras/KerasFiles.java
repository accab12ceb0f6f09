package io.recur.io.keras;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files under {@code src/test/resources/keras} that {@code make.py} there made with Keras. */
final class KerasFiles {
  private KerasFiles() {}

  static Path file(String name) {
    try {
      return Path.of(KerasFiles.class.getResource("/keras/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static KerasFile read(String name) throws IOException {
    return KerasFile.read(file(name));
  }

  /** The configuration in a {@code .keras} file. */
  static String config(String name) throws IOException {
    return Archive.read(name, file(name), Files.size(file(name))).config();
  }
}

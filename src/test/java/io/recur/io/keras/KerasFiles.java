package io.recur.io.keras;

import io.recur.Resource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files under {@code src/test/resources/keras} that {@code make.py} there made with Keras. */
final class KerasFiles {
  private KerasFiles() {}

  static Path file(String name) {
    return Resource.file("/keras/" + name);
  }

  static KerasFile read(String name) throws IOException {
    return KerasFile.read(file(name));
  }

  /** The configuration in a {@code .keras} file. */
  static String config(String name) throws IOException {
    return Archive.read(name, file(name), Files.size(file(name))).config();
  }
}

package io.recur.io;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** Files under {@code src/test/resources/torch} that {@code make.py} there made with PyTorch. */
final class TorchFiles {
  private TorchFiles() {}

  static Path file(String name) {
    try {
      return Path.of(TorchFiles.class.getResource("/torch/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static StateDict read(String name) throws IOException {
    return StateDict.read(file(name));
  }
}

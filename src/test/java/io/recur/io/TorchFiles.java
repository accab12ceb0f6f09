package io.recur.io;

import io.recur.Resource;
import java.io.IOException;
import java.nio.file.Path;

/** Files under {@code src/test/resources/torch} that {@code make.py} there made with PyTorch. */
final class TorchFiles {
  private TorchFiles() {}

  static Path file(String name) {
    return Resource.file("/torch/" + name);
  }

  static StateDict read(String name) throws IOException {
    return StateDict.read(file(name));
  }
}

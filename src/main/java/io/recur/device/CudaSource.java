package io.recur.device;

import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** The source of the kernels, as it lies in this jar. */
final class CudaSource {
  private static final String FOLDER = "cuda/";
  private static final String LIST = "FILES";

  private CudaSource() {}

  /**
   * All files in the order of their list, each told to the compiler by its name; all end a line.
   */
  static String read() {
    StringBuilder program = new StringBuilder();
    for (String file : file(LIST).lines().map(String::strip).toList()) {
      if (!file.isEmpty()) {
        program.append("#line 1 \"").append(file).append("\"\n").append(file(file));
      }
    }
    return program.toString();
  }

  private static String file(String name) {
    URL url = CudaSource.class.getResource(FOLDER + name);
    if (url == null) {
      throw new DeviceException(
          "cuda: the kernels' source %s%s is not beside %s; build the library with its resources"
              .formatted(FOLDER, name, CudaSource.class.getName()));
    }
    try {
      byte[] text = new Resource("io/recur/device/" + FOLDER + name, url).bytes();
      return new String(text, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new DeviceException("cuda: the kernels' source " + name + " cannot be read: " + e, e);
    }
  }
}

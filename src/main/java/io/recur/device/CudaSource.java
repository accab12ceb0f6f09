package io.recur.device;

import java.io.IOException;
import java.io.InputStream;
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
    try (InputStream in = CudaSource.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        throw new DeviceException(
            "cuda: the kernels' source %s%s is not beside %s; build the library with its resources"
                .formatted(FOLDER, name, CudaSource.class.getName()));
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new DeviceException("cuda: the kernels' source " + name + " cannot be read: " + e, e);
    }
  }
}

package io.recur.device.cuda;

import io.recur.device.DeviceException;
import io.recur.device.natives.Resource;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** The source of the kernels, which is in this jar. */
final class Source {
  private static final String LIST = "FILES";

  private Source() {}

  /**
   * {@return all files in the order of their list, each after a line that gives the compiler its
   * name} Each file ends with a line's end.
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
    URL url = Source.class.getResource(name);
    if (url == null) {
      throw new DeviceException(
          "cuda: the kernels' source %s is not beside %s; build the library with its resources"
              .formatted(name, Source.class.getName()));
    }
    try {
      byte[] text = new Resource("io/recur/device/cuda/" + name, url).bytes();
      return new String(text, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new DeviceException("cuda: the kernels' source " + name + " cannot be read: " + e, e);
    }
  }
}

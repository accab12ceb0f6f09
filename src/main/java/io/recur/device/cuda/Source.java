package io.recur.device.cuda;

import io.recur.device.DeviceException;
import io.recur.device.natives.Resource;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The source of the kernels, which is in this jar. */
final class Source {
  private static final String LIST = "FILES";

  /** The last of the files that kernels are written with; those after it hold kernels. */
  private static final String LAST_WORDS = "loops.cu";

  private Source() {}

  /**
   * {@return all files in the order of their list, each after a line that gives the compiler its
   * name} Each file ends with a line's end.
   */
  static String read() {
    return read(files());
  }

  /** {@return the files without kernels, for kernels that are written while the program runs} */
  static String words() {
    List<String> files = files();
    return read(files.subList(0, files.indexOf(LAST_WORDS) + 1));
  }

  private static List<String> files() {
    return file(LIST).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
  }

  private static String read(List<String> files) {
    StringBuilder program = new StringBuilder();
    for (String file : files) {
      program.append("#line 1 \"").append(file).append("\"\n").append(file(file));
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

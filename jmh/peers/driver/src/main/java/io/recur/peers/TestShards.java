package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Splits the test classes of a folder into shards for JVMs that run at once. */
final class TestShards {
  /** One JVM keeps about this many cores busy, with the compiler and the tests. */
  private static final int CORES_EACH = 2;

  private static final int MOST = 8;

  private TestShards() {}

  /**
   * Returns JUnit's arguments for each JVM: the given ones, and a pattern of the classes that it
   * runs. Classes with neighbouring names take similar times, so they go to different JVMs. If the
   * machine has cores for one JVM only, that JVM runs all classes.
   *
   * @param folder the compiled tests
   * @param arguments those of one JVM that runs all classes
   */
  static List<List<String>> of(Path folder, List<String> arguments) throws IOException {
    int jvms = Math.clamp(Runtime.getRuntime().availableProcessors() / CORES_EACH, 1, MOST);
    List<String> classes = classes(folder);
    List<List<String>> shards = new ArrayList<>();
    for (int jvm = 0; jvm < jvms; jvm++) {
      List<String> own = new ArrayList<>(arguments);
      if (jvms > 1) {
        List<String> names = new ArrayList<>();
        for (int i = jvm; i < classes.size(); i += jvms) {
          names.add(classes.get(i).replace(".", "\\."));
        }
        own.addAll(List.of("--include-classname", "(" + String.join("|", names) + ")(\\$.*)?"));
      }
      shards.add(own);
    }
    return shards;
  }

  /** Returns the names of the test classes in their order. */
  private static List<String> classes(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .map(file -> folder.relativize(file).toString())
          .filter(file -> file.endsWith("Test.class") && !file.contains("$"))
          .map(file -> file.replaceAll("\\.class$", "").replaceAll("[/\\\\]", "."))
          .sorted()
          .toList();
    }
  }
}

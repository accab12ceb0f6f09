package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Deals the test classes of a folder to several JVMs that run at once. */
final class TestHands {
  /** A JVM compiles and computes on about as many. */
  private static final int CORES_EACH = 2;

  private static final int MOST = 8;

  private TestHands() {}

  /**
   * Gives JUnit's arguments of each JVM: those of all, and a pattern of the classes that are its
   * own. Neighbours in the alphabet are alike and go to different ones. Where the machine has cores
   * for one alone, that one has all.
   *
   * @param folder of the compiled tests, to be scanned
   * @param arguments of one JVM that runs all
   */
  static List<List<String>> deal(Path folder, List<String> arguments) throws IOException {
    int hands = Math.clamp(Runtime.getRuntime().availableProcessors() / CORES_EACH, 1, MOST);
    List<String> classes = classes(folder);
    List<List<String>> dealt = new ArrayList<>();
    for (int hand = 0; hand < hands; hand++) {
      List<String> own = new ArrayList<>(arguments);
      if (hands > 1) {
        List<String> names = new ArrayList<>();
        for (int i = hand; i < classes.size(); i += hands) {
          names.add(classes.get(i).replace(".", "\\."));
        }
        own.addAll(List.of("--include-classname", "(" + String.join("|", names) + ")(\\$.*)?"));
      }
      dealt.add(own);
    }
    return dealt;
  }

  /** By name. */
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

package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The documents name files and classes that exist. */
@Tag(Devices.CPU)
class DocsTest {
  private static final Path MAIN = Path.of("src/main/java/io/recur");
  private static final Path TESTS = Path.of("src/test/java/io/recur");

  /** A path, or a class with or without a member, and no pattern, option or command. */
  private static final Pattern NAME = Pattern.compile("`([\\w-]+(?:[./][\\w.-]+)*)`");

  private static final Pattern LINK = Pattern.compile("]\\(([^):#]+)[^)]*\\)");

  private static final Pattern CLASS = Pattern.compile("[A-Z][a-z]\\w+(\\.\\w+)*");

  /** A class of tests as Java and the shell name it, less the package of all. */
  private static final Pattern TEST_CLASS =
      Pattern.compile("\"(?:io\\.recur\\.)?((?:\\w+\\.)+\\w+Test)\"");

  private static final Pattern PACKED_CLASS =
      Pattern.compile("lib/tests/io/recur/([\\w/]+Test)\\*");

  private static final Pattern OF_THE_CHECKOUT =
      Pattern.compile(
          "(?:Path\\.of|new File)\\(\\s*\"(?:src|docs|native|jmh|bindings|pom|README|Makefile)\\b");

  private static final Pattern SOURCE = Pattern.compile("^(?!.*\\btarget\\b).*\\.(java|c|h|cu)$");

  private static final int MOST_LINES = 400;

  private static final String TAG = "@Tag(Devices.CPU)";
  private static final Pattern TAGGED_CLASS =
      Pattern.compile("\n@Tag\\(Devices\\.CPU\\).*\n(?:@.*\n)*(?:public )?(?:final )?class ");

  static Stream<Path> documents() throws IOException {
    Stream<Path> fixed =
        Stream.of("README.md", "CONTRIBUTING.md", "src/README.md", "jmh/README.md").map(Path::of);
    try (Stream<Path> docs = Files.list(Path.of("docs"))) {
      return Stream.concat(
          fixed, docs.filter(file -> file.toString().endsWith(".md")).toList().stream());
    }
  }

  private static Set<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean exists(Path document, String name) {
    Path beside = document.resolveSibling(name);
    return Stream.of(Path.of(name), beside, MAIN.resolve(name), TESTS.resolve(name))
        .anyMatch(path -> Files.exists(path) || Files.exists(Path.of(path + ".java")));
  }

  @ParameterizedTest
  @MethodSource("documents")
  void linksLeadToFiles(Path document) throws IOException {
    for (String link : found(LINK, Files.readString(document))) {
      assertTrue(Files.exists(document.resolveSibling(link)), document + ": " + link);
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void pathsInBackquotesExist(Path document) throws IOException {
    String text = Files.readString(document).replaceAll("(?s)```.*?```", "");
    List<String> missing =
        found(NAME, text).stream()
            .filter(name -> name.contains("/") && !name.contains("target"))
            .filter(name -> !exists(document, name))
            .toList();
    assertEquals(List.of(), missing, document.toString());
  }

  /** CONTRIBUTING.md says so. */
  @Test
  void noFileHasMoreThan400Lines() throws IOException {
    int found = 0;
    for (Path root : List.of(Path.of("src"), Path.of("native"), Path.of("jmh"))) {
      List<Path> sources;
      try (Stream<Path> files = Files.walk(root)) {
        sources = files.filter(file -> SOURCE.matcher(file.toString()).find()).toList();
      }
      for (Path source : sources) {
        int lines = Files.readAllLines(source).size();
        assertTrue(lines <= MOST_LINES, source + ": " + lines + " lines");
        found++;
      }
    }
    assertTrue(found > 900, found + " sources");
  }

  @Test
  void makeAloneTellsEveryTarget() throws IOException {
    String makefile = "\n" + Files.readString(Path.of("Makefile"));
    Matcher targets = Pattern.compile("\n\\.PHONY: help (.*)").matcher(makefile);
    assertTrue(targets.find());
    for (String target : targets.group(1).split(" ")) {
      assertTrue(makefile.contains("\n# make " + target + " "), target);
    }
  }

  @Test
  void theFirstMinutesOnACardRunTestsThatExist() throws IOException {
    Path steps = Path.of("jmh/peers/driver/src/main/java/io/recur/peers/BringUpStep.java");
    Set<String> tests = found(TEST_CLASS, Files.readString(steps));
    tests.addAll(found(PACKED_CLASS, Files.readString(Path.of("jmh/pack"))));
    assertTrue(tests.size() > 12, tests.toString());
    tests.removeIf(test -> Files.exists(TESTS.resolve(test.replace('.', '/') + ".java")));
    assertEquals(Set.of(), tests);
  }

  /** The archive for a machine with a GPU has no sources and no pages. */
  @Test
  void aTestThatReadsTheCheckoutIsNoneOfADevice() throws IOException {
    List<Path> readers;
    try (Stream<Path> files = Files.walk(TESTS)) {
      readers = files.filter(file -> file.toString().endsWith("Test.java")).toList();
    }
    int found = 0;
    for (Path test : readers) {
      String text = Files.readString(test);
      for (String member : text.split("\n\n  ")) {
        if (OF_THE_CHECKOUT.matcher(member).find()) {
          boolean isTagged = member.contains(TAG) || TAGGED_CLASS.matcher(text).find();
          assertTrue(
              isTagged, test + ": it reads files of the checkout, on a device too: " + member);
          found++;
        }
      }
    }
    assertTrue(found > 15, found + " tests read files of the checkout");
  }

  @Test
  void classesThatTheMapNamesExist() throws IOException {
    Set<String> classes = new TreeSet<>();
    for (Path root : List.of(MAIN, TESTS)) {
      try (Stream<Path> files = Files.walk(root)) {
        files
            .map(file -> file.getFileName().toString())
            .filter(file -> file.endsWith(".java"))
            .forEach(file -> classes.add(file.substring(0, file.length() - ".java".length())));
      }
    }
    Set<String> named = new TreeSet<>();
    for (String name : found(NAME, Files.readString(Path.of("docs/architecture.md")))) {
      Matcher matcher = CLASS.matcher(name);
      if (matcher.matches()) {
        named.add(name.replaceFirst("\\..*", ""));
      }
    }
    assertTrue(named.size() > 30, named.toString());
    named.removeAll(classes);
    assertEquals(Set.of(), named);
  }
}

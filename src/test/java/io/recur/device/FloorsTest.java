package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The C files of the CPU double stand on the floors that {@code native/README.md} lists. */
@Tag(Devices.CPU)
class FloorsTest {
  private static final Path DOUBLE = Path.of("native", "double");
  private static final Pattern FILE = Pattern.compile("`(\\w+\\.[ch])`");
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"(\\w+\\.h)\"");

  /** The files of the table, lowest first: a row per floor, in its order. */
  private static List<String> files() throws IOException {
    String table = Files.readString(Path.of("native", "README.md")).split("\\| floor \\|")[1];
    return names(FILE, table.substring(0, table.indexOf("\n\n")));
  }

  private static List<String> names(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult match) -> match.group(1)).toList();
  }

  @Test
  void theTableListsEveryFile() throws IOException {
    try (Stream<Path> list = Files.list(DOUBLE)) {
      Set<String> present =
          list.map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".c") || name.endsWith(".h"))
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(present, new TreeSet<>(files()));
    }
  }

  @Test
  void aFileIncludesOnlyWhatStandsBeforeIt() throws IOException {
    List<String> upward = new ArrayList<>();
    Set<String> before = new HashSet<>();
    for (String file : files()) {
      names(INCLUDE, Files.readString(DOUBLE.resolve(file))).stream()
          .filter(header -> !before.contains(header))
          .forEach(header -> upward.add(file + " includes " + header));
      before.add(file);
    }
    assertEquals(List.of(), upward);
  }
}

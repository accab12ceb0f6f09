package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The lines of Java in a guide, which are those that a test runs. */
public final class Guide {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  private Guide() {}

  private static String packed(String code) {
    return code.replaceAll("(?m)//.*$", "").replaceAll("\\s", "");
  }

  /** Passes if a guide has so many blocks, and each stands in one of the sources. */
  public static void shows(Path guide, int blocks, Path... sources) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Path source : sources) {
      lines.append(packed(Files.readString(source))).append('\n');
    }
    Matcher found = BLOCK.matcher(Files.readString(guide));
    int count = 0;
    while (found.find()) {
      assertTrue(lines.toString().contains(packed(found.group(1))), found.group(1));
      count++;
    }
    assertEquals(blocks, count, guide.toString());
  }
}

package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the build fetches is checked, and what it ships carries its licences. */
@Tag(Devices.CPU)
class SupplyTest {
  private static final Path MAIN = Path.of("src/main/java");
  private static final Path BINDINGS = Path.of("bindings/README.md");

  private static final Pattern DEPENDENCY =
      Pattern.compile(
          "<dependency>\\s*<groupId>(.*?)</groupId>\\s*<artifactId>(.*?)</artifactId>(.*?)</dependency>",
          Pattern.DOTALL);

  private static Set<String> shipped() throws IOException {
    Set<String> shipped = new TreeSet<>();
    Matcher dependency = DEPENDENCY.matcher(Files.readString(Path.of("pom.xml")));
    while (dependency.find()) {
      if (!dependency.group(3).matches("(?s).*<scope>(test|provided)</scope>.*")) {
        shipped.add(dependency.group(1) + ":" + dependency.group(2));
      }
    }
    return shipped;
  }

  @Test
  void everyShippedDependencyStandsInTheNotice() throws IOException {
    String notice = Files.readString(Path.of("src/main/licences/NOTICE"));
    assertTrue(shipped().contains("org.bytedeco:openblas"), shipped().toString());
    for (String dependency : shipped()) {
      assertTrue(notice.contains("\n" + dependency), dependency + " is missing in NOTICE");
    }
  }

  @Test
  void everyLicenceIsNamedInTheNoticeAndShipped() throws IOException {
    String notice = Files.readString(Path.of("src/main/licences/NOTICE"));
    String pom = Files.readString(Path.of("pom.xml"));
    try (Stream<Path> files = Files.list(Path.of("src/main/licences"))) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      assertFalse(names.isEmpty());
      for (String name : names) {
        assertTrue(pom.contains("<file>src/main/licences/" + name + "</file>"), name);
        assertTrue(name.equals("NOTICE") || notice.contains(name), name);
      }
    }
  }

  @Test
  void whatMavenFetchesIsChecked() throws IOException {
    assertEquals("--strict-checksums", Files.readString(Path.of(".mvn/maven.config")).strip());
    String wrapper = Files.readString(Path.of(".mvn/wrapper/maven-wrapper.properties"));
    assertTrue(
        Pattern.compile("^distributionSha256Sum=[0-9a-f]{64}$", Pattern.MULTILINE)
            .matcher(wrapper)
            .find(),
        wrapper);
  }

  /** The coordinates that an error names for a user to add, and those of the headers. */
  @Test
  void openBlasHasTheVersionOfThePomEverywhere() throws IOException {
    Matcher version =
        Pattern.compile("<openblas.version>(.*?)<").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find());
    Pattern coordinates = Pattern.compile("org\\.bytedeco:openblas:(\\d[\\w.-]*)");
    Set<String> named = new TreeSet<>();
    try (Stream<Path> files = Stream.concat(Files.walk(MAIN), Stream.of(BINDINGS))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        coordinates.matcher(Files.readString(file)).results().forEach(c -> named.add(c.group(1)));
      }
    }
    assertEquals(Set.of(version.group(1)), named);
  }

  /** Properties and variables that the source reads, and Java's own that name native code. */
  private static final Pattern READ =
      Pattern.compile(
          "static final String \\w+ = \"((?:io\\.recur\\.|RECUR_)[\\w.]+)\"|getenv\\(\"(\\w+)\"\\)"
              + "|\"(XDG_\\w+|LOCALAPPDATA|java\\.library\\.path|java\\.io\\.tmpdir|user\\.home)\"");

  @Test
  void whateverCanLoadCodeIsDocumented() throws IOException {
    String natives = Files.readString(Path.of("docs/natives.md"));
    int start = natives.indexOf("## What can load code");
    String section = natives.substring(start, natives.indexOf("\n## ", start + 1));
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Matcher read = READ.matcher(Files.readString(file));
        while (read.find()) {
          names.add(
              Stream.of(read.group(1), read.group(2), read.group(3))
                  .filter(Objects::nonNull)
                  .findFirst()
                  .orElseThrow());
        }
      }
    }
    assertTrue(names.size() >= 12, names.toString());
    for (String name : names) {
      assertTrue(section.contains(name), name + " is missing in: " + section);
    }
  }
}

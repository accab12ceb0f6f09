package io.recur.io.optional;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Without;
import io.recur.device.Devices;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag(Devices.CPU)
class OptionalLibraryTest {
  private static final String[] PACKAGES = {
    "io.jhdf.", "org.apache.kafka.", "org.rocksdb.", "me.tongfei.", "org.knowm."
  };

  @ParameterizedTest
  @EnumSource
  void whereItIsMissingTheErrorNamesWhatToAdd(OptionalLibrary library) throws Exception {
    library.require("here"); // the tests have it
    Class<?> alone = new Without(OptionalLibrary.class, PACKAGES).its(OptionalLibrary.class);
    Object same = alone.getEnumConstants()[library.ordinal()];
    Throwable thrown =
        assertThrows(
                InvocationTargetException.class,
                () -> alone.getMethod("require", String.class).invoke(same, "call"))
            .getCause();
    assertInstanceOf(IllegalStateException.class, thrown);
    assertTrue(
        thrown
            .getMessage()
            .startsWith(
                "call: it needs a library that is not there; add %s to the class path, or to the"
                    .formatted(library.coordinates())),
        thrown.getMessage());
  }

  @ParameterizedTest
  @EnumSource
  void theVersionIsThatOfThePom(OptionalLibrary library) throws Exception {
    String[] parts = library.coordinates().split(":");
    String pom = Files.readString(Path.of("pom.xml")).replaceAll("\\s+", "");
    Matcher dependency =
        Pattern.compile(
                "<groupId>%s</groupId><artifactId>%s</artifactId><version>\\$\\{(.*?)}"
                    .formatted(Pattern.quote(parts[0]), Pattern.quote(parts[1])))
            .matcher(pom);
    assertTrue(dependency.find(), library.coordinates());
    String property = dependency.group(1);
    Matcher version = Pattern.compile("<" + property + ">(.*?)<").matcher(pom);
    assertTrue(version.find(), property);
    assertEquals(parts[2], version.group(1), property);
  }
}

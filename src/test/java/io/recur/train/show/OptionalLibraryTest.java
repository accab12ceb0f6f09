package io.recur.train.show;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.Without;
import io.recur.device.Devices;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag(Devices.CPU)
class OptionalLibraryTest {
  @ParameterizedTest
  @EnumSource
  void whereItIsMissingTheErrorNamesWhatToAdd(OptionalLibrary library) throws Exception {
    library.require("here"); // the tests have it
    Class<?> alone =
        new Without(OptionalLibrary.class, "me.tongfei.", "org.knowm.").its(OptionalLibrary.class);
    Object same = alone.getEnumConstants()[library.ordinal()];
    InvocationTargetException thrown =
        assertThrows(
            InvocationTargetException.class,
            () -> alone.getMethod("require", String.class).invoke(same, "progressBar"));
    assertInstanceOf(IllegalStateException.class, thrown.getCause());
    Thrown.says(
        IllegalStateException.class,
        () -> {
          throw thrown.getCause();
        },
        "progressBar: it needs a library that is not there; add "
            + library.coordinates()
            + " to the dependencies");
  }

  @ParameterizedTest
  @EnumSource
  void theVersionIsThatOfThePom(OptionalLibrary library) throws Exception {
    String[] parts = library.coordinates().split(":");
    String pom = Files.readString(Path.of("pom.xml"));
    assertTrue(pom.contains("<groupId>" + parts[0] + "</groupId>"), parts[0]);
    assertTrue(pom.contains("<artifactId>" + parts[1] + "</artifactId>"), parts[1]);
    assertEquals(
        1, pom.split("<" + parts[1] + ".version>" + parts[2] + "</", -1).length - 1, parts[2]);
  }
}

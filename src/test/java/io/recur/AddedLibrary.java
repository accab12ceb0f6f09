package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.function.Executable;

/**
 * A library that users add: what a call says without it, and the version that is named.
 *
 * @param name group and artifact
 * @param property of the pom that has its version
 */
public record AddedLibrary(String name, String property) {
  /** Passes if a call asks for the library, the second time too, when its classes have failed. */
  public void isAskedFor(Executable call) throws IOException {
    for (int i = 0; i < 2; i++) {
      Throwable thrown = assertThrows(Throwable.class, call);
      if (thrown instanceof InvocationTargetException) {
        thrown = thrown.getCause();
      }
      assertEquals(IllegalStateException.class, thrown.getClass(), thrown.toString());
      String message = thrown.getMessage();
      assertTrue(message.contains("add " + coordinates() + " to the class path"), message);
    }
  }

  private String coordinates() throws IOException {
    Matcher version =
        Pattern.compile("<" + property + ">(.*?)<").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find(), property);
    return name + ":" + version.group(1);
  }

  /** Passes if each of the files names the library, always with the version of the pom. */
  public void isNamedIn(String... files) throws IOException {
    Pattern any = Pattern.compile(Pattern.quote(name) + ":(\\d[\\w.]*\\w)");
    for (String file : files) {
      Matcher named = any.matcher(Files.readString(Path.of(file)));
      assertTrue(named.find(), file);
      do {
        assertEquals(coordinates(), named.group(), file);
      } while (named.find());
    }
  }
}

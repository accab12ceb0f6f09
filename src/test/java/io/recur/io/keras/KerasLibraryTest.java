package io.recur.io.keras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The library that reads HDF5 is the user's to add. */
@Tag(Devices.CPU)
class KerasLibraryTest {
  /** Loads this package anew, and has no jhdf. */
  private static final class WithoutJhdf extends ClassLoader {
    private static final String OURS = KerasFile.class.getPackageName() + ".";

    WithoutJhdf() {
      super(KerasFile.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("io.jhdf.")) {
        throw new ClassNotFoundException(name);
      }
      Class<?> known = findLoadedClass(name);
      if (known != null || !name.startsWith(OURS)) {
        return known != null ? known : super.loadClass(name, resolve);
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static final Pattern COORDINATES = Pattern.compile("io\\.jhdf:jhdf:(\\d[\\w.]*\\w)");

  @Test
  void withoutJhdfACallNamesItsCoordinates() throws Exception {
    Class<?> file = new WithoutJhdf().loadClass(KerasFile.class.getName());
    Method read = file.getMethod("read", Path.class);
    for (int call = 0; call < 2; call++) {
      Throwable thrown =
          assertThrows(
                  InvocationTargetException.class,
                  () -> read.invoke(null, KerasFiles.file("types.keras")))
              .getCause();
      assertEquals(IllegalStateException.class, thrown.getClass(), thrown.toString());
      assertTrue(
          thrown.getMessage().contains("add " + coordinates() + " to the class path"),
          thrown.getMessage());
    }
  }

  private static String coordinates() throws IOException {
    Matcher version =
        Pattern.compile("<jhdf.version>(.*?)<").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find());
    return "io.jhdf:jhdf:" + version.group(1);
  }

  /** The coordinates that an error and the guide name. */
  @Test
  void jhdfHasTheVersionOfThePomEverywhere() throws IOException {
    for (Path file :
        new Path[] {
          Path.of("src/main/java/io/recur/io/keras/Source.java"),
          Path.of("src/main/java/io/recur/io/keras/KerasFile.java"),
          Path.of("docs/keras.md")
        }) {
      Matcher named = COORDINATES.matcher(Files.readString(file));
      assertTrue(named.find(), file.toString());
      do {
        assertEquals(coordinates(), named.group(), file.toString());
      } while (named.find());
    }
  }
}

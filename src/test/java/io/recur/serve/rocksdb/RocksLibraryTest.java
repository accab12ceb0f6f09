package io.recur.serve.rocksdb;

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
import org.junit.jupiter.api.io.TempDir;

/** RocksDB is the user's to add. */
@Tag(Devices.CPU)
class RocksLibraryTest {
  private static final Pattern COORDINATES =
      Pattern.compile("org\\.rocksdb:rocksdbjni:(\\d[\\w.]*\\w)");

  @TempDir private Path folder;

  /** Loads this package anew, and has no RocksDB. */
  private static final class WithoutRocksDb extends ClassLoader {
    private static final String OURS = RocksStore.class.getPackageName() + ".";

    WithoutRocksDb() {
      super(RocksStore.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("org.rocksdb.")) {
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

  @Test
  void withoutRocksDbACallNamesItsCoordinates() throws Exception {
    Class<?> store = new WithoutRocksDb().loadClass(RocksStore.class.getName());
    Method open = store.getMethod("open", Path.class);
    for (int call = 0; call < 2; call++) {
      Throwable thrown =
          assertThrows(InvocationTargetException.class, () -> open.invoke(null, folder)).getCause();
      assertEquals(IllegalStateException.class, thrown.getClass(), thrown.toString());
      assertTrue(
          thrown.getMessage().contains("add " + coordinates() + " to the class path"),
          thrown.getMessage());
    }
  }

  private static String coordinates() throws IOException {
    Matcher version =
        Pattern.compile("<rocksdb.version>(.*?)<").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(version.find());
    return "org.rocksdb:rocksdbjni:" + version.group(1);
  }

  /** The coordinates that an error and the guide name. */
  @Test
  void rocksDbHasTheVersionOfThePomEverywhere() throws IOException {
    for (Path file :
        new Path[] {
          Path.of("src/main/java/io/recur/serve/rocksdb/RocksStore.java"),
          Path.of("docs/serving.md")
        }) {
      Matcher named = COORDINATES.matcher(Files.readString(file));
      assertTrue(named.find(), file.toString());
      do {
        assertEquals(coordinates(), named.group(), file.toString());
      } while (named.find());
    }
  }
}

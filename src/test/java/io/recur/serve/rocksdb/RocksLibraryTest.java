package io.recur.serve.rocksdb;

import io.recur.AddedLibrary;
import io.recur.Without;
import io.recur.device.Devices;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RocksDB is the user's to add. */
@Tag(Devices.CPU)
class RocksLibraryTest {
  private static final AddedLibrary ROCKSDB =
      new AddedLibrary("org.rocksdb:rocksdbjni", "rocksdb.version");

  @TempDir private Path folder;

  @Test
  void withoutRocksDbACallNamesItsCoordinates() throws Exception {
    Class<?> store = new Without(RocksStore.class, "org.rocksdb.").its(RocksStore.class);
    Method open = store.getMethod("open", Path.class);
    ROCKSDB.isAskedFor(() -> open.invoke(null, folder));
  }

  @Test
  void rocksDbHasTheVersionOfThePomEverywhere() throws IOException {
    ROCKSDB.isNamedIn("src/main/java/io/recur/serve/rocksdb/RocksStore.java", "docs/serving.md");
  }
}

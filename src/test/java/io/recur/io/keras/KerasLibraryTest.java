package io.recur.io.keras;

import io.recur.AddedLibrary;
import io.recur.Without;
import io.recur.device.Devices;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The library that reads HDF5 is the user's to add. */
@Tag(Devices.CPU)
class KerasLibraryTest {
  private static final AddedLibrary JHDF = new AddedLibrary("io.jhdf:jhdf", "jhdf.version");

  @Test
  void withoutJhdfACallNamesItsCoordinates() throws Exception {
    Class<?> file = new Without(KerasFile.class, "io.jhdf.").its(KerasFile.class);
    Method read = file.getMethod("read", Path.class);
    JHDF.isAskedFor(() -> read.invoke(null, KerasFiles.file("types.keras")));
  }

  @Test
  void jhdfHasTheVersionOfThePomEverywhere() throws IOException {
    JHDF.isNamedIn("src/main/java/io/recur/io/keras/KerasFile.java", "docs/keras.md");
  }
}

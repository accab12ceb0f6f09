package io.recur.train.show;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.knowm.xchart.XYChart;

@Tag(Devices.CPU)
class DrawingTest {
  @TempDir private Path folder;

  /** A chart whose painting fails, as AWT does where there is no font or no library of its own. */
  private static XYChart failing(Throwable failure) {
    return new XYChart(90, 54) {
      @Override
      public void paint(java.awt.Graphics2D g, int width, int height) {
        DrawingTest.<RuntimeException>raise(failure);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void raise(Throwable failure) throws E {
    throw (E) failure;
  }

  static Stream<Throwable> failures() {
    return Stream.of(
        new RuntimeException("Fontconfig head is null, check your fonts or fonts configuration"),
        new UnsatisfiedLinkError("libfreetype.so.6: cannot open shared object file"),
        new NoClassDefFoundError("Could not initialize class sun.font.SunFontManager"),
        new InternalError("no font"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aDrawingThatFailsIsToldAsAPictureThatCannotBeWritten(Throwable failure) {
    Path picture = folder.resolve("training.png");
    IOException told =
        assertThrows(IOException.class, () -> Drawing.draw(() -> failing(failure), picture));
    assertTrue(told.getMessage().contains(failure.getMessage()), told.getMessage());
    assertTrue(told.getMessage().startsWith(picture.toString()), told.getMessage());
    assertSame(failure, told.getCause());
    assertFalse(Files.exists(picture));
  }
}

package io.recur.train.show;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;

/** Draws charts into files. It needs {@link OptionalLibrary#CHART}. */
public final class Drawing {
  private Drawing() {}

  /**
   * Draws a chart into a PNG file. Needs no display. Nothing is written where the drawing fails.
   *
   * @param chart makes the chart
   * @param picture the file
   * @throws IOException if the chart cannot be drawn, as where Java finds no font, or if the file
   *     cannot be written
   */
  public static void draw(Supplier<XYChart> chart, Path picture) throws IOException {
    byte[] drawn;
    try {
      drawn = BitmapEncoder.getBitmapBytes(chart.get(), BitmapEncoder.BitmapFormat.PNG);
    } catch (IOException | RuntimeException | LinkageError | InternalError e) {
      IOException told = new FileSystemException(picture.toString(), null, reason(e));
      told.initCause(e);
      throw told;
    }
    Files.write(picture, drawn);
  }

  private static String reason(Throwable failure) {
    return "it cannot be drawn: %s; where Java finds no font, install fontconfig and a font"
        .formatted(failure.getMessage() == null ? failure : failure.getMessage());
  }
}

package io.recur.train.show;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;

/** Draws charts into files. It needs {@link io.recur.io.optional.OptionalLibrary#CHART}. */
public final class Drawing {
  private Drawing() {}

  /**
   * Draws a chart into a PNG file. Needs no display. If the drawing fails, nothing is written.
   *
   * @param chart makes the chart
   * @param picture the file
   * @throws IOException if the chart cannot be drawn, for example because Java finds no font, or if
   *     the file cannot be written
   */
  public static void draw(Supplier<XYChart> chart, Path picture) throws IOException {
    byte[] drawn;
    try {
      drawn = BitmapEncoder.getBitmapBytes(chart.get(), BitmapEncoder.BitmapFormat.PNG);
    } catch (IOException | RuntimeException | LinkageError | InternalError e) {
      IOException failure = new FileSystemException(picture.toString(), null, reason(e));
      failure.initCause(e);
      throw failure;
    }
    Files.write(picture, drawn);
  }

  private static String reason(Throwable failure) {
    return "it cannot be drawn: %s; where Java finds no font, install fontconfig and a font"
        .formatted(failure.getMessage() == null ? failure : failure.getMessage());
  }
}

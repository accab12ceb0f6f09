package io.recur.peers;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The ratios as points: a line for each work and pass, right of 1 where we are faster. */
final class Picture {
  private static final int LINE = 26;

  private static final Map<String, Color> COLOURS =
      Map.of(
          Job.PYTORCH, new Color(0xD8, 0x45, 0x2A),
          Job.ONNX_RUNTIME, new Color(0x1F, 0x6F, 0xB4),
          Job.DJL, new Color(0xE8, 0x9C, 0x2A),
          Job.DL4J, new Color(0x5A, 0x5A, 0x5A),
          Job.ONEDNN, new Color(0x2A, 0x9A, 0x5A),
          Job.COMPILED, new Color(0x8E, 0x24, 0x6B),
          Job.LOOP, new Color(0xD8, 0x45, 0x2A),
          Job.LOGARITHMS, new Color(0x1F, 0x6F, 0xB4),
          Job.CHUNKS, new Color(0xE8, 0x9C, 0x2A),
          Job.ASSOCIATIVE, new Color(0x8E, 0x24, 0x6B));

  private static final Map<String, Marker> MARKERS =
      Map.of(
          Job.PYTORCH, SeriesMarkers.CIRCLE,
          Job.ONNX_RUNTIME, SeriesMarkers.DIAMOND,
          Job.DJL, SeriesMarkers.SQUARE,
          Job.DL4J, SeriesMarkers.TRIANGLE_UP,
          Job.ONEDNN, SeriesMarkers.CROSS,
          Job.COMPILED, SeriesMarkers.PLUS,
          Job.LOOP, SeriesMarkers.TRIANGLE_DOWN,
          Job.LOGARITHMS, SeriesMarkers.OVAL,
          Job.CHUNKS, SeriesMarkers.RECTANGLE,
          Job.ASSOCIATIVE, SeriesMarkers.TRAPEZOID);

  private Picture() {}

  /** Draws the picture and gives its name, or why there is none; needs no display. */
  static String draw(List<Row> all, Path file) throws IOException {
    System.setProperty("java.awt.headless", "true");
    List<Row> rows =
        all.stream()
            .filter(Row::isMeasured)
            .filter(row -> !row.rival().equals(Job.GRU_RATE))
            .toList();
    if (rows.isEmpty()) {
      return "no picture (nothing was measured)";
    }
    List<String> lines =
        new ArrayList<>(new LinkedHashSet<>(rows.stream().map(Picture::line).toList()));
    try {
      XYChart chart = chart(lines, rows);
      BitmapEncoder.saveBitmap(
          chart, file.toString().replaceFirst("\\.png$", ""), BitmapEncoder.BitmapFormat.PNG);
      return file.getFileName().toString();
    } catch (LinkageError | InternalError e) { // a machine without fonts
      return "no picture (" + e.getMessage() + ")";
    }
  }

  private static String line(Row row) {
    return row.pass().equals(Job.STEP) ? row.job().name() : row.job().name() + ", " + row.pass();
  }

  private static XYChart chart(List<String> lines, List<Row> rows) {
    int count = lines.size();
    XYChart chart =
        new XYChartBuilder()
            .width(1000)
            .height(LINE * count + 130)
            .title(
                "Time of the rival / time of Recur (2 threads; right of the line Recur is faster)")
            .build();
    double least = rows.stream().mapToDouble(Row::ratio).min().orElse(1);
    double most = rows.stream().mapToDouble(Row::ratio).max().orElse(1);
    chart
        .getStyler()
        .setXAxisLogarithmic(true)
        .setXAxisMin(Math.pow(10, Math.floor(Math.log10(Math.min(least, 0.9)))))
        .setXAxisMax(Math.pow(10, Math.ceil(Math.log10(Math.max(most, 1.1)))))
        .setYAxisMin(0.0)
        .setYAxisMax(count + 1.0)
        .setYAxisTickMarkSpacingHint(LINE * 3 / 4)
        .setyAxisTickLabelsFormattingFunction(y -> label(lines, y))
        .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    chart
        .getStyler()
        .setLegendPosition(Styler.LegendPosition.OutsideS)
        .setLegendLayout(Styler.LegendLayout.Horizontal)
        .setChartBackgroundColor(Color.WHITE)
        .setMarkerSize(9);
    XYSeries even = chart.addSeries("even", new double[] {1, 1}, new double[] {0, count + 1});
    even.setMarker(SeriesMarkers.NONE);
    even.setLineColor(Color.BLACK);
    even.setShowInLegend(false);
    Map<String, List<Row>> byRival = new LinkedHashMap<>();
    rows.forEach(row -> byRival.computeIfAbsent(row.rival(), k -> new ArrayList<>()).add(row));
    byRival.forEach(
        (rival, its) -> {
          XYSeries points =
              chart.addSeries(
                  rival,
                  its.stream().map(Row::ratio).toList(),
                  its.stream().map(row -> count - lines.indexOf(line(row))).toList());
          points.setMarker(MARKERS.get(rival));
          points.setMarkerColor(COLOURS.get(rival));
          points.setLineStyle(SeriesLines.NONE);
        });
    return chart;
  }

  /**
   * The first line stands at the top. XChart draws fewer labels where two are equal, blank ones
   * included, so those below and above the lines differ in their blanks.
   */
  private static String label(List<String> lines, double y) {
    int at = lines.size() - (int) Math.round(y);
    if (at >= 0 && at < lines.size()) {
      return lines.get(at);
    }
    return " ".repeat(at < 0 ? Math.min(-at, 8) : 8 + Math.min(at - lines.size(), 8));
  }
}

package io.recur.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The ratios that jmh/bench.csv holds targets for: forks on two threads against one, and a step of
 * a long sequence against one of a short. JMH measured the two sides of a ratio one after the
 * other, so a busy machine shows in them.
 */
public final class Targets {
  static final Path CSV = Path.of("jmh", "bench.csv");

  private final Map<String, Double> scores = new LinkedHashMap<>();

  private Targets() throws IOException {
    List<String> lines = Files.readAllLines(CSV);
    List<String> header = cells(lines.getFirst());
    for (String line : lines.subList(1, lines.size())) {
      List<String> cells = cells(line);
      String benchmark = cells.getFirst();
      StringBuilder name = new StringBuilder(benchmark.substring("io.recur.jmh.".length()));
      for (int i = 0; i < cells.size(); i++) {
        if (header.get(i).startsWith("Param: ") && !cells.get(i).isEmpty()) {
          name.append(' ').append(header.get(i).substring(7)).append('=').append(cells.get(i));
        }
      }
      scores.put(name.toString(), Double.valueOf(cells.get(header.indexOf("Score"))));
    }
  }

  private static List<String> cells(String line) {
    List<String> cells = new ArrayList<>();
    for (String cell : line.split(",", -1)) {
      cells.add(cell.replace("\"", ""));
    }
    return cells;
  }

  /**
   * Prints the ratios, each with its target.
   *
   * @param arguments none
   * @throws IOException if jmh/bench.csv cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    Targets targets = new Targets();
    for (String shape : List.of("1x1", "32x64")) {
      String one = "ForksBenchmark.one shape=" + shape + " threads=1";
      String two = "ForksBenchmark.two shape=" + shape + " threads=1";
      targets.ratio(two, one, "at least 1.8 on two cores");
      targets.ratio(two.replace("threads=1", "threads=2"), two, "at least 1: no oversubscription");
    }
    for (String pass : List.of("forward", "train")) {
      for (String shape : List.of("1x64x64", "32x128x256")) {
        String step = "FlatnessBenchmark.step pass=" + pass + " shape=" + shape + " steps=";
        targets.ratio(step + "8192", step + "64", "about 1: flat");
      }
    }
  }

  private void ratio(String of, String to, String target) {
    Double upper = scores.get(of);
    Double lower = scores.get(to);
    if (upper == null || lower == null) {
      throw new IllegalStateException(
          "%s has no '%s' or no '%s'; make bench writes it".formatted(CSV, of, to));
    }
    System.out.printf(Locale.ROOT, "%.2f  %s / %s; %s%n", upper / lower, of, to, target);
  }
}

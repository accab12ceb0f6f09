package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/** What contenders answered, compared before anybody is timed. */
final class Answers {
  /**
   * How far answers may be apart, of the largest magnitude, or of 1 where that is smaller.
   *
   * @param outputs y
   * @param gradients of weights
   */
  record Tolerance(double outputs, double gradients) {}

  /** Of products in float32. */
  static final Tolerance FLOAT32 = new Tolerance(1e-4, 1e-3);

  private Answers() {}

  /** Asks for an answer and gives the folder that holds it. */
  static Path of(Peer peer, Work work, String pass) throws CannotRun, IOException {
    String name = peer.name().replace(" ", "") + "-" + pass + "-" + work.precision();
    Path folder = work.folder().resolve(name);
    for (String old : Files.isDirectory(folder) ? names(folder) : List.<String>of()) {
      Files.delete(folder.resolve(old + ".f32"));
    }
    peer.ask("check " + pass + " " + folder);
    return folder;
  }

  /**
   * The largest difference between a rival's answer and ours.
   *
   * @throws CannotRun if it is not the same answer
   */
  static double difference(Path ours, Path theirs, Tolerance tolerance)
      throws CannotRun, IOException {
    double worst = 0;
    for (String name : names(ours)) {
      if (!names(theirs).contains(name)) {
        throw new CannotRun("its answer lacks " + name);
      }
      float[] expected = Work.array(ours, name);
      float[] actual = Work.array(theirs, name);
      if (expected.length != actual.length) {
        throw new CannotRun(
            "another answer: %s has %d values, ours %d"
                .formatted(name, actual.length, expected.length));
      }
      double largest = 1;
      double apart = 0;
      for (int i = 0; i < expected.length; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
        double d = Math.abs((double) actual[i] - expected[i]);
        apart = d <= apart ? apart : d; // a NaN stays
      }
      double allowed = (name.startsWith("d") ? tolerance.gradients : tolerance.outputs) * largest;
      if (!(apart <= allowed)) {
        throw new CannotRun(
            String.format(
                Locale.ROOT, "another answer: %s differs by %.3g of %.3g", name, apart, largest));
      }
      worst = Math.max(worst, apart);
    }
    return worst;
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".f32"))
          .map(name -> name.replaceFirst("\\.f32$", ""))
          .sorted()
          .toList();
    }
  }

  /** Some elements of a product, against double precision. */
  static void checkProduct(Work work, Path answer) throws CannotRun {
    int n = work.in();
    float[] a = work.array("A");
    float[] b = work.array("B");
    float[] y = Work.array(answer, "y");
    Random random = new Random(1);
    for (int k = 0; k < 100; k++) {
      int row = random.nextInt(n);
      int column = random.nextInt(n);
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += (double) a[i * n + row] * b[column * n + i];
      }
      if (!(Math.abs(sum - y[column * n + row]) <= 1e-2)) {
        throw new CannotRun(
            "product: element %d, %d is %f; it should be %f"
                .formatted(row, column, y[column * n + row], sum));
      }
    }
  }
}

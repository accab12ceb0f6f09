package io.recur.cli;

import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where the answers of a model go: a line of text per step, the columns of the batch one after the
 * other, as they come; or an array of NumPy, at the end. A file is opened with the first answer, so
 * that an input which the model refuses leaves an old one as it was.
 */
final class Answers implements AutoCloseable {
  private final Series.Layout layout;
  private final @Nullable Path target;
  private final boolean isArray;

  /** Of a text; of a file none before its first answer. */
  private @Nullable PrintWriter lines;

  private final List<float[]> kept = new ArrayList<>();
  private @Nullable Shape first;
  private int time;

  /**
   * No answers yet.
   *
   * @param layout of the input
   * @param target a file, of an array where its name ends in .npy; null for {@code out}
   */
  Answers(Series.Layout layout, @Nullable Path target, PrintWriter out) {
    this.layout = layout;
    this.target = target;
    this.isArray = target != null && target.toString().endsWith(".npy");
    this.lines = target == null ? out : null;
  }

  private PrintWriter lines() throws IOException {
    PrintWriter its = lines;
    if (its == null) {
      its = new PrintWriter(Files.newBufferedWriter(Objects.requireNonNull(target)));
      lines = its;
    }
    return its;
  }

  /** {@return whether somebody still reads} Takes the answer to one or more steps. */
  boolean add(Tensor y) throws IOException {
    float[] values = y.toArray();
    if (isArray) {
      first = y.shape();
      time += y.shape().time();
      kept.add(values);
      return true;
    }
    PrintWriter its = lines();
    int step = values.length / y.shape().time();
    for (int t = 0; t < y.shape().time(); t++) {
      its.println(line(Arrays.copyOfRange(values, t * step, (t + 1) * step)));
    }
    return !its.checkError(); // flushes
  }

  private static String line(float[] values) {
    StringBuilder line = new StringBuilder();
    for (float value : values) {
      line.append(line.isEmpty() ? "" : ",").append(value);
    }
    return line.toString();
  }

  /** Writes the array; throws where a file did not take all lines. */
  void finish() throws IOException {
    if (isArray && first != null) {
      int step = first.rows() * first.batch();
      float[] values = new float[Math.multiplyExact(step, time)];
      int at = 0;
      for (float[] part : kept) {
        System.arraycopy(part, 0, values, at, part.length);
        at += part.length;
      }
      Series.array(layout, Shape.of(first.rows(), first.batch(), time), values)
          .write(Objects.requireNonNull(target));
    } else if (!isArray && target != null && lines().checkError()) {
      throw new IOException(target + ": the answers could not be written");
    }
  }

  @Override
  public void close() {
    if (target != null && lines != null) {
      lines.close();
    }
  }
}

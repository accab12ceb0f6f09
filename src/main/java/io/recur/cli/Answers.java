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
import org.jspecify.annotations.Nullable;

/**
 * Where the answers of a model go: a line of text per step, the columns of the batch one after the
 * other, as they come; or an array of NumPy, at the end.
 */
final class Answers implements AutoCloseable {
  private final Series.Layout layout;
  private final @Nullable Path array;
  private final PrintWriter lines;
  private final boolean isOwn;
  private final List<float[]> kept = new ArrayList<>();
  private @Nullable Shape first;
  private int time;

  /**
   * Opens a file.
   *
   * @param layout of the input
   * @param target a file, of an array where its name ends in .npy; null for {@code out}
   */
  Answers(Series.Layout layout, @Nullable Path target, PrintWriter out) throws IOException {
    boolean isArray = target != null && target.toString().endsWith(".npy");
    this.layout = layout;
    this.array = isArray ? target : null;
    this.isOwn = target != null && !isArray;
    this.lines = isOwn ? new PrintWriter(Files.newBufferedWriter(target)) : out;
  }

  /** {@return whether somebody still reads} Takes the answer to one or more steps. */
  boolean add(Tensor y) {
    float[] values = y.toArray();
    if (array != null) {
      first = y.shape();
      time += y.shape().time();
      kept.add(values);
      return true;
    }
    int step = values.length / y.shape().time();
    for (int t = 0; t < y.shape().time(); t++) {
      lines.println(line(Arrays.copyOfRange(values, t * step, (t + 1) * step)));
    }
    return !lines.checkError(); // flushes
  }

  private static String line(float[] values) {
    StringBuilder line = new StringBuilder();
    for (float value : values) {
      line.append(line.isEmpty() ? "" : ",").append(value);
    }
    return line.toString();
  }

  /** Writes the array. */
  void finish() throws IOException {
    if (array != null && first != null) {
      int step = first.rows() * first.batch();
      float[] values = new float[Math.multiplyExact(step, time)];
      int at = 0;
      for (float[] part : kept) {
        System.arraycopy(part, 0, values, at, part.length);
        at += part.length;
      }
      Series.array(layout, Shape.of(first.rows(), first.batch(), time), values).write(array);
    } else if (isOwn && lines.checkError()) {
      throw new IOException("the answers could not be written");
    }
  }

  @Override
  public void close() {
    if (isOwn) {
      lines.close();
    }
  }
}

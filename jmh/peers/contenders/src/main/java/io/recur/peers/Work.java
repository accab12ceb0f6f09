package io.recur.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * What all contenders compute: a model, its sizes, and a folder that holds its weights and inputs
 * and takes the answers.
 *
 * <p>An array is a file {@code NAME.f32} of little-endian floats, laid out as Recur lays it out:
 * first dimension contiguous, sequences features × batch × time, weights out × in, gates in the
 * order input, forget, cell, output or reset, update, candidate. Layer l has the arrays of its
 * {@link Recurrence}: Wi{l}, Wh{l}, b{l}, and for a GRU bh{l}.
 *
 * @param kind one of the constants
 * @param cell LSTM, GRU, RNN or another name of {@link Recurrence}; empty for a product
 * @param layers one above the other
 * @param batch columns
 * @param time steps; of a character model's chunk too
 * @param in length of x; the classes of a character model; the rows of a product
 * @param hidden length of h and y
 * @param repeats of x, one after the other in time, where a pass is timed: a long sequence in small
 *     files, whose answers are compared over the first {@code time} steps and the last one
 * @param precision of a GPU's products: float32, tf32, bf16 or fp16
 * @param folder where its files are
 */
record Work(
    String kind,
    String cell,
    int layers,
    int batch,
    int time,
    int in,
    int hidden,
    int repeats,
    String precision,
    Path folder) {
  /** A whole sequence at once. */
  static final String SEQUENCE = "sequence";

  /** The same, of which each column has a length: {@link #lengths}. */
  static final String LENGTHS = "lengths";

  /**
   * A whole sequence in both directions, concatenated; the arrays of the second one end in r, such
   * as Wi0r.
   */
  static final String DIRECTIONS = "directions";

  /** A step at a time, the state carried. */
  static final String STEP = "step";

  /** Training steps on a text, one-hot, with a head, clipping and Adam. */
  static final String CHARACTERS = "characters";

  /** The product of two square matrices. */
  static final String PRODUCT = "product";

  /** Chunks of text that a character model goes through. */
  static final int CHUNKS = 4;

  static final String FLOAT32 = "float32";

  /** Values of an array that are compared where x is repeated: an array of more is thinned out. */
  private static final int COMPARED = 1 << 20;

  /** And where x is not repeated. */
  private static final int COMPARED_WHOLE = 1 << 23;

  private static final String FILE = "work.properties";

  /** One whose x is timed as it is, in float32. */
  Work(String kind, String cell, int layers, int batch, int time, int in, int hidden, Path folder) {
    this(kind, cell, layers, batch, time, in, hidden, 1, FLOAT32, folder);
  }

  /** The same in another precision. */
  Work in(String precision) {
    return new Work(kind, cell, layers, batch, time, in, hidden, repeats, precision, folder);
  }

  /** The lengths of the columns, uniform in 1 … time and in no order. */
  int[] lengths() {
    int[] lengths = new int[batch];
    for (int column = 0; column < batch; column++) {
      lengths[column] = Math.ceilDiv((column * 37 % batch + 1) * time, batch); // 37: a prime
    }
    return lengths;
  }

  /** What the names of the arrays of each direction end in. */
  List<String> directions() {
    return kind.equals(DIRECTIONS) ? List.of("", "r") : List.of("");
  }

  /** Of a built-in cell: the blocks of units in the rows of Wi and Wh. */
  int gates() {
    return switch (cell) {
      case "LSTM" -> 4;
      case "GRU" -> 3;
      case "RNN" -> 1;
      default -> throw new IllegalStateException(cell + " has no gates like those of the LSTM");
    };
  }

  /** Length of the x of a layer. */
  int in(int layer) {
    return layer == 0 ? in : hidden;
  }

  static Work read(Path folder) {
    Properties facts = new Properties();
    try (var reader = Files.newBufferedReader(folder.resolve(FILE))) {
      facts.load(reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Work(
        facts.getProperty("kind"),
        facts.getProperty("cell"),
        Integer.parseInt(facts.getProperty("layers")),
        Integer.parseInt(facts.getProperty("batch")),
        Integer.parseInt(facts.getProperty("time")),
        Integer.parseInt(facts.getProperty("in")),
        Integer.parseInt(facts.getProperty("hidden")),
        Integer.parseInt(facts.getProperty("repeats")),
        facts.getProperty("precision"),
        folder);
  }

  /** Makes the folder and writes these facts to it. */
  void write() throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve(FILE),
        "kind=%s%ncell=%s%nlayers=%d%nbatch=%d%ntime=%d%nin=%d%nhidden=%d%nrepeats=%d%nprecision=%s%n"
            .formatted(kind, cell, layers, batch, time, in, hidden, repeats, precision));
  }

  /** An array of this work. */
  float[] array(String name) {
    return array(folder, name);
  }

  /** The first step of x. */
  float[] first() {
    return Arrays.copyOf(array("x"), in * batch);
  }

  static float[] array(Path folder, String name) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file(folder, name)));
      float[] values = new float[bytes.remaining() / Float.BYTES];
      bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void write(Path folder, String name, float[] values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    Files.write(file(folder, name), bytes.array());
  }

  /** What is compared of an answer: values at equal distances where it is a large one. */
  float[] thinned(float[] values) {
    int stride = Math.ceilDiv(values.length, repeats == 1 ? COMPARED_WHOLE : COMPARED);
    float[] some = new float[Math.ceilDiv(values.length, stride)];
    for (int i = 0; i < some.length; i++) {
      some[i] = values[i * stride];
    }
    return some;
  }

  private static Path file(Path folder, String name) {
    return folder.resolve(name + ".f32");
  }

  /** The values of a matrix of so many rows with its rows one after the other. */
  static float[] transposed(float[] values, int rows) {
    int columns = values.length / rows;
    float[] other = new float[values.length];
    for (int c = 0; c < columns; c++) {
      for (int r = 0; r < rows; r++) {
        other[r * columns + c] = values[c * rows + r];
      }
    }
    return other;
  }

  /**
   * Equal blocks in another order: block k of the answer is block {@code order[k]} of the values.
   */
  static float[] blocks(float[] values, int... order) {
    int length = values.length / order.length;
    float[] other = new float[values.length];
    for (int k = 0; k < order.length; k++) {
      System.arraycopy(values, order[k] * length, other, k * length, length);
    }
    return other;
  }

  /** Columns of so many rows, each with its blocks in another order, as {@link #blocks} says. */
  static float[] columns(float[] values, int rows, int... order) {
    float[] other = new float[values.length];
    for (int at = 0; at < values.length; at += rows) {
      float[] column = blocks(Arrays.copyOfRange(values, at, at + rows), order);
      System.arraycopy(column, 0, other, at, rows);
    }
    return other;
  }
}

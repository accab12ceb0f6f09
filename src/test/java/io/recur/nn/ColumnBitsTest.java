package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bits of a column depend neither on the batch nor on its place in it, on every kernel set:
 * random batches, their columns permuted, against each column alone. A further layer is one line of
 * {@link #layers}, a further cell one entry of {@link Cells}.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
@Tag(Devices.CPU) // on a GPU cuBLAS chooses the order of a sum by the batch
class ColumnBitsTest {
  private static final int ROUNDS = 12;
  private static final int MOST_BATCH = 65;

  private final Device device;

  ColumnBitsTest(Device device) {
    this.device = device;
  }

  /** A layer of any size. */
  private interface Maker {
    Layer make(int in, int out);
  }

  private record Named(String name, Maker maker) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Named> layers() {
    return Stream.concat(
        cells(),
        Stream.of(
            new Named("Dense", Layers::dense),
            new Named("Dense with tanh", (in, out) -> new Dense(in, out, Elementwise.TANH)),
            new Named("tridiagonal Wh", ColumnBitsTest::tridiagonal),
            new Named("chain", (in, out) -> chain(lstm(in, out), dense(out, out), lstm(out, in)))));
  }

  static Stream<Named> cells() {
    return Stream.of(Cells.values()).map(cell -> new Named(cell.name(), cell::make));
  }

  /** The built-in cells, also where a backward follows. */
  static Stream<Named> wholeCells() {
    return cells()
        .filter(named -> ((Recur) named.maker().make(1, 1)).cell() instanceof StackedCell);
  }

  private static Recur tridiagonal(int in, int out) {
    return new Recur(
        new RNNCell(
            Elementwise.TANH,
            Cells.matrix(out, in),
            Matrix.tridiagonal(out, out),
            Cells.random(out),
            Cells.random(out, 1)));
  }

  /** What a batch gives: arrays of features × batch × time, and states of features × batch. */
  private record Result(int batch, int time, List<float[]> sequences, List<float[]> states) {
    /** The bits of column j in all arrays. */
    List<Integer> column(int j) {
      List<Integer> bits = new ArrayList<>();
      sequences.forEach(array -> add(bits, array, j, time));
      states.forEach(array -> add(bits, array, j, 1));
      return bits;
    }

    private void add(List<Integer> bits, float[] array, int j, int steps) {
      int rows = array.length / batch / steps;
      for (int t = 0; t < steps; t++) {
        for (int i = 0; i < rows; i++) {
          bits.add(Float.floatToRawIntBits(array[(t * batch + j) * rows + i]));
        }
      }
    }
  }

  /** One random case: sizes, an input, and weights of the outputs in the loss. */
  private final class Round {
    private final Layer layer;
    private final Random random;
    private final int in;
    private final int out;
    private final int batch;
    private final int time;
    private final float[] x;

    Round(Named named, long seed) {
      random = new Random(seed);
      in = size();
      out = size();
      batch = 1 + random.nextInt(MOST_BATCH);
      time = 1 + random.nextInt(3);
      layer = named.maker().make(in, out);
      layer.parameters().place(device, seed);
      x = Cells.values(random, in * batch * time);
    }

    /** Around the widths of panels; now and then terms of several pieces. */
    private int size() {
      return random.nextInt(4) == 0 ? 120 + random.nextInt(200) : 1 + random.nextInt(70);
    }

    private float[] columns(float[] values, List<Integer> columns) {
      int rows = values.length / batch / time;
      float[] taken = new float[rows * columns.size() * time];
      for (int t = 0; t < time; t++) {
        for (int j = 0; j < columns.size(); j++) {
          System.arraycopy(
              values,
              (t * batch + columns.get(j)) * rows,
              taken,
              (t * columns.size() + j) * rows,
              rows);
        }
      }
      return taken;
    }

    /** Outputs and states of these columns, as a batch. */
    private Result infer(List<Integer> columns) {
      layer.reset();
      try (Tape tape = Tape.inference(device)) {
        Shape shape = Shape.of(in, columns.size(), time);
        float[] y = layer.apply(tape.input(shape, columns(x, columns))).toArray();
        Result result = new Result(columns.size(), time, List.of(y), states());
        layer.reset();
        return result;
      }
    }

    /** Outputs, states and the gradient of x. */
    private Result train(List<Integer> columns) {
      layer.reset();
      try (Tape tape = Tape.on(device)) {
        Tensor input = tape.variable(Shape.of(in, columns.size(), time), columns(x, columns));
        Tensor y = layer.apply(input);
        float[] weights = Cells.values(new Random(1), out * batch * time);
        tape.backward(y.mul(tape.input(y.shape(), columns(weights, columns))).sum());
        List<float[]> sequences = List.of(y.toArray(), input.gradientArray());
        Result result = new Result(columns.size(), time, sequences, states());
        layer.reset();
        return result;
      }
    }

    private List<float[]> states() {
      return layer instanceof Recur recur ? Cells.values(recur.state()) : List.of();
    }

    private void check(Function<List<Integer>, Result> run) {
      List<Integer> order = new ArrayList<>(IntStream.range(0, batch).boxed().toList());
      Result whole = run.apply(order);
      Collections.shuffle(order, random);
      Result permuted = run.apply(order);
      for (int j = 0; j < batch; j++) {
        String where = this + ": column " + order.get(j);
        List<Integer> alone = run.apply(List.of(order.get(j))).column(0);
        assertEquals(alone, permuted.column(j), where + ", permuted to " + j);
        assertEquals(alone, whole.column(order.get(j)), where);
      }
    }

    @Override
    public String toString() {
      return "%s, %d → %d, B%d T%d, %s".formatted(layer, in, out, batch, time, device.name());
    }
  }

  @ParameterizedTest
  @MethodSource("layers")
  void aColumnOfAnInferenceHasItsOwnBits(Named layer) {
    for (long seed = 0; seed < ROUNDS; seed++) {
      Round round = new Round(layer, seed);
      round.check(round::infer);
    }
  }

  @ParameterizedTest
  @MethodSource("wholeCells")
  void aColumnOfATrainingHasItsOwnBits(Named cell) {
    assumeTrue(Devices.isNative(device), "in training the kernels in Java multiply by OpenBLAS");
    for (long seed = 100; seed < 100 + ROUNDS; seed++) {
      Round round = new Round(cell, seed);
      round.check(round::train);
    }
  }
}

package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Inputs from arrays of their own are those of one array. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ColumnInputTest {
  private final Device device;

  ColumnInputTest(Device device) {
    this.device = device;
  }

  private static Shape shape(int rows, int batch, int time) {
    return time == 0 ? Shape.of(rows, batch) : Shape.of(rows, batch, time);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 0", "3, 2, 0", "17, 5, 1", "3, 4, 7", "65, 33, 3"})
  void columnsAreThoseOfOneArray(int rows, int batch, int time) {
    Shape shape = shape(rows, batch, time);
    Random random = new Random(1);
    float[][] columns = new float[batch + 2][rows * shape.time()]; // two more than are used
    int[][] indexes = new int[batch][shape.time()];
    float[] all = new float[shape.count()];
    int[] allIndexes = new int[shape.columns()];
    for (int j = 0; j < batch; j++) {
      for (int t = 0; t < shape.time(); t++) {
        for (int i = 0; i < rows; i++) {
          columns[j][rows * t + i] = random.nextFloat();
          all[rows * (batch * t + j) + i] = columns[j][rows * t + i];
        }
        indexes[j][t] = random.nextInt(rows);
        allIndexes[batch * t + j] = indexes[j][t];
      }
    }
    try (Tape tape = Tape.inference(device)) {
      ColumnInput input = new ColumnInput(tape);
      for (int round = 0; round < 2; round++) {
        Tensor dense = input.dense(shape, columns);
        OneHot oneHot = input.oneHot(shape, indexes);
        assertEquals(shape, dense.shape());
        assertEquals(shape, oneHot.shape());
        assertArrayEquals(all, dense.toArray());
        assertArrayEquals(allIndexes, oneHot.indexes());
        assertArrayEquals(tape.oneHot(shape, allIndexes).toArray(), oneHot.toArray());
        tape.clear();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 2, 0", "2, 2, 3"})
  void arraysThatDoNotFitAreRefused(int rows, int batch, int time) {
    Shape shape = shape(rows, batch, time);
    float[] good = new float[rows * shape.time()];
    int[] goodIndexes = new int[shape.time()];
    int[] bad = new int[shape.time()];
    bad[shape.time() - 1] = rows;
    try (Tape tape = Tape.inference(device)) {
      ColumnInput input = new ColumnInput(tape);
      Thrown.says(ShapeException.class, () -> input.dense(shape, good), "1 arrays", "2");
      Thrown.says(
          ShapeException.class, () -> input.dense(shape, good, new float[1]), "array 1 has 1");
      Thrown.says(ShapeException.class, () -> input.oneHot(shape, goodIndexes), "1 arrays");
      Thrown.says(
          ShapeException.class,
          () -> input.oneHot(shape, goodIndexes, new int[0]),
          "array 1 has 0");
      Thrown.says(
          ShapeException.class,
          () -> input.oneHot(shape, goodIndexes, bad),
          "index[%d]=2".formatted(shape.columns() - 1),
          "classes=2");
    }
    Tape closed = Tape.inference(device);
    closed.close();
    ColumnInput input = new ColumnInput(closed);
    Thrown.says(IllegalStateException.class, () -> input.dense(shape, good, good), "closed");
  }
}

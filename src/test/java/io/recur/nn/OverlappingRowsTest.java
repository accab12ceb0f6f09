package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.tanh;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two parts of a compiled cell that read the same rows or columns of a parameter both add to its
 * gradient.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class OverlappingRowsTest {
  private static final int IN = 3;
  private static final int ROWS = 100;
  private static final int UNITS = 65;
  private static final int BATCH = 40;
  private static final int TIME = 8;

  private final Device device;

  OverlappingRowsTest(Device device) {
    this.device = device;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rowsThatOverlapTakeTheirGradientsTogether(boolean isOneHot) {
    Parameter w = Cells.random(ROWS, IN).named("W");
    Parameter b = Cells.random(ROWS).named("b");
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor all = w.matmul(x).add(b);
                  Tensor low = all.rows(0, UNITS);
                  Tensor y = tanh(low.add(all.rows(ROWS - UNITS, ROWS).mul(h)));
                  return Step.step(y, y);
                },
                Cells.random(UNITS, 1),
                w,
                b)
            .on(device, 1)
            .requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), isOneHot);
    int rounds = Devices.rounds(100); // threads that add to the same value meet by chance
    for (int i = 0; i < rounds; i++) {
      near("round " + i, expected, gradients(recur, isOneHot), FLOAT);
    }
  }

  /** Two columns of a class add to the same column of W: no block is then cut between threads. */
  @Test
  void columnsOfTheSameClassTakeTheirGradientsTogether() {
    Recur recur = new Recur(new LSTMCell(IN, UNITS)).on(device, 1).requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), true);
    int rounds = Devices.rounds(100);
    for (int i = 0; i < rounds; i++) {
      near("round " + i, expected, gradients(recur, true), FLOAT);
    }
  }

  /** Of few columns the gradients are dealt to threads in another way: by columns of W. */
  @ParameterizedTest
  @ValueSource(ints = {1, 12})
  void columnsThatOverlapTakeTheirGradientsTogether(int batch) {
    int in = 100;
    int units = 200;
    Parameter w = Parameter.glorot(units, in + units).named("W");
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor one = w.matmul(Concat.rows(x, h));
                  Tensor y = tanh(one.add(w.matmul(Concat.rows(h, x))));
                  return Step.step(y, y);
                },
                Cells.random(units, 1),
                w)
            .on(device, 1)
            .requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), in, batch, 4);
    int rounds = Devices.rounds(200);
    for (int i = 0; i < rounds; i++) {
      near("round " + i, expected, gradients(recur, in, batch, 4), FLOAT);
    }
  }

  private Map<String, float[]> gradients(Recur recur, int in, int batch, int time) {
    recur.parameters().zeroGradients();
    recur.reset();
    try (Tape tape = Tape.on(device)) {
      Tensor x = Cells.input(tape, 1, in, batch, time);
      tape.backward(Cells.weighed(tape, recur.apply(x), 2));
      recur.reset();
      return Cells.gradients(recur);
    }
  }

  private Map<String, float[]> gradients(Recur recur, boolean isOneHot) {
    recur.parameters().zeroGradients();
    recur.reset();
    try (Tape tape = Tape.on(device)) {
      int[] classes = new Random(1).ints(BATCH * TIME, 0, IN).toArray();
      Tensor x =
          isOneHot
              ? tape.oneHot(Shape.of(IN, BATCH, TIME), classes)
              : Cells.input(tape, 1, IN, BATCH, TIME);
      tape.backward(Cells.weighed(tape, recur.apply(x), 2));
      recur.reset();
      return Cells.gradients(recur);
    }
  }
}

package io.recur.nn.cells;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Cells that reduce the rows of a column, over whole sequences and more columns than a tile. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ReducedRowsTest {
  private static final int IN = 5;
  private static final int OUT = 35;
  private static final int BATCH = 53;

  private final Device device;

  ReducedRowsTest(Device device) {
    this.device = device;
  }

  private static float[] values(int time, long seed) {
    Random random = new Random(seed);
    float[] values = new float[IN * BATCH * time];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private float[] run(Recur recur, Tape tape, int time, long seed) {
    float[] y = recur.apply(tape.input(Shape.of(IN, BATCH, time), values(time, seed))).toArray();
    recur.reset();
    tape.clear();
    return y;
  }

  /** What a run leaves in scratch is of no other one, though its steps have the same numbers. */
  @Test
  void aRunDoesNotSeeTheReductionsOfTheOneBefore() {
    try (Tape tape = Tape.on(device)) {
      Recur recur = new Recur(new LayerNormLSTMCell(IN, OUT)).on(device, 3);
      run(recur, tape, 1, 1); // the first one is compared with the steps, in memory of its own
      run(recur, tape, 1, 2);
      float[] third = run(recur, tape, 1, 3);
      try (Tape fresh = Tape.on(device)) {
        Recur other = new Recur(new LayerNormLSTMCell(IN, OUT)).on(device, 3);
        assertArrayEquals(run(other, fresh, 1, 3), third);
      }
    }
  }

  /** A row that a product's sum begins with, and that is read again after the product. */
  private record Rescaled(Matrix w, Parameter gain, Parameter h0) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor mean = state.h().mean(Dimension.ROWS);
      Tensor row = mean.mul(mean).add(1);
      Tensor scale = tanh(row).add(0.5f);
      Tensor h = tanh(w.times(x).add(row)).mul(scale).mul(gain);
      return Step.step(h, h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(w.values(), gain, h0);
    }
  }

  private static Parameter filled(Shape shape, float value) {
    return Parameter.of(shape, (values, random) -> Arrays.fill(values, value));
  }

  @Test
  void aRowThatLivesAcrossAProductStaysAsItIs() {
    Parameter gain = filled(Shape.of(OUT), 0.7f).named("gain");
    Parameter h0 = filled(Shape.of(OUT, 1), 0.3f).named("h0");
    Recur recur = new Recur(new Rescaled(Matrix.dense(OUT, IN), gain, h0)).on(device, 3);
    recur.requireCompiled();
    Recur steps = recur.fork().stepwise();
    try (Tape tape = Tape.on(device)) {
      near("y", run(steps, tape, 4, 1), run(recur, tape, 4, 1), FLOAT);
    }
  }
}

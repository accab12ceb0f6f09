package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Reference;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sequences of different lengths in one batch have the outputs, the last states and the gradients
 * that each has alone. What stands behind their ends is NaN throughout, so that nothing that reads
 * it could pass.
 */
class LengthLawsTest {
  private static final int IN = 3;
  private static final int OUT = 5;
  private static final int TIME = 6;

  /** Empty, equal, longest first and last; one column at the end. */
  private static final int[] LENGTHS = {2, 6, 0, 4, 2, 1, 0, 5};

  /** Sums of a batch and of single sequences are in other orders. */
  private static final double TOLERANCE = 2e-5;

  @AutoClose private final Device device = Devices.here();

  /** Where the steps of a cell run. */
  enum Way {
    COMPILED,
    STEPWISE
  }

  /**
   * What a batch, or its sequences one by one, computed: columns by sequence, gradients by name.
   */
  private record Result(
      List<float[]> outputs,
      List<List<float[]>> states,
      List<float[]> inputs,
      Map<String, float[]> gradients) {
    void checkLike(Result other, String what) {
      for (int b = 0; b < outputs.size(); b++) {
        near(what + " y " + b, outputs.get(b), other.outputs.get(b));
        near(what + " dx " + b, inputs.get(b), other.inputs.get(b));
        for (int i = 0; i < states.get(b).size(); i++) {
          near(what + " state " + b, states.get(b).get(i), other.states.get(b).get(i));
        }
      }
      gradients.forEach(
          (name, values) -> near(what + " " + name, values, other.gradients.get(name)));
    }

    private static void near(String what, float[] expected, float[] actual) {
      Near.check(what, Reference.doubles(expected), actual, TOLERANCE);
    }
  }

  private static float[] sequence(int b, int length) {
    return Cells.values(new Random(100 + b), IN * length);
  }

  /** The sequences side by side in an order, with NaN behind the ends. */
  private static float[] padded(int[] order) {
    float[] values = new float[IN * order.length * TIME];
    Arrays.fill(values, Float.NaN);
    for (int j = 0; j < order.length; j++) {
      float[] sequence = sequence(order[j], LENGTHS[order[j]]);
      for (int t = 0; t < LENGTHS[order[j]]; t++) {
        System.arraycopy(sequence, t * IN, values, (t * order.length + j) * IN, IN);
      }
    }
    return values;
  }

  /** The steps of a sequence in values of a batch. */
  private static float[] steps(float[] values, int rows, int batch, int j, int length) {
    float[] steps = new float[rows * length];
    for (int t = 0; t < length; t++) {
      System.arraycopy(values, (t * batch + j) * rows, steps, t * rows, rows);
    }
    return steps;
  }

  private static float[] column(float[] values, int batch, int j) {
    int rows = values.length / batch;
    return Arrays.copyOfRange(values, j * rows, (j + 1) * rows);
  }

  /** Weights of the outputs and the states of a sequence in the loss. */
  private static float[] weights(int b, int part, int count) {
    return Cells.values(new Random(1000 + 10L * b + part), count);
  }

  /**
   * Runs the sequences as one padded batch in an order, after a first call if it is a second one.
   */
  private Result together(Recur recur, boolean isSecond, int... order) {
    int batch = order.length;
    int[] lengths = Arrays.stream(order).map(b -> LENGTHS[b]).toArray();
    try (Tape tape = Tape.on(device)) {
      recur.parameters().zeroGradients();
      recur.reset();
      if (isSecond) {
        recur.apply(tape.input(Shape.of(IN, batch), first(order)));
      }
      Tensor data = tape.variable(Shape.of(IN, batch, TIME), padded(order));
      Padded y = recur.apply(Padded.of(data, lengths));
      assertArrayEquals(lengths, y.lengths());
      State state = recur.state();
      int rows = y.shape().rows();
      float[] factors = new float[rows * batch * TIME];
      Arrays.fill(factors, Float.NaN); // behind the ends: no gradient comes from there
      for (int j = 0; j < batch; j++) {
        float[] its = weights(order[j], 0, rows * lengths[j]);
        for (int t = 0; t < lengths[j]; t++) {
          System.arraycopy(its, t * rows, factors, (t * batch + j) * rows, rows);
        }
      }
      Tensor weighed = Padded.of(tape.input(y.shape(), factors), lengths).valid();
      Tensor loss = y.valid().mul(weighed).sum();
      for (int i = 0; i < state.parts().size(); i++) {
        Tensor part = state.parts().get(i);
        float[] all = new float[part.shape().count()];
        for (int j = 0; j < batch; j++) {
          float[] its = weights(order[j], i + 1, part.shape().rows());
          System.arraycopy(its, 0, all, j * its.length, its.length);
        }
        loss = loss.add(part.mul(tape.input(part.shape(), all)).sum());
      }
      tape.backward(loss);
      float[] outputs = y.data().toArray();
      float[] inputs = data.gradientArray();
      checkZeroBehindTheEnds(outputs, rows, lengths);
      checkZeroBehindTheEnds(inputs, IN, lengths);
      List<float[]> its = new ArrayList<>();
      List<List<float[]>> states = new ArrayList<>();
      List<float[]> gradients = new ArrayList<>();
      for (int b = 0; b < batch; b++) {
        int j = place(order, b);
        its.add(steps(outputs, rows, batch, j, lengths[j]));
        gradients.add(steps(inputs, IN, batch, j, lengths[j]));
        states.add(state.parts().stream().map(part -> column(part.toArray(), batch, j)).toList());
      }
      Result result = new Result(its, states, gradients, Cells.gradients(recur));
      recur.reset();
      return result;
    }
  }

  private static int place(int[] order, int b) {
    return Arrays.stream(order).boxed().toList().indexOf(b);
  }

  private static void checkZeroBehindTheEnds(float[] values, int rows, int[] lengths) {
    int batch = lengths.length;
    for (int i = 0; i < values.length; i++) {
      if (i / rows / batch >= lengths[i / rows % batch]) {
        assertEquals(0, values[i], "value " + i);
      }
    }
  }

  private static float[] first(int... order) {
    float[] first = new float[IN * order.length];
    for (int j = 0; j < order.length; j++) {
      System.arraycopy(Cells.values(new Random(50 + order[j]), IN), 0, first, j * IN, IN);
    }
    return first;
  }

  /** Runs each sequence by itself. */
  private Result alone(Recur recur, boolean isSecond) {
    List<float[]> outputs = new ArrayList<>();
    List<List<float[]>> states = new ArrayList<>();
    List<float[]> inputs = new ArrayList<>();
    recur.parameters().zeroGradients();
    for (int b = 0; b < LENGTHS.length; b++) {
      try (Tape tape = Tape.on(device)) {
        recur.reset();
        if (isSecond) {
          recur.apply(tape.input(Shape.of(IN, 1), first(b)));
        }
        int length = LENGTHS[b];
        Tensor loss = tape.input(Shape.of(1), 0);
        Tensor x = null;
        float[] output = {};
        if (length > 0) {
          x = tape.variable(Shape.of(IN, 1, length), sequence(b, length));
          Tensor y = recur.apply(x);
          output = y.toArray();
          loss = loss.add(y.mul(tape.input(y.shape(), weights(b, 0, output.length))).sum());
        }
        State state = recur.state();
        boolean isFresh = recur.isFresh();
        for (int i = 0; i < state.parts().size(); i++) {
          Tensor part = isFresh ? tape.use(recur.cell().state0().get(i)) : state.parts().get(i);
          float[] its = weights(b, i + 1, part.shape().rows());
          loss = loss.add(part.mul(tape.input(part.shape(), its)).sum());
        }
        states.add(Cells.values(state));
        outputs.add(output);
        if (loss.isDifferentiable()) {
          tape.backward(loss);
        }
        inputs.add(x == null ? new float[0] : x.gradientArray());
        recur.reset();
      }
    }
    return new Result(outputs, states, inputs, new LinkedHashMap<>(Cells.gradients(recur)));
  }

  private static int[] order() {
    return new int[] {0, 1, 2, 3, 4, 5, 6, 7};
  }

  private static Stream<Arguments> ways() {
    return Stream.of(Cells.values())
        .flatMap(cell -> Stream.of(Way.values()).map(way -> Arguments.of(cell, way)));
  }

  private Recur made(Cells cell, Way way) {
    Recur recur = cell.make(IN, OUT).on(device, 7);
    return way == Way.STEPWISE ? recur.stepwise() : recur;
  }

  @ParameterizedTest
  @MethodSource("ways")
  void eachSequenceIsAsItIsAlone(Cells cell, Way way) {
    Recur recur = made(cell, way);
    for (boolean isSecond : new boolean[] {false, true}) {
      Result alone = alone(recur, isSecond);
      alone.checkLike(together(recur, isSecond, order()), cell + (isSecond ? " again" : ""));
    }
  }

  @ParameterizedTest
  @EnumSource(Cells.class)
  void theOrderOfTheSequencesDoesNotMatter(Cells cell) {
    Recur recur = made(cell, Way.COMPILED);
    Result here = together(recur, true, order());
    here.checkLike(together(recur, true, 7, 2, 5, 0, 6, 1, 4, 3), cell + " shuffled");
  }

  /** Without gradients each column has the bits that it has alone, as in other batches. */
  @ParameterizedTest
  @EnumSource(Cells.class)
  void inferenceHasTheBitsOfEachSequenceAlone(Cells cell) {
    Recur recur = made(cell, Way.COMPILED);
    try (Tape tape = Tape.inference(device)) {
      Padded x = Padded.of(tape.input(Shape.of(IN, 8, TIME), padded(order())), LENGTHS);
      float[] y = recur.apply(x).data().toArray();
      List<float[]> states = Cells.values(recur.state());
      int rows = y.length / 8 / TIME;
      boolean isExact = recur.columnsAreIndependent() && Devices.isCpu();
      for (int b = 0; b < LENGTHS.length; b++) {
        recur.reset();
        float[] its = {};
        if (LENGTHS[b] > 0) {
          Shape shape = Shape.of(IN, 1, LENGTHS[b]);
          its = recur.apply(tape.input(shape, sequence(b, LENGTHS[b]))).toArray();
        }
        check(isExact, cell + " y " + b, its, steps(y, rows, 8, b, LENGTHS[b]));
        List<float[]> alone = Cells.values(recur.state());
        for (int i = 0; i < alone.size(); i++) {
          check(isExact, cell + " state " + b, alone.get(i), column(states.get(i), 8, b));
        }
      }
    }
  }

  private static void check(boolean isExact, String what, float[] expected, float[] actual) {
    if (isExact) {
      assertArrayEquals(expected, actual, what);
    } else {
      Near.check(what, Reference.doubles(expected), actual, TOLERANCE);
    }
  }
}

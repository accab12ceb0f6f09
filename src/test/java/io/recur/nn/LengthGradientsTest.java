package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients of sequences of different lengths on one tape: those of all stretches as one operation
 * are those of the steps.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class LengthGradientsTest {
  private static final int UNITS = 4;

  /** Stretches of 1 and of 2 steps. */
  private static final int[] LENGTHS = {5, 3, 0, 7, 1};

  private static final int[] OTHERS = {2, 6, 4};

  /** Each row but the first and the last of its state is read twice. */
  private record Overlapping(Parameter initial) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.on(x.tape()).h();
      Tensor product = h.rows(0, UNITS - 1).mul(h.rows(1, UNITS));
      Tensor next = tanh(Concat.rows(product, h.rows(0, 1)).add(x));
      return Step.step(next, next.mul(x));
    }

    @Override
    public List<Parameter> state0() {
      return List.of(initial);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(initial);
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }
  }

  private final Device device;
  @AutoClose private final Tape tape;

  LengthGradientsTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  private static int longest(int... lengths) {
    int longest = 0;
    for (int length : lengths) {
      longest = Math.max(longest, length);
    }
    return longest;
  }

  /** The outputs from the initial state. */
  private Padded outputs(Recur recur, boolean ofOneHot, int... lengths) {
    recur.reset();
    Shape shape = Shape.of(UNITS, lengths.length, longest(lengths));
    int[] classes = new Random(3).ints(shape.columns(), 0, UNITS).toArray();
    Tensor x = ofOneHot ? tape.oneHot(shape, classes) : input(shape);
    return recur.apply(Padded.of(x, lengths));
  }

  private Tensor input(Shape shape) {
    return tape.input(shape, Cells.values(new Random(shape.count()), shape.count()));
  }

  private Tensor loss(Recur recur, Padded y) {
    Tensor loss = y.valid().mul(input(y.valid().shape())).sum();
    for (Tensor part : recur.state().parts()) {
      loss = loss.add(part.mul(input(part.shape())).sum());
    }
    return loss;
  }

  private Map<String, float[]> gradients(Recur recur, int... lengths) {
    return gradients(recur, 1, false, lengths);
  }

  private Map<String, float[]> gradients(
      Recur recur, int passes, boolean ofOneHot, int... lengths) {
    recur.parameters().zeroGradients();
    Tensor loss = loss(recur, outputs(recur, ofOneHot, lengths));
    for (int i = 0; i < passes; i++) {
      tape.backward(loss);
    }
    recur.reset();
    tape.clear();
    return Cells.gradients(recur);
  }

  /** Rows that two terms read have two carries, which all begin at nothing in each stretch. */
  @Test
  void overlappingRowsOfAStateTakeTheirGradientsTogether() {
    Recur recur =
        new Recur(new Overlapping(Cells.random(UNITS, 1).named("state0")))
            .on(device, 1)
            .requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), LENGTHS);
    near("compared", expected, gradients(recur, LENGTHS), FLOAT);
    near("as one operation", expected, gradients(recur, LENGTHS), FLOAT);
  }

  @Test
  void aSecondPassAddsTheSameGradients() {
    Recur recur = new Recur(new LSTMCell(UNITS, UNITS)).on(device, 1).requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), 2, false, LENGTHS);
    near("two passes", expected, gradients(recur, 2, false, LENGTHS), FLOAT);
  }

  @Test
  void oneHotStepsGiveTheirClassesTheirGradients() {
    Recur recur = new Recur(new LSTMCell(UNITS, UNITS)).on(device, 1).requireCompiled();
    Map<String, float[]> expected = gradients(recur.fork().stepwise(), 1, true, LENGTHS);
    near("one-hot", expected, gradients(recur, 1, true, LENGTHS), FLOAT);
  }

  @Test
  void batchesOfOtherSizesFollowEachOther() {
    Recur recur = new Recur(new LSTMCell(UNITS, UNITS)).on(device, 1).requireCompiled();
    Recur steps = recur.fork().stepwise();
    int[][] batches = {LENGTHS, OTHERS, LENGTHS};
    List<Map<String, float[]>> expected =
        Arrays.stream(batches).map(lengths -> gradients(steps, lengths)).toList();
    for (int i = 0; i < batches.length; i++) { // one after the other, in the same objects
      near(batches[i].length + " sequences", expected.get(i), gradients(recur, batches[i]), FLOAT);
    }
  }

  /** The state of this cell is its output: what the state after a stretch is given goes there. */
  @Test
  void theGradientOfTheOutputsStaysThatOfTheLoss() {
    Recur recur =
        new Recur(new RNNCell(UNITS, UNITS, Elementwise.TANH)).on(device, 1).requireCompiled();
    Padded y = outputs(recur, false, LENGTHS);
    tape.backward(loss(recur, y));
    assertArrayEquals(input(y.valid().shape()).toArray(), y.valid().gradientArray());
    recur.reset();
  }
}

package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.Reference.doubles;
import static io.recur.grad.Functions.tanh;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.ReferenceCell.Kind;
import io.recur.nn.ReferenceCell.Structure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * The snippets of the first of the two documents that this library implements, the chapter
 * "Recurrent Models" of Flux's manual, in their order, each in front of its Java twin. The second
 * document follows in {@link DocstringTest}.
 */
class DocumentsTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Random random = new Random(1);

  private float[] rand(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat();
    }
    return values;
  }

  private Parameter randn(int... dimensions) {
    Shape shape = Shape.of(dimensions);
    float[] values = new float[shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Parameter.of(shape, values).on(device);
  }

  // Wxh = randn(5, 10)
  // Whh = randn(5, 5)
  // b = randn(5)
  private final Parameter wxh = randn(5, 10);
  private final Parameter whh = randn(5, 5);
  private final Parameter b = randn(5);

  // function rnn(h, x)
  // h = tanh.(Wxh * x .+ Whh * h .+ b)
  // return h, h
  // end
  private Step rnnFunction(Tensor h, Tensor x) {
    Tensor next = tanh(wxh.matmul(x).add(whh.matmul(h)).add(b));
    return Step.step(next, next);
  }

  /** The same in plain Java. */
  private double[] rnnInDoubles(double[] h, float[] x) {
    float[] wx = wxh.toArray();
    float[] wh = whh.toArray();
    float[] bias = b.toArray();
    double[] next = new double[5];
    for (int row = 0; row < 5; row++) {
      double sum = bias[row];
      for (int column = 0; column < 10; column++) {
        sum += (double) wx[row + 5 * column] * x[column];
      }
      for (int column = 0; column < 5; column++) {
        sum += wh[row + 5 * column] * h[column];
      }
      next[row] = Math.tanh(sum);
    }
    return next;
  }

  /** What the reference gives for one column of the steps xs, with the cell's own parameters. */
  private static double[] inDoubles(Kind kind, Cell cell, int in, int out, List<float[]> xs) {
    ReferenceCell reference =
        new ReferenceCell(
            kind, Elementwise.TANH, Structure.DENSE, Structure.DENSE, in, out, 1, xs.size());
    double[] x = new double[in * xs.size()];
    for (int t = 0; t < xs.size(); t++) {
      System.arraycopy(doubles(xs.get(t)), 0, x, in * t, in);
    }
    double[][] p =
        cell.parameters().stream().map(part -> doubles(part.toArray())).toArray(double[][]::new);
    return reference.run(p, x).y();
  }

  // "Recurrent Cells".

  // x = rand(10) # dummy data
  // h = rand(5) # initial hidden state
  //
  // h, y = rnn(h, x)
  @Test
  void aHandWrittenCellIsAFunction() {
    float[] x = rand(10);
    float[] h0 = rand(5);
    Step step = rnnFunction(tape.input(h0), tape.input(x));
    double[] expected = rnnInDoubles(doubles(h0), x);
    assertEquals(Shape.of(5), step.y().shape());
    near("y", expected, step.y().toArray(), FLOAT);
    near("h", expected, step.state().h().toArray(), FLOAT);
    // "If you run the last line a few times, you'll notice the output y changing slightly."
    Step again = rnnFunction(step.state().h(), tape.input(x));
    near("y again", rnnInDoubles(expected, x), again.y().toArray(), FLOAT);
    assertTrue(Math.abs(again.y().toArray()[0] - step.y().toArray()[0]) > 1e-3);
  }

  // rnn2 = Flux.RNNCell(10, 5)
  //
  // x = rand(10) # dummy data
  // h = rand(5) # initial hidden state
  //
  // h, y = rnn2(h, x)
  @Test
  void theHandWrittenCellIsReplacedByABuiltInOne() {
    RNNCell rnn2 = new RNNCell(10, 5, Elementwise.TANH);
    new Recur(rnn2).on(device, 42);
    Tensor x = tape.input(rand(10));
    Tensor h = tape.input(rand(5));
    Step step = rnn2.step(State.of(h), x);
    double[][] p =
        rnn2.parameters().stream().map(part -> doubles(part.toArray())).toArray(double[][]::new);
    p[3] = doubles(h.toArray());
    ReferenceCell reference =
        new ReferenceCell(
            Kind.RNN, Elementwise.TANH, Structure.DENSE, Structure.DENSE, 10, 5, 1, 1);
    double[] expected = reference.run(p, doubles(x.toArray())).y();
    assertEquals(Shape.of(5), step.y().shape());
    near("y", expected, step.y().toArray(), FLOAT);
    assertArrayEquals(step.y().toArray(), step.state().h().toArray());
  }

  // "Stateful Models".

  // x = rand(10)
  // h = rand(5)
  //
  // m = Flux.Recur(rnn, h)
  //
  // y = m(x)
  @Test
  void recurWrapsTheHandWrittenCell() {
    float[] x = rand(10);
    Parameter h = Parameter.fixed(Shape.of(5), rand(5)).on(device);
    Recur m = new Recur(this::rnnFunction, h, wxh, whh, b);
    Tensor y = m.apply(tape.input(x));
    double[] expected = rnnInDoubles(doubles(h.toArray()), x);
    assertEquals(Shape.of(5), y.shape());
    near("y", expected, y.toArray(), FLOAT);
    // "The Recur wrapper stores the state between runs in the m.state field."
    near("m.state", expected, m.state().h().toArray(), FLOAT);
    near("second y", rnnInDoubles(expected, x), m.apply(tape.input(x)).toArray(), FLOAT);
  }

  // julia> RNN(10, 5)
  // Recur(RNNCell(Dense(15, 5)))
  @Test
  void rnnIsAWrappedCell() {
    Recur m = rnn(10, 5);
    assertTrue(m.cell() instanceof RNNCell);
    assertTrue(m.toString().startsWith("Recur(RNNCell(10 => 5, tanh))"), m.toString());
  }

  // "Sequences".

  // seq = [rand(10) for i = 1:10]
  private List<float[]> seq() {
    List<float[]> seq = new ArrayList<>();
    for (int i = 1; i <= 10; i++) {
      seq.add(rand(10));
    }
    return seq;
  }

  private List<Tensor> inputs(List<float[]> seq) {
    return seq.stream().map(tape::input).toList();
  }

  // m.(seq) # returns a list of 5-element vectors
  @Test
  void aModelRunsOverASequence() {
    List<float[]> seq = seq();
    Recur m = rnn(10, 5).on(device, 42);
    List<Tensor> outputs = m.over(inputs(seq));
    assertEquals(10, outputs.size());
    double[] expected = inDoubles(Kind.RNN, m.cell(), 10, 5, seq);
    for (int t = 0; t < 10; t++) {
      assertEquals(Shape.of(5), outputs.get(t).shape());
      double[] step = Arrays.copyOfRange(expected, 5 * t, 5 * t + 5);
      near("step " + t, step, outputs.get(t).toArray(), FLOAT);
    }
    assertArrayEquals(outputs.getLast().toArray(), m.state().h().toArray());
  }

  // m = Chain(LSTM(10, 15), Dense(15, 5))
  // m.(seq)
  @Test
  void aChainRunsOverASequence() {
    List<float[]> seq = seq();
    Recur lstm = lstm(10, 15);
    Dense dense = dense(15, 5);
    Chain m = chain(lstm, dense).on(device, 42);
    List<Tensor> outputs = m.over(inputs(seq));
    assertEquals(10, outputs.size());
    double[] h = inDoubles(Kind.LSTM, lstm.cell(), 10, 15, seq);
    float[] w = dense.own().get(0).toArray();
    float[] bias = dense.own().get(1).toArray();
    for (int t = 0; t < 10; t++) {
      double[] expected = doubles(bias);
      for (int i = 0; i < 5 * 15; i++) {
        expected[i % 5] += w[i] * h[15 * t + i / 5];
      }
      assertEquals(Shape.of(5), outputs.get(t).shape());
      near("step " + t, expected, outputs.get(t).toArray(), FLOAT);
    }
    assertEquals(Shape.of(15, 1), lstm.state().h().shape());
    assertEquals(Shape.of(15, 1), lstm.state().c().shape());
  }

  // "Truncating Gradients".

  // truncate!(m)
  @Test
  void truncateWipesTheSlateClean() {
    Recur m = rnn(10, 5).on(device, 42);
    List<Tensor> early = seq().stream().map(x -> tape.variable(Shape.of(10), x)).toList();
    m.over(early);
    float[] state = m.state().h().toArray();
    m.truncate();
    assertArrayEquals(state, m.state().h().toArray());
    List<Tensor> late = seq().stream().map(x -> tape.variable(Shape.of(10), x)).toList();
    tape.backward(m.over(late).getLast().sum());
    for (Tensor x : early) {
      assertArrayEquals(new float[10], x.gradientArray());
    }
    assertFalse(Arrays.equals(new float[10], late.getLast().gradientArray()));
  }

  // "In this case the hidden state should be completely reset to its original value, throwing away
  // any accumulated information. reset! does this for you."
  @Test
  void resetThrowsAwayWhatWasAccumulated() {
    Recur m = rnn(10, 5).on(device, 42);
    float[] original = m.state().h().toArray();
    float[] x = rand(10);
    float[] first = m.apply(tape.input(x)).toArray();
    m.over(inputs(seq()));
    m.reset();
    assertArrayEquals(original, m.state().h().toArray());
    assertArrayEquals(first, m.apply(tape.input(x)).toArray());
  }
}

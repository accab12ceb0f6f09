package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * The snippets of the second document that this library implements, the docstring of Flux's {@code
 * RNN(in => out, σ = tanh)}, in their order, each in front of its Java twin.
 */
class DocstringTest {
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

  // julia> r = RNN(3 => 5)
  // Recur(
  //   RNNCell(3 => 5, tanh),                # 50 parameters
  // )         # Total: 4 trainable arrays, 50 parameters,
  //           # plus 1 non-trainable, 5 parameters, summarysize 432 bytes.
  @Test
  void rnnPrintsItsSizes() {
    String printed = rnn(3, 5).toString();
    assertTrue(printed.contains("RNNCell(3 => 5, tanh)"), printed);
    assertTrue(printed.contains("# 50 parameters"), printed);
    assertTrue(printed.contains("# Total: 4 trainable arrays, 50 parameters,"), printed);
    assertTrue(printed.contains("# plus 5 non-trainable state"), printed);
  }

  // julia> r(rand(Float32, 3)) |> size
  // (5,)
  //
  // julia> Flux.reset!(r);
  //
  // julia> r(rand(Float32, 3, 10)) |> size # batch size of 10
  // (5, 10)
  @Test
  void aVectorGivesAVectorAndABatchGivesABatch() {
    Recur r = rnn(3, 5).on(device, 42);
    assertEquals(Shape.of(5), r.apply(tape.input(rand(3))).shape());
    r.reset();
    assertEquals(Shape.of(5, 10), r.apply(tape.input(Shape.of(3, 10), rand(30))).shape());
  }

  // julia> r.state |> size
  // (5, 1)
  //
  // julia> r(rand(Float32, 3)) |> size
  // (5,)
  //
  // julia> r.state |> size
  // (5, 1)
  //
  // julia> r(rand(Float32, 3, 10)) |> size # batch size of 10
  // (5, 10)
  //
  // julia> r.state |> size # state shape has changed
  // (5, 10)
  //
  // julia> r(rand(Float32, 3)) |> size # erroneously outputs a length 5*10 = 50 vector.
  // (50,)
  @Test
  void theStateTakesTheShapeOfTheBatchAndNoOtherAfterIt() {
    Recur r = rnn(3, 5).on(device, 42);
    assertEquals(Shape.of(5, 1), r.state().h().shape());
    assertEquals(Shape.of(5), r.apply(tape.input(rand(3))).shape());
    assertEquals(Shape.of(5, 1), r.state().h().shape());
    assertEquals(Shape.of(5, 10), r.apply(tape.input(Shape.of(3, 10), rand(30))).shape());
    assertEquals(Shape.of(5, 10), r.state().h().shape());
    Tensor vector = tape.input(rand(3));
    String refusal = assertThrows(ShapeException.class, () -> r.apply(vector)).getMessage();
    assertTrue(refusal.contains("state batch=10, x batch=1; call reset()"), refusal);
    assertEquals(Shape.of(5, 10), r.state().h().shape());
    r.reset();
    assertEquals(Shape.of(5), r.apply(vector).shape());
  }

  // julia> r = Flux.Recur(Flux.RNNCell(tanh, rand(5, 4), Tridiagonal(rand(5, 5)), rand(5),
  //                                    rand(5, 1)))
  //
  // julia> r(rand(4, 10)) |> size # batch size of 10
  // (5, 10)
  @Test
  void aCellIsMadeFromItsParts() {
    float[] wi = rand(20);
    float[] wh = rand(25);
    float[] bias = rand(5);
    float[] state0 = rand(5);
    Recur r =
        new Recur(
                new RNNCell(
                    Elementwise.TANH,
                    Matrix.dense(Parameter.of(Shape.of(5, 4), wi)),
                    Matrix.tridiagonal(5, 5, wh),
                    Parameter.of(Shape.of(5), bias),
                    Parameter.of(Shape.of(5, 1), state0)))
            .on(device, 42);
    float[] x = rand(40);
    Tensor y = r.apply(tape.input(Shape.of(4, 10), x));
    assertEquals(Shape.of(5, 10), y.shape());
    double[] expected = new double[50];
    for (int i = 0; i < 50; i++) {
      int row = i % 5;
      double sum = bias[row];
      for (int column = 0; column < 4; column++) {
        sum += (double) wi[row + 5 * column] * x[column + i / 5 * 4];
      }
      for (int column = Math.max(0, row - 1); column <= Math.min(4, row + 1); column++) {
        sum += (double) wh[row + 5 * column] * state0[column];
      }
      expected[i] = Math.tanh(sum);
    }
    near("y", expected, y.toArray(), FLOAT);
    assertEquals(20 + 13 + 5 + 5, r.parameters().count());
  }
}

package io.recur.nn;

import static io.recur.grad.Functions.tanh;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The cells that every law is tested with: the built-in ones, a user's function and a user's class
 * with two state tensors. All parameters, initial states and biases too, are random, so that no
 * gradient is zero by chance.
 */
enum Cells {
  RNN {
    @Override
    Recur make(int in, int out) {
      return new Recur(
          new RNNCell(
              Elementwise.TANH, matrix(out, in), matrix(out, out), random(out), random(out, 1)));
    }
  },
  LSTM {
    @Override
    Recur make(int in, int out) {
      return new Recur(
          new LSTMCell(
              matrix(4 * out, in),
              matrix(4 * out, out),
              random(4 * out),
              random(out, 1),
              random(out, 1)));
    }
  },
  GRU {
    @Override
    Recur make(int in, int out) {
      return new Recur(
          new GRUCell(
              matrix(3 * out, in), matrix(3 * out, out), random(3 * out), null, random(out, 1)));
    }
  },
  GRU_WITH_RECURRENT_BIAS {
    @Override
    Recur make(int in, int out) {
      return new Recur(
          new GRUCell(
              matrix(3 * out, in),
              matrix(3 * out, out),
              random(3 * out),
              random(out),
              random(out, 1)));
    }
  },
  GRU_V3 {
    @Override
    Recur make(int in, int out) {
      return new Recur(
          new GRUv3Cell(
              matrix(3 * out, in),
              matrix(2 * out, out),
              matrix(out, out),
              random(3 * out),
              random(out, 1)));
    }
  },
  FUNCTION {
    @Override
    Recur make(int in, int out) {
      Parameter wxh = random(out, in).named("Wxh");
      Parameter whh = random(out, out).named("Whh");
      Parameter b = random(out).named("b");
      return new Recur(
          (h, x) -> {
            Tensor y = tanh(wxh.matmul(x).add(whh.matmul(h)).add(b));
            return Step.step(y, y);
          },
          random(out, 1).named("h0"),
          wxh,
          whh,
          b);
    }
  },
  CLASS {
    @Override
    Recur make(int in, int out) {
      return new Recur(new Leaky(in, out));
    }
  };

  /** A Recur without memory yet. */
  abstract Recur make(int in, int out);

  /** A user's cell: {@code s' = s/2 + h}, {@code h' = tanh(Wx·x + Wh·h + s')}. */
  static final class Leaky implements Cell {
    private final Parameter wx;
    private final Parameter wh;
    private final Parameter h0;
    private final Parameter s0;

    Leaky(int in, int out) {
      wx = random(out, in).named("Wx");
      wh = random(out, out).named("Wh");
      h0 = random(out, 1).named("h0");
      s0 = random(out, 1).named("s0");
    }

    @Override
    public Step step(State state, Tensor x) {
      Tensor s = state.parts().get(1).scale(0.5f).add(state.h());
      Tensor h = tanh(wx.matmul(x).add(wh.matmul(state.h())).add(s));
      return new Step(State.of(h, s), h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0, s0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(wx, wh, h0, s0);
    }

    @Override
    public String toString() {
      return "Leaky";
    }
  }

  static Matrix matrix(int rows, int columns) {
    return Matrix.dense(random(rows, columns));
  }

  /** A parameter that is uniform in ±0.8. */
  static Parameter random(int... dimensions) {
    return Parameter.of(
        Shape.of(dimensions),
        (values, random) ->
            System.arraycopy(values(random, values.length), 0, values, 0, values.length));
  }

  static float[] values(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 1.6f * random.nextFloat() - 0.8f;
    }
    return values;
  }

  /** A batch of random inputs. */
  static Tensor input(Tape tape, long seed, int... dimensions) {
    Shape shape = Shape.of(dimensions);
    return tape.variable(shape, values(new Random(seed), shape.count()));
  }

  /** The gradient of every parameter by name. */
  static Map<String, float[]> gradients(Layer model) {
    Map<String, float[]> gradients = new LinkedHashMap<>();
    model
        .parameters()
        .named()
        .forEach((name, parameter) -> gradients.put(name, parameter.gradientArray()));
    return gradients;
  }

  /** The gradients of the initial state, one array a part. */
  static List<float[]> state0Gradients(Recur recur) {
    return recur.cell().state0().stream().map(Tensor::gradientArray).toList();
  }

  /** The parts of a state as one list of arrays. */
  static List<float[]> values(State state) {
    return state.parts().stream().map(Tensor::toArray).toList();
  }

  /** A scalar in which every value has a weight of its own, so that no two gradients are alike. */
  static Tensor weighed(Tape tape, Tensor y, long seed) {
    float[] weights = values(new Random(seed), y.shape().count());
    return y.mul(tape.input(y.shape(), weights)).sum();
  }
}

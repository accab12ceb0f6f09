package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random networks of one to three layers over sequences of different lengths, as PyTorch computes
 * them in float64 from packed sequences, in one direction and in two; {@code make_packed.py} beside
 * the pinned files made the numbers. Of each gradient a random projection is compared.
 */
class PackedTest {
  /** Of the largest sum of magnitudes: float has 6e-8, over up to 9 steps of 3 layers. */
  private static final double TOLERANCE = 1e-5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** The generator of {@code make_packed.py}. */
  private static final class Draws {
    private long state;

    Draws(long seed) {
      state = seed;
    }

    int number(int n) {
      state = (state * 1103515245 + 12345) % (1L << 31);
      return (int) ((state >> 8) % n);
    }

    float[] values(int count, float scale) {
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = scale * (number(257) - 128) / 256f;
      }
      return values;
    }
  }

  /** A network of the file, with its inputs. */
  private final class Network {
    final String name;
    final Draws draws;
    final int directions;
    final String kind;
    final int layers;
    final int in;
    final int hidden;
    final int batch;
    final int[] lengths;
    final List<Recur> recurs = new ArrayList<>();
    final List<List<Parameter>> weights = new ArrayList<>();

    Network(long seed, int directions) {
      this.directions = directions;
      draws = new Draws(seed);
      kind = List.of("rnn", "lstm", "gru").get(draws.number(3));
      name = kind + seed;
      layers = 1 + draws.number(3);
      in = 1 + draws.number(5);
      hidden = 1 + draws.number(6);
      batch = 1 + draws.number(7);
      int time = 1 + draws.number(9);
      lengths = new int[batch];
      for (int b = 0; b < batch; b++) {
        lengths[b] = 1 + draws.number(time);
      }
      lengths[draws.number(batch)] = time;
      for (int i = 0; i < layers * directions; i++) {
        recurs.add(recur(i < directions ? in : directions * hidden));
      }
    }

    private Parameter parameter(float scale, int... dimensions) {
      Shape shape = Shape.of(dimensions);
      return Parameter.of(shape, draws.values(shape.count(), scale));
    }

    private Recur recur(int in) {
      int gates = kind.equals("lstm") ? 4 : kind.equals("gru") ? 3 : 1;
      Parameter wi = parameter(2, gates * hidden, in);
      Parameter wh = parameter(2, gates * hidden, hidden);
      Parameter b = parameter(1, gates * hidden);
      Matrix i = Matrix.dense(wi);
      Matrix h = Matrix.dense(wh);
      Parameter zero = Parameter.zeros(Shape.of(hidden, 1));
      weights.add(new ArrayList<>(List.of(wi, wh, b)));
      Cell cell =
          switch (kind) {
            case "lstm" -> new LSTMCell(i, h, b, zero, Parameter.zeros(Shape.of(hidden, 1)));
            case "gru" -> {
              Parameter bh = parameter(1, hidden);
              weights.getLast().add(bh);
              yield new GRUCell(i, h, b, bh, zero);
            }
            default -> new RNNCell(Elementwise.TANH, i, h, b, zero);
          };
      Recur recur = new Recur(cell);
      return (directions == 1 ? recur.withoutState0() : recur).on(device, 0);
    }

    void check(double... expected) {
      int time = Arrays.stream(lengths).max().orElseThrow();
      Shape shape = Shape.of(in, batch, time);
      Tensor x = tape.variable(shape, draws.values(shape.count(), 2));
      int parts = kind.equals("lstm") ? 2 : 1;
      List<Tensor> states = new ArrayList<>();
      for (int part = 0; part < parts; part++) {
        states.add(begin(part));
      }
      Shape outputs = Shape.of(directions * hidden, batch, time);
      Padded r = Padded.of(tape.input(outputs, draws.values(outputs.count(), 1)), lengths);
      Tensor loss = outputs(Padded.of(x, lengths), states).valid().mul(r.valid()).sum();
      for (int part = 0; part < parts; part++) {
        for (Recur recur : recurs) {
          Tensor end = recur.state().parts().get(part);
          Tensor factor = tape.input(end.shape(), draws.values(end.shape().count(), 1));
          loss = loss.add(end.mul(factor).sum());
        }
      }
      tape.backward(loss);
      near("loss", expected[0], loss.scalar(), 1 + Math.abs(expected[0]));
      List<float[]> all = new ArrayList<>(List.of(x.gradientArray()));
      for (int part = 0; part < parts; part++) {
        all.add(directions == 1 ? states.get(part).gradientArray() : state0Gradient(part));
      }
      weights.forEach(its -> its.forEach(weight -> all.add(weight.gradientArray())));
      assertEquals(expected.length, 1 + all.size(), name);
      for (int i = 0; i < all.size(); i++) {
        project(i, expected[i + 1], all.get(i));
      }
      recurs.forEach(Recur::reset);
      tape.clear();
    }

    /** Draws a part of all initial states: given ones, or with two directions those of state0. */
    private Tensor begin(int part) {
      Shape all = Shape.of(hidden, recurs.size() * (directions == 1 ? batch : 1));
      Tensor drawn = tape.variable(all, draws.values(all.count(), 1));
      for (int i = 0; directions == 2 && i < recurs.size(); i++) {
        Parameter state0 = recurs.get(i).cell().state0().get(part);
        state0.value().write(drawn.column(i).toArray());
      }
      return drawn;
    }

    private Padded outputs(Padded x, List<Tensor> states) {
      Padded y = x;
      for (int layer = 0; layer < layers; layer++) {
        if (directions == 2) {
          y = Layers.bidirectional(recurs.get(2 * layer), recurs.get(2 * layer + 1)).apply(y);
        } else {
          int from = layer * batch;
          recurs
              .get(layer)
              .state(new State(states.stream().map(s -> s.columns(from, from + batch)).toList()));
          y = recurs.get(layer).apply(y);
        }
      }
      return y;
    }

    /** The gradients of a part of state0, one Recur after the other. */
    private float[] state0Gradient(int part) {
      float[] all = new float[hidden * recurs.size()];
      for (int i = 0; i < recurs.size(); i++) {
        float[] its = recurs.get(i).cell().state0().get(part).gradientArray();
        System.arraycopy(its, 0, all, i * hidden, hidden);
      }
      return all;
    }

    private void project(int number, double expected, float... gradient) {
      float[] direction = draws.values(gradient.length, 1);
      double sum = 0;
      double magnitude = 1e-2; // a small one is the difference of larger terms
      for (int i = 0; i < gradient.length; i++) {
        sum += (double) gradient[i] * direction[i];
        magnitude += Math.abs(gradient[i] * direction[i]);
      }
      near("gradient " + number, expected, sum, magnitude);
    }

    private void near(String what, double expected, double actual, double magnitude) {
      assertTrue(
          Math.abs(expected - actual) <= TOLERANCE * magnitude,
          () -> "%s %s: %.9g, PyTorch %.9g".formatted(name, what, actual, expected));
    }
  }

  @ParameterizedTest
  @CsvSource({"packed.txt, 1, 1", "packed_directions.txt, 2, 201"})
  void twoHundredNetworksAreAsPyTorchComputesThem(String file, int directions, int first) {
    Pinned pinned = Pinned.of(file);
    assertEquals(200, pinned.names().size());
    for (int seed = first; seed < first + 200; seed++) {
      Network network = new Network(seed, directions);
      network.check(pinned.doubles(network.name));
    }
  }
}

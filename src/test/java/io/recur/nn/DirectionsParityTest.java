package io.recur.nn;

import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Outputs, last states and gradients of 1 to 3 layers of two directions as PyTorch computes them in
 * float64; {@code make_directions.py} beside the pinned files made them.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class DirectionsParityTest {
  /** Of the largest magnitude of each tensor, as in {@link ParityTest}. */
  private static final double TOLERANCE = 1e-5;

  private static final int HIDDEN = 4;

  private final Device device;
  @AutoClose private final Tape tape;

  DirectionsParityTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  private static Stream<String> files() {
    return Stream.of("rnn", "lstm", "gru")
        .flatMap(kind -> Stream.of(1, 2, 3).map(layers -> kind + "_l" + layers));
  }

  @ParameterizedTest
  @MethodSource("files")
  void sequencesOfOneLength(String file) {
    Network network = new Network(file);
    network.check("", network.chain.apply(network.x));
  }

  /** PyTorch's packed sequences; what stands behind the ends is NaN here. */
  @ParameterizedTest
  @MethodSource("files")
  void sequencesOfDifferentLengths(String file) {
    Network network = new Network(file);
    float[] values = network.pinned.floats("x");
    int[] lengths = network.lengths();
    Shape shape = network.x.shape();
    for (int i = 0; i < values.length; i++) {
      int column = i / shape.rows();
      if (column / shape.batch() >= lengths[column % shape.batch()]) {
        values[i] = Float.NaN;
      }
    }
    network.x.value().write(values);
    Padded x = Padded.of(network.x, lengths);
    network.check("packed_", network.chain.apply(x).data());
  }

  /** The layers of a file with their parameters. */
  private final class Network {
    final Pinned pinned;
    final List<String> tags = new ArrayList<>();
    final List<Recur> recurs = new ArrayList<>();
    final List<Parameter> recurrentBiases = new ArrayList<>();
    final Chain chain;
    final Tensor x;

    Network(String file) {
      pinned = Pinned.of("directions/" + file + ".txt");
      List<Layer> layers = new ArrayList<>();
      for (int layer = 0; pinned.has("Wi" + layer + "f"); layer++) {
        for (String direction : List.of("f", "b")) {
          tags.add(layer + direction);
          recurs.add(new Recur(cell(file, tags.getLast())));
        }
        layers.add(Layers.bidirectional(recurs.get(2 * layer), recurs.getLast()));
      }
      assertEquals(file.charAt(file.length() - 1) - '0', layers.size());
      chain = new Chain(layers).on(device, 0);
      x = tape.variable(Shape.of(pinned.dims("x")), pinned.floats("x"));
    }

    private Cell cell(String file, String tag) {
      Matrix wi = Matrix.dense(parameter("Wi" + tag));
      Matrix wh = Matrix.dense(parameter("Wh" + tag));
      Parameter b = parameter("b" + tag);
      Parameter h0 = initial("h0_" + tag);
      if (file.startsWith("lstm")) {
        return new LSTMCell(wi, wh, b, h0, initial("c0_" + tag));
      }
      if (file.startsWith("gru")) {
        recurrentBiases.add(parameter("bh" + tag));
        return new GRUCell(wi, wh, b, recurrentBiases.getLast(), h0);
      }
      return new RNNCell(Elementwise.TANH, wi, wh, b, h0);
    }

    private Parameter parameter(String name) {
      return Parameter.of(Shape.of(pinned.dims(name)), pinned.floats(name));
    }

    private Parameter initial(String name) {
      return Parameter.of(Shape.of(HIDDEN, 1), pinned.floats(name));
    }

    int[] lengths() {
      return Arrays.stream(pinned.doubles("lengths")).mapToInt(length -> (int) length).toArray();
    }

    /** Compares outputs and states, walks backward from the file's loss, compares gradients. */
    void check(String prefix, Tensor y) {
      assertArrayEquals(pinned.dims(prefix + "y"), y.shape().dimensions());
      same(prefix + "y", y.toArray());
      Tensor loss = against(y, "r");
      for (int i = 0; i < tags.size(); i++) {
        Tensor last = recurs.get(i).state().h();
        same(prefix + "hT_" + tags.get(i), last.toArray());
        loss = loss.add(against(last, "rT_" + tags.get(i)));
      }
      same(prefix + "loss", loss.toArray());
      tape.backward(loss);
      same(prefix + "dx", x.gradientArray());
      for (int i = 0; i < tags.size(); i++) {
        gradients(prefix, i);
      }
    }

    private Tensor against(Tensor y, String constants) {
      return y.mul(tape.input(y.shape(), pinned.floats(constants))).sum();
    }

    private void gradients(String prefix, int i) {
      StackedCell cell = (StackedCell) recurs.get(i).cell();
      String tag = tags.get(i);
      same(prefix + "dWi" + tag, cell.wi.values().gradientArray());
      same(prefix + "dWh" + tag, cell.wh.values().gradientArray());
      same(prefix + "db" + tag, cell.b.gradientArray());
      if (!recurrentBiases.isEmpty()) {
        same(prefix + "dbh" + tag, recurrentBiases.get(i).gradientArray());
      }
      same(prefix + "dh0_" + tag, cell.state0().get(0).gradientArray());
      if (cell instanceof LSTMCell) {
        same(prefix + "dc0_" + tag, cell.state0().get(1).gradientArray());
      }
    }

    private void same(String name, float[] actual) {
      near(name, pinned.doubles(name), actual, TOLERANCE, 0);
    }
  }
}

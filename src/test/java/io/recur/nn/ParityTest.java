package io.recur.nn;

import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Repeat;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.io.File;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Outputs, states and gradients of RNN, LSTM and GRU as PyTorch computes them in float64; {@code
 * make.py} beside the pinned files made them. Each file is run as a whole sequence, step by step,
 * and as a plain loop over {@link Cell#step}, the specification.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ParityTest {
  /**
   * Of the largest magnitude of each tensor: float32 has 6e-8, a gradient here is a sum of up to 35
   * products that have passed up to 14 cells.
   */
  private static final double TOLERANCE = 1e-5;

  private static final int HIDDEN = 4;

  private final Device device;
  @AutoClose private final Tape tape;

  ParityTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  private static Set<String> files() {
    Set<String> files = new TreeSet<>();
    for (String kind : List.of("rnn_tanh", "rnn_relu", "lstm", "gru")) {
      for (int batch : new int[] {1, 5}) {
        for (String state : List.of("zero", "state")) {
          for (int layers : new int[] {1, 2}) {
            files.add("%s_b%d_%s_l%d.txt".formatted(kind, batch, state, layers));
          }
        }
      }
    }
    return files;
  }

  @Test
  void noFileIsLeftOut() throws URISyntaxException {
    File folder = new File(ParityTest.class.getResource("/pytorch/cells").toURI());
    assertEquals(files(), new TreeSet<>(List.of(folder.list())));
  }

  @ParameterizedTest
  @MethodSource("files")
  void asAWholeSequence(String file) {
    Network network = new Network(file);
    network.check(network.chain.apply(network.x), network.states());
  }

  @ParameterizedTest
  @MethodSource("files")
  void stepByStep(String file) {
    Network network = new Network(file);
    List<Tensor> outputs = new ArrayList<>();
    for (int t = 0; t < network.x.shape().time(); t++) {
      outputs.add(network.chain.apply(network.x.time(t)));
    }
    network.check(Concat.time(outputs), network.states());
  }

  @ParameterizedTest
  @MethodSource("files")
  void asTheSpecification(String file) {
    Network network = new Network(file);
    Tensor y = network.x;
    List<State> last = new ArrayList<>();
    for (Recur recur : network.recurs) {
      Cell cell = recur.cell();
      Shape wide = Shape.of(HIDDEN, y.shape().batch());
      State state =
          new State(cell.state0().stream().map(p -> Repeat.repeat(tape, p, wide)).toList());
      List<Tensor> outputs = new ArrayList<>();
      for (int t = 0; t < y.shape().time(); t++) {
        Step step = cell.step(state, y.time(t));
        state = step.state();
        outputs.add(step.y());
      }
      y = Concat.time(outputs);
      last.add(state);
    }
    network.check(y, last);
  }

  /** The layers of a file with their parameters. */
  private final class Network {
    final Pinned pinned;
    final boolean given;
    final List<Recur> recurs = new ArrayList<>();
    final List<Parameter> recurrentBiases = new ArrayList<>();
    final Chain chain;
    final Tensor x;

    Network(String file) {
      pinned = Pinned.of("cells/" + file);
      given = file.contains("_state_");
      for (int layer = 0; pinned.has("Wi" + layer); layer++) {
        recurs.add(new Recur(cell(file, layer)));
      }
      assertEquals(file.endsWith("_l2.txt") ? 2 : 1, recurs.size());
      chain = new Chain(recurs).on(device, 0);
      x = tape.variable(Shape.of(pinned.dims("x")), pinned.floats("x"));
    }

    private Cell cell(String file, int layer) {
      Matrix wi = Matrix.dense(parameter("Wi" + layer));
      Matrix wh = Matrix.dense(parameter("Wh" + layer));
      Parameter b = parameter("b" + layer);
      Parameter h0 = initial("h0_" + layer);
      if (file.startsWith("lstm")) {
        return new LSTMCell(wi, wh, b, h0, initial("c0_" + layer));
      }
      if (file.startsWith("gru")) {
        recurrentBiases.add(parameter("bh" + layer));
        return new GRUCell(wi, wh, b, recurrentBiases.getLast(), h0);
      }
      Elementwise function = file.startsWith("rnn_relu") ? Elementwise.RELU : Elementwise.TANH;
      return new RNNCell(function, wi, wh, b, h0);
    }

    private Parameter parameter(String name) {
      return Parameter.of(Shape.of(pinned.dims(name)), pinned.floats(name));
    }

    private Parameter initial(String name) {
      float[] values = given ? pinned.floats(name) : new float[HIDDEN];
      return Parameter.of(Shape.of(HIDDEN, 1), values);
    }

    List<State> states() {
      return recurs.stream().map(Recur::state).toList();
    }

    /** Compares outputs and states, walks backward from the file's loss, compares gradients. */
    void check(Tensor y, List<State> last) {
      assertArrayEquals(pinned.dims("y"), y.shape().dimensions());
      same("y", y.toArray());
      Tensor loss = against(y, "r");
      for (int layer = 0; layer < last.size(); layer++) {
        List<Tensor> parts = last.get(layer).parts();
        for (int part = 0; part < parts.size(); part++) {
          String letter = part == 0 ? "h" : "c";
          same(letter + "T" + layer, parts.get(part).toArray());
          loss = loss.add(against(parts.get(part), "rT_" + letter + layer));
        }
      }
      same("loss", loss.toArray());
      tape.backward(loss);
      same("dx", x.gradientArray());
      for (int layer = 0; layer < recurs.size(); layer++) {
        gradients(layer);
      }
    }

    private Tensor against(Tensor y, String constants) {
      return y.mul(tape.input(y.shape(), pinned.floats(constants))).sum();
    }

    private void gradients(int layer) {
      StackedCell cell = (StackedCell) recurs.get(layer).cell();
      same("dWi" + layer, cell.wi.values().gradientArray());
      same("dWh" + layer, cell.wh.values().gradientArray());
      same("db" + layer, cell.b.gradientArray());
      if (!recurrentBiases.isEmpty()) {
        same("dbh" + layer, recurrentBiases.get(layer).gradientArray());
      }
      if (given) {
        same("dh0_" + layer, cell.state0().get(0).gradientArray());
        if (cell instanceof LSTMCell) {
          same("dc0_" + layer, cell.state0().get(1).gradientArray());
        }
      }
    }

    private void same(String name, float[] actual) {
      near(name, pinned.doubles(name), actual, TOLERANCE, 0);
    }
  }
}

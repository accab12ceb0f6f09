package io.recur.nn;

import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A network computes what its layers and joins compute one after the other. */
class NetworkTest {
  private static final Shape SIZES = Shape.of(3, 2, 5);

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Random random = new Random(4);

  private Tensor drawn(Shape shape) {
    float[] values = new float[shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return tape.input(shape, values);
  }

  private final Recur reads = lstm(3, 4);
  private final Conv1d sees = conv1d(3, 4, 3).padding(1);
  private final Dense head = dense(8, 2);

  private Network branches() {
    return new Network(
            List.of("x"),
            List.of(
                Network.layer("reads", reads, "x"),
                Network.layer("sees", sees, "x"),
                Network.join("both", Join.CONCATENATE, "reads", "sees"),
                Network.layer("head", head, "both")),
            List.of("head"))
        .on(device, 42);
  }

  @Test
  void branchesAreJoined() {
    Network network = branches();
    Tensor x = drawn(SIZES);
    float[] y = network.apply(x).toArray();
    network.reset();
    Tensor wanted = head.apply(Concat.rows(reads.apply(x), sees.apply(x)));
    assertArrayEquals(wanted.toArray(), y);
  }

  @Test
  void everyJoinIsItsFormula() {
    Tensor a = drawn(SIZES);
    Tensor b = drawn(SIZES);
    Map<Join, Tensor> wanted =
        Map.of(
            Join.ADD, a.add(b),
            Join.SUBTRACT, a.sub(b),
            Join.MULTIPLY, a.mul(b),
            Join.MEAN, a.add(b).scale(0.5f),
            Join.MAXIMUM, a.maximum(b),
            Join.MINIMUM, a.minimum(b),
            Join.CONCATENATE, Concat.rows(a, b),
            Join.CONCATENATE_TIME, Concat.time(List.of(a, b)),
            Join.DOT, a.mul(b).sum(io.recur.device.Dimension.ROWS));
    for (Join join : Join.values()) {
      Network network =
          new Network(List.of("a", "b"), List.of(Network.join("y", join, "a", "b")), List.of("y"));
      Tensor y = network.run(Map.of("a", a, "b", b)).get("y");
      assertEquals(wanted.get(join).shape(), y.shape(), join.name());
      assertArrayEquals(wanted.get(join).toArray(), y.toArray(), join.name());
    }
  }

  /** The encoder's state reaches the decoder, and the decoder's gradient the encoder. */
  @Test
  void aDecoderBeginsFromTheStateOfItsEncoder() {
    Recur writes = lstm(2, 4);
    Network network =
        new Network(
                List.of("x", "t"),
                List.of(
                    Network.layer("reads", reads, "x"),
                    Network.layer("writes", writes, "t", "reads.0", "reads.1")),
                Map.of("text", "writes", "c", "writes.1"))
            .on(device, 42);
    Tensor x = drawn(SIZES);
    Tensor t = drawn(Shape.of(2, 2, 3));
    Map<String, Tensor> found = network.run(Map.of("x", x, "t", t));
    tape.backward(found.get("text").sum());
    float[] gradient = reads.own().getFirst().gradientArray();
    network.parameters().zeroGradients();
    network.reset();
    reads.apply(x);
    Step step = writes.from(reads.state(), t);
    tape.backward(step.y().sum());
    assertArrayEquals(step.y().toArray(), found.get("text").toArray());
    assertArrayEquals(step.state().c().toArray(), found.get("c").toArray());
    assertArrayEquals(reads.own().getFirst().gradientArray(), gradient);
    assertTrue(Arrays.stream(new double[] {gradient[0]}).allMatch(value -> value != 0));
  }

  /** With several outputs too: the encoder has moved when the decoder refuses its input. */
  @Test
  void aRunThatIsRefusedLeavesTheStates() {
    Network network =
        new Network(
                List.of("x", "t"),
                List.of(
                    Network.layer("reads", reads, "x"), Network.layer("writes", lstm(2, 4), "t")),
                List.of("reads", "writes"))
            .on(device, 42);
    Tensor x = drawn(SIZES);
    Tensor wrong = drawn(Shape.of(3, 2, 5));
    Thrown.says(ShapeException.class, () -> network.run(Map.of("x", x, "t", wrong)), "3");
    assertTrue(reads.isFresh());
  }

  @Test
  void itsColumnsAreAsIndependentAsThoseOfItsLayers() {
    assertTrue(branches().columnsAreIndependent() && branches().keepsBatch());
    Layer mixes = new BatchNorm(4);
    Network mixed =
        new Network(
            List.of("x"),
            List.of(Network.layer("sees", sees, "x"), Network.layer("y", mixes, "sees")),
            List.of("y"));
    assertEquals(mixes.columnsAreIndependent(), mixed.columnsAreIndependent());
    assertFalse(mixed.columnsAreIndependent());
    Layer other =
        new Layer() {
          @Override
          public Tensor apply(Tensor x) {
            return x;
          }

          @Override
          public boolean keepsBatch() {
            return false;
          }
        };
    assertFalse(
        new Network(List.of("x"), List.of(Network.layer("y", other, "x")), List.of("y"))
            .keepsBatch());
  }

  @Test
  void aForkHasStatesOfItsOwn() {
    Network network = branches();
    Tensor x = drawn(SIZES);
    Network fork = network.fork();
    float[] first = network.apply(x).toArray();
    float[] second = network.apply(x).toArray();
    assertFalse(Arrays.equals(first, second), "the state has moved");
    assertArrayEquals(first, fork.apply(x).toArray());
    assertArrayEquals(second, fork.apply(x).toArray());
    assertEquals(1, network.recurs().size());
  }

  @Test
  void sequencesOfDifferentLengthsAreThoseAlone() {
    Network network =
        new Network(
                List.of("x"),
                List.of(
                    Network.layer("a", gru(3, 4), "x"),
                    Network.layer("b", dense(3, 4, Elementwise.TANH), "x"),
                    Network.join("y", Join.ADD, "a", "b")),
                List.of("y"))
            .on(device, 42);
    Layer same = residual(network.recurs().getFirst(), network.layers().getLast());
    Tensor x = drawn(SIZES);
    Padded y = network.apply(Padded.of(x, 5, 2));
    network.reset();
    assertArrayEquals(same.apply(Padded.of(x, 5, 2)).valid().toArray(), y.valid().toArray(), 1e-6f);
  }

  // What is refused.

  @Test
  void whatDoesNotFitLeavesTheStates() {
    Network network =
        new Network(
                List.of("x"),
                List.of(
                    Network.layer("reads", reads, "x"),
                    Network.layer("other", dense(3, 5), "x"),
                    Network.join("sum", Join.ADD, "reads", "other")),
                List.of("sum"))
            .on(device, 42);
    Tensor x = drawn(SIZES);
    Thrown.says(
        ShapeException.class, () -> network.apply(x), "network: sum: ADD of 4×2×5 and 5×2×5");
    assertTrue(reads.isFresh());
  }

  @Test
  void namesAreCheckedWhenItIsMade() {
    Layer layer = dense(3, 3);
    List<String> x = List.of("x");
    Map<List<Network.Node>, String> wrong =
        Map.of(
            List.of(Network.layer("a", layer, "b"), Network.layer("b", layer, "x")),
            "network: a reads [b]",
            List.of(Network.layer("x", layer, "x")),
            "network: x is there twice",
            List.of(Network.layer("b", layer, "x"), Network.layer("c", layer, "b.0")),
            "network: c reads [b.0]");
    wrong.forEach(
        (nodes, words) ->
            Thrown.says(IllegalArgumentException.class, () -> new Network(x, nodes, x), words));
    Thrown.says(
        IllegalArgumentException.class,
        () -> Network.layer("a", reads, "x", "h"),
        "network: a reads [x, h]; need x, or x and a state of 2");
    Thrown.says(
        IllegalArgumentException.class,
        () -> Network.join("a", Join.DOT, "x"),
        "network: a reads [x]; need 2");
    Thrown.says(
        IllegalArgumentException.class,
        () -> new Network(x, List.of(), List.of("y")),
        "an output reads [y]; before it are [x]");
  }

  @Test
  void severalInputsAreGivenByName() {
    Network network =
        new Network(
            List.of("a", "b"), List.of(Network.join("y", Join.ADD, "a", "b")), List.of("y"));
    Tensor x = drawn(SIZES);
    Thrown.says(IllegalStateException.class, () -> network.apply(x), "call run(…)");
    Thrown.says(
        IllegalArgumentException.class,
        () -> network.run(Map.of("a", x)),
        "network: given are [a]; need [a, b]");
  }

  @Test
  void itPrintsItsNodesAndItsLayers() {
    String printed = branches().toString();
    assertTrue(printed.startsWith("Network(x => head)(\n  Recur(LSTMCell(3 => 4)),"), printed);
    assertTrue(
        printed.endsWith("\n# reads(x), sees(x), both CONCATENATE(reads, sees), head(both)"),
        printed);
    assertTrue(printed.contains("Conv1d(3 => 4, kernel=3, padding=1)"), printed);
  }
}

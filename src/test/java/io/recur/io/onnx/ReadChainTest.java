package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.FLOAT;
import static io.recur.io.onnx.Proto.INT64;
import static io.recur.io.onnx.Proto.attribute;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static io.recur.io.onnx.Proto.wholes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A straight line of layers is read as a chain, which answers as the graph does. */
class ReadChainTest {
  private static final float TOLERANCE = 2e-6f;
  private static final int TIME = 5;
  private static final int BATCH = 2;
  private static final int IN = 3;
  private static final int UNITS = 4;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);
  private final Random random = new Random(3);

  private float[] drawn(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 2;
    }
    return values;
  }

  private Proto drawn(String name, int... sizes) {
    Dims dims = Dims.of(sizes);
    return tensor(name, dims, drawn(dims.count()));
  }

  private Path file(Proto graph) throws IOException {
    return Files.write(folder.resolve("line.onnx"), Proto.model(17, graph).toBytes());
  }

  /** The chain and the model give the same for x, of [time, batch, in]. */
  private Chain check(Proto graph, Shape shape) throws IOException {
    Path file = file(graph);
    Chain chain = OnnxModel.readChain(file).on(device, 1);
    OnnxModel model = OnnxModel.read(file).on(device, 1);
    Tensor x = tape.input(shape, drawn(shape.count()));
    assertArrayEquals(model.apply(x).toArray(), chain.apply(x).toArray(), TOLERANCE);
    return chain;
  }

  private Proto[] recurrent(int directions, int gates, int in) {
    return new Proto[] {
      drawn("W", directions, gates * UNITS, in),
      drawn("R", directions, gates * UNITS, UNITS),
      drawn("B", directions, 2 * gates * UNITS)
    };
  }

  @Test
  void anLstmWithAHead() throws IOException {
    Proto graph =
        graph("tagger")
            .nodes(
                node("LSTM", "X W R B", "Y", attribute("hidden_size", UNITS)),
                node("Squeeze", "Y one", "steps"),
                node("MatMul", "steps V", "product"),
                node("Add", "c product", "sum"),
                node("Relu", "sum", "z"),
                node("Identity", "z", "out"))
            .initialisers(recurrent(1, 4, IN))
            .initialisers(wholes("one", 1), drawn("V", UNITS, 2), drawn("c", 2))
            .inputs(port("X", FLOAT, "time", "batch", "3"))
            .outputs(port("out", FLOAT, "time", "batch", "2"));
    Chain chain = check(graph, Shape.of(IN, BATCH, TIME));
    assertTrue(chain.toString().contains("LSTMCell(3 => 4)"), chain.toString());
    assertTrue(chain.toString().contains("Dense(4 => 2, relu)"), chain.toString());
    assertEquals(2, chain.layers().size());
    chain.reset();
    assertEquals(Shape.of(2, 1), chain.apply(tape.input(Shape.of(IN, 1), drawn(IN))).shape());
  }

  @Test
  void twoDirectionsAsExportersWriteThem() throws IOException {
    Proto order = new Proto().text(1, "perm").whole(20, 7).whole(8, 0);
    order.whole(8, 2).whole(8, 1).whole(8, 3);
    Proto graph =
        graph("both")
            .nodes(
                node(
                    "GRU",
                    "X W R B",
                    "Y",
                    attribute("hidden_size", UNITS),
                    attribute("direction", "bidirectional"),
                    attribute("linear_before_reset", 1)),
                node("Transpose", "Y", "turned", order),
                node("Reshape", "turned shape", "out"))
            .initialisers(recurrent(2, 3, IN))
            .initialisers(wholes("shape", 0, 0, -1))
            .inputs(port("X", FLOAT, "time", "batch", "3"))
            .outputs(port("out", FLOAT, "time", "batch", "8"));
    Chain chain = check(graph, Shape.of(IN, BATCH, TIME));
    assertTrue(chain.toString().contains("Bidirectional"), chain.toString());
  }

  @Test
  void aPerceptron() throws IOException {
    Proto graph =
        graph("perceptron")
            .nodes(
                node("Gemm", "X V c", "h", attribute("transB", 1)),
                node("Tanh", "h", "z"),
                node("Gemm", "z U", "y"),
                node("Softmax", "y", "out"))
            .initialisers(drawn("V", UNITS, IN), drawn("c", UNITS), drawn("U", UNITS, 2))
            .inputs(port("X", FLOAT, "batch", "3"))
            .outputs(port("out", FLOAT, "batch", "2"));
    assertEquals(3, check(graph, Shape.of(IN, BATCH)).layers().size());
  }

  @Test
  void aConvolution() throws IOException {
    Proto pads = new Proto().text(1, "pads").whole(20, 7).whole(8, 1).whole(8, 1);
    Proto graph =
        graph("convolution")
            .nodes(node("Conv", "X V c", "z", pads), node("Relu", "z", "out"))
            .initialisers(drawn("V", 4, IN, 3), drawn("c", 4))
            .inputs(port("X", FLOAT, "batch", "3", "time"))
            .outputs(port("out", FLOAT, "batch", "4", "time"));
    Path file = file(graph);
    Chain chain = OnnxModel.readChain(file).on(device, 1);
    OnnxModel model = OnnxModel.read(file).on(device, 1);
    float[] x = drawn(BATCH * IN * TIME); // [batch, features, time]
    float[] turned = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      int t = i % TIME;
      int f = i / TIME % IN;
      turned[(t * BATCH + i / (TIME * IN)) * IN + f] = x[i];
    }
    float[] y = chain.apply(tape.input(Shape.of(IN, BATCH, TIME), turned)).toArray();
    float[] wanted =
        model.run(tape, Map.of("X", Value.of(Dims.of(BATCH, IN, TIME), x))).get("out").floats();
    for (int i = 0; i < wanted.length; i++) {
      int t = i % TIME;
      int f = i / TIME % 4;
      assertEquals(wanted[i], y[(t * BATCH + i / (TIME * 4)) * 4 + f], TOLERANCE);
    }
  }

  @Test
  void anEmbeddingTakesOneHotColumns() throws IOException {
    Proto graph =
        graph("words")
            .nodes(
                node("Gather", "V words", "vectors"),
                node("RNN", "vectors W R B", "Y", attribute("hidden_size", UNITS)),
                node("Squeeze", "Y one", "out"))
            .initialisers(recurrent(1, 1, IN))
            .initialisers(wholes("one", 1), drawn("V", 7, IN))
            .inputs(port("words", INT64, "time", "batch"))
            .outputs(port("out", FLOAT, "time", "batch", "4"));
    Path file = file(graph);
    Chain chain = OnnxModel.readChain(file).on(device, 1);
    OnnxModel model = OnnxModel.read(file).on(device, 1);
    int[] words = {1, 6, 0, 2, 2, 5};
    long[] same = {1, 6, 0, 2, 2, 5};
    assertArrayEquals(
        model.run(tape, Map.of("words", Value.of(Dims.of(3, 2), same))).get("out").floats(),
        chain.apply(tape.oneHot(Shape.of(7, 2, 3), words)).toArray(),
        TOLERANCE);
  }

  private void refuses(Proto graph, String... words) {
    Thrown.says(IllegalArgumentException.class, () -> OnnxModel.readChain(file(graph)), words);
  }

  @Test
  void whatIsNoLineIsRefusedWithItsNode() {
    Proto input = port("X", FLOAT, "time", "batch", "3");
    refuses(
        graph("g")
            .nodes(node("Relu", "X", "a"), node("Add", "a X", "Y"))
            .inputs(input)
            .outputs(port("Y", FLOAT)),
        "the_Add",
        "\"X\"",
        "straight line");
    refuses(
        graph("g").nodes(node("Floor", "X", "Y")).inputs(input).outputs(port("Y", FLOAT)),
        "the_Floor",
        "no layer");
    refuses(
        graph("g")
            .nodes(node("LSTM", "X W R B", "Y Y_h", attribute("hidden_size", UNITS)))
            .initialisers(recurrent(1, 4, IN))
            .inputs(input)
            .outputs(port("Y_h", FLOAT)),
        "output \"Y_h\"");
    refuses(graph("g").nodes(node("Relu", "X", "Y")).inputs(input, port("Z", FLOAT)), "one input");
  }
}

package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.FLOAT;
import static io.recur.io.onnx.Proto.attribute;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A graph of ONNX is a layer whose states carry. */
class OnnxModelTest {
  private static final int IN = 3;
  private static final int UNITS = 4;
  private static final int BATCH = 2;
  private static final float TOLERANCE = 1e-6f;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);
  private final Random random = new Random(7);

  private float[] drawn(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 2;
    }
    return values;
  }

  private Value steps(int time, int batch) {
    return Value.of(Dims.of(time, batch, IN), drawn(time * batch * IN));
  }

  private Proto[] weights(int gates) {
    int rows = gates * UNITS;
    return new Proto[] {
      tensor("W", Dims.of(1, rows, IN), drawn(rows * IN)),
      tensor("R", Dims.of(1, rows, UNITS), drawn(rows * UNITS)),
      tensor("B", Dims.of(1, 2 * rows), drawn(2 * rows))
    };
  }

  private OnnxModel read(Proto graph) throws IOException {
    Path file = folder.resolve("model.onnx");
    Files.write(file, Proto.model(14, graph).toBytes());
    return OnnxModel.read(file).on(device, 1);
  }

  /** An LSTM without an initial state. */
  private OnnxModel lstm() throws IOException {
    return read(
        graph("lstm")
            .nodes(node("LSTM", "X W R B", "Y Y_h Y_c", attribute("hidden_size", UNITS)))
            .initialisers(weights(4))
            .inputs(port("X", FLOAT, "time", "batch", "3"))
            .outputs(
                port("Y_h", FLOAT, "1", "batch", "4"),
                port("Y", FLOAT, "time", "1", "batch", "4"),
                port("Y_c", FLOAT, "1", "batch", "4")));
  }

  /** An LSTM whose states are inputs and outputs of the graph. */
  private OnnxModel stateful(String h, String nextH, String c, String nextC) throws IOException {
    return read(
        graph("stateful")
            .nodes(
                node(
                    "LSTM",
                    "X W R B  %s %s".formatted(h, c),
                    "Y %s %s".formatted(nextH, nextC),
                    attribute("hidden_size", UNITS)))
            .initialisers(weights(4))
            .inputs(
                port("X", FLOAT, "time", "batch", "3"),
                port(h, FLOAT, "1", "batch", "4"),
                port(c, FLOAT, "1", "batch", "4"))
            .outputs(
                port("Y", FLOAT, "time", "1", "batch", "4"),
                port(nextH, FLOAT, "1", "batch", "4"),
                port(nextC, FLOAT, "1", "batch", "4")));
  }

  private static Value part(Value steps, int from, int to) {
    int step = steps.dims().stride(0);
    float[] values = Arrays.copyOfRange(steps.floats(), from * step, to * step);
    return Value.of(steps.dims().with(0, to - from), values);
  }

  private float[] run(OnnxModel model, String output, Value x) {
    return model.run(tape, Map.of("X", x)).get(output).floats();
  }

  @Test
  void portsTellNamesTypesAndSizes() throws IOException {
    OnnxModel model = lstm();
    assertEquals(
        List.of(new Port("X", ElementType.FLOAT, true, List.of("time", "batch", "3"))),
        model.inputs());
    assertEquals(List.of("Y_h", "Y", "Y_c"), model.outputs().stream().map(Port::name).toList());
    assertEquals(List.of("\"the_LSTM\" (\"LSTM\") -> Recur(LSTMCell(3 => 4))"), model.report());
    assertEquals(Map.of(), model.states());
  }

  @Test
  void theStateOfANodeCarriesUntilReset() throws IOException {
    for (boolean isExplicit : new boolean[] {false, true}) {
      OnnxModel model = isExplicit ? stateful("h0", "hn", "c0", "cn") : lstm();
      Value x = steps(5, BATCH);
      float[] whole = run(model, "Y", x);
      model.reset();
      float[] first = run(model, "Y", part(x, 0, 2));
      float[] second = run(model, "Y", part(x, 2, 5));
      float[] both = Arrays.copyOf(first, whole.length);
      System.arraycopy(second, 0, both, first.length, second.length);
      assertArrayEquals(whole, both, TOLERANCE);
      model.reset();
      assertArrayEquals(whole, run(model, "Y", x), TOLERANCE);
    }
  }

  @Test
  void namesTellStates() throws IOException {
    String[][] pairs = {
      {"h0", "hn", "c0", "cn"},
      {"h_0", "h_n", "c_0", "c_n"},
      {"h_in", "h_out", "c_in", "c_out"},
      {"input_h", "output_h", "input_c", "output_c"},
      {"encoder.h0", "encoder.hn", "encoder.c0", "encoder.cn"},
      {"0.h0", "0.h0.next", "0.c0", "0.c0.next"},
      {"stateH", "stateHN", "stateC", "stateCN"},
      {"past_state_h", "present_state_h", "past_state_c", "present_state_c"},
      {"hidden", "hidden_out", "cell", "cell_out"}
    };
    for (String[] pair : pairs) {
      OnnxModel model = stateful(pair[0], pair[1], pair[2], pair[3]);
      assertEquals(pair[1], model.states().get(pair[0]), pair[0]);
      assertEquals(1, model.inputs().size(), pair[0]);
    }
    assertEquals(Map.of(), stateful("x1", "y1", "x2", "y2").states());
  }

  @Test
  void aUserNamesStates() throws IOException {
    OnnxModel named = stateful("h0", "hn", "c0", "cn");
    Value x = steps(4, BATCH);
    float[] wanted = run(named, "Y", x);
    float[] then = run(named, "Y", x);
    random.setSeed(7);
    OnnxModel other = stateful("x1", "y1", "x2", "y2").carry("x1", "y1").carry("x2", "y2");
    other.on(device, 1);
    assertEquals(Map.of("x1", "y1", "x2", "y2"), other.states());
    assertArrayEquals(wanted, run(other, "Y", x), TOLERANCE);
    assertArrayEquals(then, run(other, "Y", x), TOLERANCE);
    Thrown.says(
        IllegalArgumentException.class, () -> other.carry("X", "Y"), "carry", "equal sizes");
    Thrown.says(IllegalArgumentException.class, () -> other.carry("nobody", "y1"), "nobody");
  }

  /** An LSTM over both directions of batches, whose states are inputs or constants. */
  private OnnxModel both(Map<String, Value> states, boolean isConstant) throws IOException {
    random.setSeed(7);
    int rows = 4 * UNITS;
    List<Proto> constants = new ArrayList<>();
    constants.add(tensor("W", Dims.of(2, rows, IN), drawn(2 * rows * IN)));
    constants.add(tensor("R", Dims.of(2, rows, UNITS), drawn(2 * rows * UNITS)));
    List<Proto> inputs = new ArrayList<>(List.of(port("X", FLOAT, "batch", "time", "3")));
    for (String name : List.of("h0", "c0")) {
      Value state = states.get(name);
      if (isConstant) {
        constants.add(tensor(name, state.dims(), state.floats()));
      } else {
        inputs.add(port(name, FLOAT, "batch", "2", "4"));
      }
    }
    Proto lstm =
        node(
            "LSTM",
            "X W R   h0 c0",
            "Y",
            attribute("hidden_size", UNITS),
            attribute("layout", 1),
            attribute("direction", "bidirectional"));
    return read(
        graph("both")
            .nodes(lstm)
            .initialisers(constants.toArray(Proto[]::new))
            .inputs(inputs.toArray(Proto[]::new))
            .outputs(port("Y", FLOAT, "batch", "time", "2", "4")));
  }

  @Test
  void constantStatesMayDifferBetweenColumns() throws IOException {
    Value x = Value.of(Dims.of(BATCH, 3, IN), drawn(BATCH * 3 * IN));
    Dims dims = Dims.of(BATCH, 2, UNITS);
    float[][] kinds = {drawn(UNITS), drawn(UNITS)};
    for (String places : List.of("0011", "0101", "0110", "0000")) { // by sequence, then direction
      float[] values = new float[dims.count()];
      for (int i = 0; i < 4; i++) {
        System.arraycopy(kinds[places.charAt(i) - '0'], 0, values, i * UNITS, UNITS);
      }
      Value state = Value.of(dims, values);
      Map<String, Value> states = Map.of("h0", state, "c0", state);
      Map<String, Value> given = Map.of("X", x, "h0", state, "c0", state);
      float[] wanted = both(states, false).run(tape, given).get("Y").floats();
      assertArrayEquals(wanted, run(both(states, true), "Y", x), TOLERANCE, places);
    }
  }

  @Test
  void statesThatAreGivenAreTaken() throws IOException {
    OnnxModel model = stateful("h0", "hn", "c0", "cn");
    Value x = steps(3, BATCH);
    Map<String, Value> first = model.run(tape, Map.of("X", x));
    float[] second = run(model, "Y", x);
    model.reset();
    float[] again =
        model
            .run(tape, Map.of("X", x, "h0", first.get("hn"), "c0", first.get("cn")))
            .get("Y")
            .floats();
    assertArrayEquals(second, again, TOLERANCE);
    float[] third = run(model, "Y", x);
    model.reset();
    run(model, "Y", x);
    run(model, "Y", x);
    assertArrayEquals(run(model, "Y", x), third, TOLERANCE);
    Thrown.says(
        IllegalArgumentException.class,
        () -> model.run(tape, Map.of("X", x, "h0", first.get("hn"))),
        "all of them or none");
  }

  @Test
  void aForkHasStatesOfItsOwn() throws IOException {
    for (OnnxModel model : List.of(lstm(), stateful("h0", "hn", "c0", "cn"))) {
      Value x = steps(3, BATCH);
      run(model, "Y", x);
      OnnxModel fork = model.fork();
      float[] here = run(model, "Y", x);
      assertArrayEquals(here, run(fork, "Y", x), TOLERANCE);
      fork.reset();
      assertTrue(Math.abs(run(fork, "Y", x)[0] - run(model, "Y", x)[0]) > 1e-4);
    }
  }

  @Test
  void aSnapshotBringsStatesBack() throws IOException {
    for (OnnxModel model : List.of(lstm(), stateful("h0", "hn", "c0", "cn"))) {
      Value x = steps(3, BATCH);
      run(model, "Y", x);
      Snapshot snapshot = model.save();
      float[] next = run(model, "Y", x);
      run(model, "Y", x);
      model.restore(snapshot);
      assertArrayEquals(next, run(model, "Y", x), TOLERANCE);
    }
  }

  @Test
  void columnsOfStatesAreSequences() throws IOException {
    for (OnnxModel model : List.of(lstm(), stateful("h0", "hn", "c0", "cn"))) {
      Value x = steps(3, BATCH);
      run(model, "Y", x);
      model.take(1, 1);
      float[] both = twice(model, steps(1, 1));
      assertArrayEquals(
          Arrays.copyOf(both, UNITS), Arrays.copyOfRange(both, UNITS, 2 * UNITS), TOLERANCE);
    }
  }

  /** One step that is equal in both sequences. */
  private float[] twice(OnnxModel model, Value one) {
    float[] twice = Arrays.copyOf(one.floats(), 2 * IN);
    System.arraycopy(one.floats(), 0, twice, IN, IN);
    return run(model, "Y", Value.of(Dims.of(1, 2, IN), twice));
  }

  @Test
  void anotherBatchIsRefused() throws IOException {
    for (OnnxModel model : List.of(lstm(), stateful("h0", "hn", "c0", "cn"))) {
      run(model, "Y", steps(3, BATCH));
      Thrown.says(
          IllegalArgumentException.class, () -> run(model, "Y", steps(3, 5)), "reset", "batch=5");
      model.reset();
      run(model, "Y", steps(3, 5));
    }
  }

  @Test
  void itIsALayer() throws IOException {
    Chain model = chain(lstm(), dense(UNITS, 2)).on(device, 3);
    try (Tape recording = Tape.on(device)) {
      Tensor y = model.apply(recording.input(Shape.of(IN, BATCH, 3), drawn(IN * BATCH * 3)));
      assertEquals(Shape.of(2, BATCH, 1), y.shape());
      recording.backward(y.sum());
      for (Parameter parameter : model.parameters()) {
        if (parameter.isTrainable()) {
          float[] gradient = parameter.gradientArray();
          boolean isMoved = false;
          for (float value : gradient) {
            isMoved |= value != 0;
          }
          assertTrue(isMoved, parameter.toString());
        }
      }
      model.reset();
    }
  }

  @Test
  void inputsThatDoNotFitAreRefused() throws IOException {
    OnnxModel model = lstm();
    Thrown.says(IllegalArgumentException.class, () -> model.run(tape, Map.of()), "\"X\"");
    Thrown.says(
        IllegalArgumentException.class,
        () -> model.run(tape, Map.of("X", steps(1, 1), "Z", steps(1, 1))),
        "Z");
    Thrown.says(
        ShapeException.class,
        () -> model.run(tape, Map.of("X", Value.of(Dims.of(1, 2, 5), drawn(10)))),
        "[1, 2, 5]",
        "[time, batch, 3]");
    Thrown.says(
        IllegalArgumentException.class,
        () -> model.run(tape, Map.of("X", Value.of(Dims.of(1, 1, 3), 1, 2, 3L))),
        "floats");
  }

  @Test
  void aModelWithoutMemorySaysHowToGetSome() throws IOException {
    lstm();
    OnnxModel model = OnnxModel.read(folder.resolve("model.onnx"));
    Thrown.says(
        IllegalStateException.class, () -> run(model, "Y", steps(1, 1)), "on(device, seed)");
    assertThrows(IOException.class, () -> OnnxModel.read(folder.resolve("nowhere.onnx")));
  }
}

package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.FLOAT;
import static io.recur.io.onnx.Proto.attribute;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.io.Models;
import io.recur.io.Weights;
import io.recur.nn.Layer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A graph without the values of its parameters makes the same model, and a file of weights has the
 * values.
 */
class SkeletonTest {
  private static final int UNITS = 32;
  private static final int IN = 3;
  private static final int MUTATIONS = 2_000;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();

  private static long values(Layer model) {
    long values = 0;
    for (Parameter parameter : model.parameters()) {
      values += parameter.shape().count();
    }
    return values;
  }

  private OnnxModel again(OnnxModel model) {
    OnnxModel again = OnnxModel.ofSkeleton(model.skeleton(), model.states(), values(model));
    again.on(device, 2);
    again.parameters().copyFrom(model.parameters());
    assertEquals(model.toString(), again.toString());
    assertEquals(model.skeleton(), again.skeleton());
    return again;
  }

  private static void same(Map<String, Value> expected, Map<String, Value> found) {
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, value) -> {
          assertEquals(value.dims(), found.get(name).dims(), name);
          assertArrayEquals(value.floats(), found.get(name).floats(), name);
        });
  }

  /** Tells whether the graph itself computes the case; then the other one does too. */
  private boolean isSame(Cases test, boolean isFixed) throws IOException {
    Map<String, Value> given = isFixed ? Map.of() : test.inputs();
    OnnxModel model;
    try (Tape tape = Tape.inference(device)) {
      model = OnnxModel.read(test.file(folder), isFixed ? test.inputs() : Map.of()).on(device, 1);
      model.run(tape, given);
      model.reset();
    } catch (IllegalArgumentException e) {
      return false; // another test says which
    }
    OnnxModel again = again(model);
    try (Tape tape = Tape.inference(device)) {
      same(model.run(tape, given), again.run(tape, given));
    }
    return true;
  }

  @ParameterizedTest
  @CsvSource({
    "operators.zip,500",
    "recurrent/drawn.zip,100",
    "recurrent/published.zip,18",
    "exported/exported.zip,9",
    "keras/tensorflow.zip,20",
    "keras/torch.zip,20"
  })
  void aGraphAnswersTheSameWithoutItsValues(String archive, int least) throws IOException {
    int same = 0;
    for (Cases test : Cases.in(archive)) {
      same += isSame(test, false) ? 1 : 0;
    }
    assertTrue(same >= least, same + " cases");
  }

  @Test
  void fixedInputsStayConstants() throws IOException {
    int same = 0;
    for (Cases test : Cases.in("operators.zip")) {
      same += isSame(test, true) ? 1 : 0;
    }
    assertTrue(same >= 500, same + " cases");
  }

  static Stream<ElementType> integers() {
    return Stream.of(ElementType.values()).filter(ElementType::isInteger);
  }

  @ParameterizedTest
  @MethodSource("integers")
  void integersOfEveryTypeAreKept(ElementType type) throws IOException {
    Proto graph =
        graph("typed")
            .nodes(node("Cast", "c", "f", attribute("to", FLOAT)), node("Add", "X f", "Y"))
            .inputs(port("X", FLOAT, "3"), port("c", type.ordinal(), "3"))
            .outputs(port("Y", FLOAT, "3"));
    Path file = folder.resolve("typed.onnx");
    Files.write(file, Proto.model(14, graph).toBytes());
    long[] held = {type.narrow(1), type.narrow(-2), type.narrow(0x5A5A_A5A5_5AA5L)};
    Value c = new Value.Integers(type, Dims.of(3), held);
    OnnxModel model = again(OnnxModel.read(file, Map.of("c", c)).on(device, 1));
    try (Tape tape = Tape.inference(device)) {
      float[] y =
          model.run(tape, Map.of("X", Value.of(Dims.of(3), new float[3]))).get("Y").floats();
      assertArrayEquals(new float[] {held[0], held[1], held[2]}, y);
    }
  }

  @Test
  void branchesKeepTheirWeights() throws IOException {
    for (Cases test : Cases.in("silero.zip")) {
      OnnxModel model = OnnxModel.read(test.file(folder)).on(device, 1);
      OnnxModel again = again(model);
      Value all = test.inputs().get("input");
      Map<String, Value> given = new HashMap<>();
      given.put("input", Value.of(all.dims().without(0), new float[all.dims().stride(0)]));
      given.put("sr", Value.of(Dims.of(), Long.parseLong(test.name().replaceAll("_.*", ""))));
      try (Tape tape = Tape.inference(device)) {
        same(model.run(tape, given), again.run(tape, given));
      }
    }
  }

  // Files.

  private static float[] drawn(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 4;
    }
    return values;
  }

  /** An LSTM whose states are an input and an output of names that tell nothing. */
  private OnnxModel lstm() throws IOException {
    int rows = 4 * UNITS;
    Proto graph =
        graph("lstm")
            .nodes(
                node("LSTM", "X W R B  one two", "Y three four", attribute("hidden_size", UNITS)),
                node("Sub", "Y mean", "Z"))
            .initialisers(
                tensor("W", Dims.of(1, rows, IN), drawn(rows * IN)),
                tensor("R", Dims.of(1, rows, UNITS), drawn(rows * UNITS)),
                tensor("B", Dims.of(1, 2 * rows), drawn(2 * rows)),
                tensor("mean", Dims.of(UNITS), drawn(UNITS)))
            .inputs(
                port("X", FLOAT, "time", "batch", "3"),
                port("one", FLOAT, "1", "batch", "32"),
                port("two", FLOAT, "1", "batch", "32"))
            .outputs(
                port("Z", FLOAT, "time", "1", "batch", "32"),
                port("three", FLOAT, "1", "batch", "32"),
                port("four", FLOAT, "1", "batch", "32"));
    Path file = folder.resolve("lstm.onnx");
    Files.write(file, Proto.model(14, graph).toBytes());
    return OnnxModel.read(file).carry("one", "three").carry("two", "four").on(device, 1);
  }

  /** The second answer of a stream, whose state carries. */
  private float[] answers(OnnxModel model) {
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      model.run(tape, Map.of("X", Value.of(Dims.of(3, 2, IN), drawn(18))));
      return model.run(tape, Map.of("X", Value.of(Dims.of(1, 2, IN), drawn(6)))).get("Z").floats();
    }
  }

  /** A model with other weights than those of the graph. */
  private OnnxModel trained() throws IOException {
    OnnxModel model = lstm();
    for (Parameter parameter : model.parameters()) {
      float[] values = parameter.toArray();
      for (int i = 0; i < values.length; i++) {
        values[i] = values[i] * 0.75f + 0.01f;
      }
      parameter.value().write(values);
    }
    return model;
  }

  @Test
  void aFileOfWeightsIsEnoughToRunAGraph() throws IOException {
    OnnxModel model = trained();
    assertEquals(List.of(), Models.unknown(model));
    Path path = folder.resolve("trained.safetensors");
    Weights.save(path, model);
    OnnxModel again = (OnnxModel) Models.read(path, device);
    assertEquals(Map.of("one", "three", "two", "four"), again.states());
    assertEquals(model.toString(), again.toString());
    assertArrayEquals(answers(model), answers(again));
    List<Boolean> trainable =
        Stream.of(model, again)
            .map(each -> each.parameters().named().values().stream().toList())
            .map(each -> each.stream().allMatch(Parameter::isTrainable))
            .toList();
    assertEquals(trainable.getFirst(), trainable.getLast());
  }

  @Test
  void theDescriptionHasNoWeights() throws IOException {
    String text = lstm().skeleton();
    assertTrue(text.length() < 1_500, text.length() + " characters");
  }

  /** Such as a mask. */
  @Test
  void constantsMayBeInfinite() throws IOException {
    float[] mask = new float[UNITS];
    mask[1] = Float.NEGATIVE_INFINITY;
    Proto graph =
        graph("masked")
            .nodes(node("Add", "X mask", "sum"), node("Softmax", "sum", "Y"))
            .initialisers(tensor("mask", Dims.of(UNITS), mask))
            .inputs(port("X", FLOAT, "time", "batch", "32"))
            .outputs(port("Y", FLOAT, "time", "batch", "32"));
    Path file = folder.resolve("masked.onnx");
    Files.write(file, Proto.model(14, graph).toBytes());
    OnnxModel model = OnnxModel.read(file).on(device, 1);
    Path path = folder.resolve("masked.safetensors");
    Weights.save(path, model);
    Layer again = Models.read(path, device);
    try (Tape tape = Tape.inference(device)) {
      Shape shape = Shape.of(UNITS, 1, 1);
      float[] y = model.apply(tape.input(shape, drawn(UNITS))).toArray();
      assertEquals(0, y[1]);
      assertArrayEquals(y, again.apply(tape.input(shape, drawn(UNITS))).toArray());
    }
  }

  // Texts that lie.

  @ParameterizedTest
  @ValueSource(longs = {0, 10, 1_000, 2_100}) // the largest tensor alone has 4096
  void moreValuesThanTheFileHasAreRefused(long most) throws IOException {
    String text = lstm().skeleton();
    Thrown.says(
        IllegalArgumentException.class,
        () -> OnnxModel.ofSkeleton(text, Map.of(), most),
        "values are left out",
        "need at most twice the " + most);
  }

  @Test
  void mutationsAreRefusedOrAreModels() throws IOException {
    byte[] whole = Base64.getDecoder().decode(lstm().skeleton());
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutant = whole.clone();
      for (int k = random.nextInt(3); k >= 0; k--) {
        mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
      }
      try {
        OnnxModel.ofSkeleton(
            Base64.getEncoder().encodeToString(mutant), Map.of("one", "three"), 10_000);
      } catch (IllegalArgumentException | ArithmeticException e) {
        assertFalse(e.getMessage().isEmpty());
        refused++;
      }
    }
    assertTrue(refused > MUTATIONS / 4, refused + " were refused");
  }
}

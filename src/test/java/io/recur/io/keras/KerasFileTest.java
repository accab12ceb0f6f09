package io.recur.io.keras;

import static io.recur.nn.Layers.chain;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.layers.Applied;
import io.recur.io.layers.Backwards;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of Keras answer here as they answer there, in {@code answers.txt} of {@code make.py}. */
class KerasFileTest {
  /** That of the published comparison: both libraries round each operation to float32. */
  private static final float TOLERANCE = 1e-5f;

  private static final Pinned ANSWERS = Pinned.of("../keras/answers.txt");
  private static final int CLASSES = 7;

  @AutoClose private final Device device = Devices.here();

  private static boolean readsIndexes(String model) {
    return List.of("text", "masked", "marked").contains(model);
  }

  private static Tensor input(Tape tape, String model, String entry) {
    int[] dims = ANSWERS.dims(model + entry);
    if (!readsIndexes(model)) {
      return tape.input(Shape.of(dims), ANSWERS.floats(model + entry));
    }
    int[] indexes = Arrays.stream(ANSWERS.doubles(model + entry)).mapToInt(x -> (int) x).toArray();
    return tape.oneHot(Shape.of(CLASSES, dims[0], dims[1]), indexes);
  }

  private void check(Layer model, String name, float tolerance) {
    try (Tape tape = Tape.inference(device)) {
      Tensor y = model.apply(input(tape, name, ".x"));
      assertEquals(Shape.of(ANSWERS.dims(name + ".y")), y.shape());
      assertArrayEquals(ANSWERS.floats(name + ".y"), y.toArray(), tolerance, name);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "text.keras", "last.keras", "grus.keras", "lstms.keras", "convs.keras", "masked.keras",
        "nested.keras", "marked.keras", "last.h5", "grus.h5", "lstms.h5", "convs.h5"
      })
  void everyModelAnswersAsInKeras(String file) throws IOException {
    KerasFile keras = KerasFiles.read(file);
    String name = file.substring(0, file.indexOf('.'));
    try (Chain model = keras.model().on(device, 1)) {
      keras.requireAllMapped();
      check(model, name, TOLERANCE);
      model.reset();
      check(model, name, TOLERANCE);
    }
  }

  @Test
  void weightsAndAConfigurationAreAModel() throws IOException {
    String name = "text";
    Path weights = KerasFiles.file(name + ".weights.h5");
    KerasFile alone = KerasFile.read(weights);
    assertFalse(alone.hasModel());
    String message = assertThrows(IllegalArgumentException.class, alone::model).getMessage();
    assertTrue(message.contains("model.to_json()"), message);
    KerasFile keras = KerasFile.read(weights, Files.readString(KerasFiles.file(name + ".json")));
    assertTrue(keras.hasModel());
    try (Chain model = keras.model().on(device, 1)) {
      check(model, name, TOLERANCE);
    }
  }

  /** Keras computes the first layer in 11 bits. */
  @Test
  void otherTypesAreReadIntoFloats() throws IOException {
    KerasFile keras = KerasFiles.read("types.keras");
    assertTrue(
        keras.tensors().stream().anyMatch(line -> line.contains(" F16[3, 4]"))
            && keras.tensors().stream().anyMatch(line -> line.contains(" F64[4, 3]")),
        keras.tensors().toString());
    try (Chain model = keras.model().on(device, 1)) {
      check(model, "types", 0.005f);
    }
    assertTrue(keras.report().contains("\"dense\" (Dense) dtype float16 -> float32"));
  }

  // Masks are lengths.

  @ParameterizedTest
  @ValueSource(strings = {"last", "masked", "marked"})
  void aMaskIsALength(String name) throws IOException {
    try (Chain model = KerasFiles.read(name + ".keras").model().on(device, 1);
        Tape tape = Tape.inference(device)) {
      Padded y = model.apply(Padded.of(input(tape, name, ".short"), 5, 2));
      assertArrayEquals(ANSWERS.floats(name + ".short.y"), y.data().toArray(), TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"last", "masked", "marked"})
  void aMaskedStepWithinItsLengthIsRefused(String name) throws IOException {
    try (Chain model = KerasFiles.read(name + ".keras").model().on(device, 1);
        Tape tape = Tape.inference(device)) {
      Tensor x = input(tape, name, ".short");
      String whole =
          assertThrows(IllegalArgumentException.class, () -> model.apply(x)).getMessage();
      assertTrue(whole.contains("step 2 of sequence 1 is masked; give Padded.of"), whole);
      Padded longer = Padded.of(x, 5, 3);
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.apply(longer)).getMessage();
      assertTrue(message.contains("step 2 of sequence 1"), message);
    }
  }

  // Layers by name.

  @Test
  void layersAreImportedByName() throws IOException {
    KerasFile weights = KerasFiles.read("text.weights.h5");
    Layer head = weights.dense("layers/time_distributed/layer");
    Chain model =
        chain(
            weights.embedding("layers/embedding"),
            weights.lstm("layers/lstm"),
            weights.gru("layers/bidirectional"),
            head,
            new Applied(Applied.SOFTMAX));
    weights.requireAllMapped();
    try (Chain placed = model.on(device, 1)) {
      check(placed, "text", TOLERANCE);
    }
  }

  @Test
  void layersOfTheOlderFormatAreImportedByName() throws IOException {
    KerasFile weights = KerasFiles.read("grus.h5");
    Chain model = chain(weights.gru("gru"), new Backwards(weights.gru("gru_1"), false));
    assertEquals("Recur(GRUv3Cell(3 => 4))", model.layers().getFirst().describe());
    Layer relu = weights.simpleRnn("simple_rnn", Elementwise.RELU);
    assertEquals("Recur(RNNCell(2 => 3, relu))", relu.describe());
    assertTrue(weights.simpleRnn("simple_rnn_1") instanceof Recur);
    String message =
        assertThrows(IllegalArgumentException.class, weights::requireAllMapped).getMessage();
    assertTrue(message.contains("gru_2/gru_cell/kernel"), message);
  }

  @Test
  void normalisationsAndConvolutionsAreImportedByName() throws IOException {
    KerasFile weights = KerasFiles.read("convs.keras");
    assertEquals(3, weights.conv1d("layers/conv1d").kernel());
    assertEquals(
        "BatchNorm(4, momentum=0.01)",
        weights.batchNorm("layers/batch_normalization", 1e-5f).describe());
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> weights.layerNorm("layers/layer_normalization", 1e-3f))
            .getMessage();
    assertTrue(
        message.contains("\"layers/layer_normalization/vars/1\" (beta) [any] is missing"), message);
  }

  @Test
  void whatIsMissingIsNamedWithWhatThereIs() throws IOException {
    KerasFile weights = KerasFiles.read("text.weights.h5");
    String message =
        assertThrows(IllegalArgumentException.class, () -> weights.lstm("layers/reads"))
            .getMessage();
    assertTrue(
        message.contains("LSTM \"layers/reads\"")
            && message.contains("\"layers/reads/cell/vars/1\" is missing")
            && message.contains("\"layers/lstm/cell/vars/1\""),
        message);
  }

  // Reports.

  @Test
  void aReportSaysWhatBecameWhat() throws IOException {
    KerasFile keras = KerasFiles.read("grus.keras");
    keras.model();
    List<String> report = keras.report();
    assertTrue(
        report.contains(
            "\"layers/gru_1/cell/vars/2\" F32[2, 12] -> \"gru_1\" (GRU) b and bh, two biases added"
                + " up, update and reset exchanged"),
        String.join("\n", report));
    assertTrue(
        report.contains("\"gru\" (GRU) dropout=0.2 -> nothing: it acts in training alone"),
        String.join("\n", report));
    assertEquals(
        keras.tensors().size(),
        report.stream().filter(line -> line.startsWith("\"layers/")).count());
  }

  @Test
  void aModelPrintsItsLayers() throws IOException {
    try (Chain model = KerasFiles.read("last.keras").model().on(device, 1)) {
      String printed = model.toString();
      for (String line :
          List.of(
              "Masking(-1.0)",
              "Bidirectional",
              "BothEnds",
              "LayerNorm(8, epsilon=0.001)",
              "Dropout(0.5)")) {
        assertTrue(printed.contains(line), printed);
      }
    }
  }

  /** Training goes through every layer, and the gradient reaches every trained parameter. */
  @ParameterizedTest
  @ValueSource(strings = {"last", "grus", "lstms"})
  void importedModelsAreTrained(String name) throws IOException {
    try (Chain model = KerasFiles.read(name + ".keras").model().on(device, 1);
        Tape tape = Tape.on(device)) {
      tape.backward(model.apply(input(tape, name, ".x")).sum());
      model
          .parameters()
          .named()
          .forEach(
              (parameter, tensor) -> {
                if (tensor.isTrainable() && parameter.endsWith("Wi")) {
                  float[] gradient = tensor.gradientArray();
                  boolean isReached = false;
                  for (float value : gradient) {
                    isReached |= value != 0;
                  }
                  assertTrue(isReached, name + " " + parameter);
                }
              });
    }
  }

  @Test
  void aForkOfAnImportedModelHasStatesOfItsOwn() throws IOException {
    try (Chain model = KerasFiles.read("grus.keras").model().on(device, 1);
        Chain fork = model.fork()) {
      check(fork, "grus", TOLERANCE);
      check(model, "grus", TOLERANCE);
    }
  }

  @Test
  @Tag(Devices.CPU) // it reads what only a checkout has
  void theGuideHasTheLinesThatTheseTestsRun() throws IOException {
    String guide = Files.readString(Path.of("docs/keras.md"));
    for (String line :
        List.of(
            "KerasFile file = KerasFile.read(Path.of(\"model.keras\"));",
            "Chain model = file.model().on(device, 42);",
            "KerasFile weights = KerasFile.read(Path.of(\"model.weights.h5\"));",
            "weights.embedding(\"layers/embedding\")",
            "weights.lstm(\"layers/lstm\")",
            "weights.gru(\"layers/bidirectional\")",
            "weights.dense(\"layers/time_distributed/layer\")",
            "Network network = KerasFile.read(Path.of(\"two.keras\")).network().on(device, 42);",
            "Tensor head = answers.get(\"head\");",
            "Tensor c = answers.get(\"reads.1\");",
            "weights.requireAllMapped();")) {
      assertTrue(guide.contains(line), line);
    }
  }
}

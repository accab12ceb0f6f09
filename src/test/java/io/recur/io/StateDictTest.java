package io.recur.io;

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
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Modules of PyTorch answer here as they answer there, in {@code answers.txt} of {@code make.py}.
 */
class StateDictTest {
  /** That of the published comparison: both libraries round each operation to float32. */
  private static final float TOLERANCE = 1e-5f;

  private static final Pinned ANSWERS = Pinned.of("../torch/answers.txt");

  @AutoClose private final Device device = Devices.here();

  /** One layer of each kind in the zoo, by its name there. */
  static Map<String, Layer> zoo(StateDict weights) throws IOException {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("lstm", weights.lstm("lstm"));
    layers.put("gru", weights.gru("gru"));
    layers.put("rnn", weights.rnn("rnn"));
    layers.put("relu", weights.rnn("relu", Elementwise.RELU));
    layers.put("bare_lstm", weights.lstm("bare_lstm"));
    layers.put("bare_gru", weights.gru("bare_gru"));
    layers.put("bare_rnn", weights.rnn("bare_rnn"));
    layers.put("projected", weights.lstm("projected"));
    layers.put("lstm_cell", weights.lstmCell("lstm_cell"));
    layers.put("gru_cell", weights.gruCell("gru_cell"));
    layers.put("rnn_cell", weights.rnnCell("rnn_cell", Elementwise.TANH));
    layers.put("linear", weights.linear("linear"));
    layers.put("bare_linear", weights.linear("bare_linear"));
    layers.put("layer_norm", weights.layerNorm("layer_norm"));
    layers.put("conv", weights.conv1d("conv", 1).padding(1));
    layers.put("grouped", weights.conv1d("grouped", 3).stride(2));
    layers.put("batch_norm", weights.batchNorm("batch_norm"));
    return layers;
  }

  @ParameterizedTest
  @CsvSource({"zoo.pt, false", "zoo.safetensors, false", "zoo.pt, true"})
  void everyModuleAnswersAsInPyTorch(String file, boolean keepsBiases) throws IOException {
    Map<String, Layer> zoo;
    try (StateDict weights = TorchFiles.read(file)) {
      if (keepsBiases) {
        weights.keepBiases();
      }
      zoo = zoo(weights);
      weights.requireAllMapped();
      assertEquals(weights.tensors().size(), weights.report().size());
    }
    for (Map.Entry<String, Layer> entry : zoo.entrySet()) {
      try (Layer layer = entry.getValue().on(device, 1)) {
        for (String size : List.of("short", "long")) {
          layer.reset();
          check(layer, size, entry.getKey());
        }
      }
    }
  }

  private void check(Layer layer, String size, String name) {
    try (Tape tape = Tape.inference(device)) {
      Shape shape = Shape.of(ANSWERS.dims(size + ".x"));
      float[] y = layer.apply(tape.input(shape, ANSWERS.floats(size + ".x"))).toArray();
      assertArrayEquals(ANSWERS.floats(size + "." + name), y, TOLERANCE, size + " " + name);
    }
  }

  /** Embedding, two layers of LSTM and a linear head; "both" has two directions. */
  static Chain text(StateDict weights) throws IOException {
    Chain model =
        chain(
            weights.embedding("encoder.embedding"),
            weights.lstm("encoder.lstm"),
            weights.linear("head"));
    weights.requireAllMapped();
    return model;
  }

  @ParameterizedTest
  @ValueSource(strings = {"text.pt", "both.pt", "both.safetensors"})
  void aModelOfThreeModulesAnswersAsInPyTorch(String file) throws IOException {
    try (StateDict weights = TorchFiles.read(file);
        Chain model = text(weights).on(device, 1)) {
      String line = "head.weight F32[5, %d] -> W, transposed";
      assertTrue(
          weights.report().contains(line.formatted(file.startsWith("both") ? 8 : 4)),
          weights.report().toString());
      checkText(model, file.replaceFirst("\\..*", ""));
    }
  }

  private void checkText(Layer model, String name) {
    for (String size : List.of("short", "long")) {
      try (Tape tape = Tape.inference(device)) {
        int[] dims = ANSWERS.dims(size + ".indexes");
        float[] given = ANSWERS.floats(size + ".indexes");
        int[] indexes = new int[given.length];
        for (int i = 0; i < indexes.length; i++) {
          indexes[i] = (int) given[i];
        }
        model.reset();
        float[] y = model.apply(tape.oneHot(Shape.of(7, dims[0], dims[1]), indexes)).toArray();
        assertArrayEquals(ANSWERS.floats(size + "." + name), y, TOLERANCE, size + " " + name);
      }
    }
  }

  private static String refusal(String file, Importing importing) throws IOException {
    try (StateDict weights = TorchFiles.read(file)) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> importing.from(weights)).getMessage();
      assertEquals(List.of(), weights.report());
      return message;
    }
  }

  private interface Importing {
    void from(StateDict weights) throws IOException;
  }

  @Test
  void aModuleOfAnotherNameIsRefusedWithTheNamesThatAreThere() throws IOException {
    String message = refusal("text.pt", weights -> weights.lstm("lstm"));
    assertTrue(message.contains("lstm.weight_ih_l0 [any, any] is missing"), message);
    assertTrue(
        message.contains("the file has the modules encoder.embedding, encoder.lstm, head"),
        message);
  }

  @Test
  void aModuleOfAnotherKindIsRefusedWithBothSizes() throws IOException {
    String message = refusal("zoo.pt", weights -> weights.gru("lstm"));
    assertTrue(message.contains("lstm.weight_ih_l0=[16, 3], need [12, any]"), message);
    assertTrue(message.contains("lstm.weight_hh_l1=[16, 4], need [12, 4]"), message);
    assertTrue(message.contains("lstm.bias_hh_l0=[16], need [12]"), message);
    assertTrue(
        refusal("zoo.pt", weights -> weights.lstm("lstm_cell")).contains("weight_ih is surplus"));
    assertTrue(
        refusal("zoo.pt", weights -> weights.linear("conv"))
            .contains("[4, 3, 3], need [any, any]"));
    assertTrue(refusal("zoo.pt", weights -> weights.conv1d("conv", 3)).contains("groups=3, out=4"));
  }

  @Test
  void integersAreRefusedAndOtherFloatsAreRead() throws IOException {
    assertTrue(refusal("types.pt", w -> w.linear("i64")).contains("i64.weight is I64[2, 3]"));
    try (StateDict weights = TorchFiles.read("types.pt")) {
      for (String name : List.of("f16", "bf16", "f64")) {
        assertEquals(3, weights.linear(name).matrix().columns());
      }
      assertFalse(weights.report().isEmpty());
    }
  }
}

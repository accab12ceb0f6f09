package io.recur.io;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Bidirectional;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is imported returns. {@code make.py check} loaded the same files strictly in PyTorch 2.13
 * and found the same answers within 10⁻⁵.
 */
class TorchExportTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);
  @TempDir private Path folder;

  private Path save(StateDict weights) throws IOException {
    return save(weights, "out.safetensors");
  }

  private Path save(StateDict weights, String name) throws IOException {
    Path target = folder.resolve(name);
    weights.save(target);
    return target;
  }

  private static void assertSameButBiases(StateDict before, StateDict after) throws IOException {
    assertEquals(before.tensors().keySet(), after.tensors().keySet());
    for (Map.Entry<String, StoredTensor> entry : before.tensors().entrySet()) {
      StoredTensor twin = after.tensors().get(entry.getKey());
      assertEquals(entry.getValue().toString(), twin.toString(), entry.getKey());
      if (twin.dtype().isFloat() && !entry.getKey().contains("bias_")) {
        assertArrayEquals(entry.getValue().values(), twin.values(), 0, entry.getKey());
      }
    }
  }

  /** The sum of both biases, and the GRU's second one where the reset gate multiplies it. */
  private static void assertSameSums(StateDict before, StateDict after) throws IOException {
    for (String name : before.tensors().keySet()) {
      if (name.contains("bias_ih")) {
        String other = name.replace("bias_ih", "bias_hh");
        float[] there = before.tensors().get(name).values();
        float[] here = after.tensors().get(name).values();
        float[] more = before.tensors().get(other).values();
        float[] rest = after.tensors().get(other).values();
        int both = name.startsWith("gru") ? there.length * 2 / 3 : there.length;
        for (int i = 0; i < there.length; i++) {
          assertEquals(there[i] + (i < both ? more[i] : 0), here[i], name + " " + i);
          assertEquals(i < both ? 0 : more[i], rest[i], other + " " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"zoo.pt", "zoo.safetensors", "both.pt", "text.pt"})
  void whatIsImportedReturns(String file) throws IOException {
    try (StateDict before = TorchFiles.read(file)) {
      Layer model =
          file.startsWith("zoo")
              ? chain(StateDictTest.zoo(before).values().toArray(Layer[]::new))
              : StateDictTest.text(before);
      model.on(device, 1);
      try (StateDict after = StateDict.read(save(before))) {
        assertSameButBiases(before, after);
        assertSameSums(before, after);
      }
      model.close();
    }
  }

  private static byte[] bytes(StoredTensor tensor) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    tensor.windows(
        (at, window) -> bytes.write(window.array(), window.arrayOffset(), window.remaining()));
    return bytes.toByteArray();
  }

  private static void assertSameBytes(StateDict before, StateDict after) throws IOException {
    assertEquals(List.copyOf(before.tensors().keySet()), List.copyOf(after.tensors().keySet()));
    for (Map.Entry<String, StoredTensor> entry : before.tensors().entrySet()) {
      StoredTensor twin = after.tensors().get(entry.getKey());
      assertEquals(entry.getValue().toString(), twin.toString(), entry.getKey());
      assertArrayEquals(bytes(entry.getValue()), bytes(twin), entry.getKey());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "zoo.pt, out.pt",
    "zoo.pt, out.safetensors",
    "zoo.safetensors, out.pth",
    "both.safetensors, OUT.PT",
    "text.pt, out.pt",
  })
  void withBothBiasesEveryTensorReturnsBitForBit(String file, String target) throws IOException {
    try (StateDict before = TorchFiles.read(file).keepBiases()) {
      Layer model =
          file.startsWith("zoo")
              ? chain(StateDictTest.zoo(before).values().toArray(Layer[]::new))
              : StateDictTest.text(before);
      model.on(device, 1);
      try (StateDict after = StateDict.read(save(before, target))) {
        assertSameBytes(before, after);
      }
      model.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"types.pt", "types.safetensors"})
  void everyTypeReturnsInItsOwnBits(String file) throws IOException {
    try (StateDict before = TorchFiles.read(file)) {
      for (String name : List.of("f16", "bf16", "f64")) {
        before.linear(name).on(device, 1);
      }
      for (String target : List.of("out.safetensors", "out.pt")) {
        try (StateDict after = StateDict.read(save(before, target))) {
          assertSameBytes(before, after);
        }
      }
    }
  }

  @Test
  void ofF64OnlyWhatWasTrainedLosesItsBits() throws IOException {
    try (StateDict before = TorchFiles.read("types.pt")) {
      Dense layer = before.linear("f64").on(device, 1);
      Buffer w = layer.matrix().values().value(); // 2×3, columns contiguous
      w.slice(2, 1).write(new float[] {0.5f}); // row 0, column 1
      try (StateDict after = StateDict.read(save(before))) {
        double[] there = doubles(before.tensors().get("f64.weight"));
        double[] here = doubles(after.tensors().get("f64.weight"));
        there[1] = 0.5;
        assertArrayEquals(there, here, 0);
      }
    }
  }

  private static double[] doubles(StoredTensor tensor) throws IOException {
    double[] values = new double[(int) tensor.count()];
    ByteBuffer.wrap(bytes(tensor)).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(values);
    return values;
  }

  @Test
  void bothBiasesAreTrained() throws IOException {
    try (StateDict before = TorchFiles.read("text.pt").keepBiases()) {
      Recur lstm = (Recur) before.lstm("encoder.lstm").on(device, 1).layers().getFirst();
      for (String name : List.of("b", "bh")) {
        Parameter bias = lstm.parameters().named().get(name);
        assertTrue(bias.isTrainable(), name);
        bias.value().slice(0, 1).write(new float[] {name.length()});
      }
      try (StateDict after = StateDict.read(save(before, "out.pt"))) {
        assertEquals(1, after.tensors().get("encoder.lstm.bias_ih_l0").values()[0]);
        assertEquals(2, after.tensors().get("encoder.lstm.bias_hh_l0").values()[0]);
      }
      lstm.close();
    }
  }

  @Test
  void aModelOfRecurIsReadUnderTheNamesOfItsModules() throws IOException {
    Chain encoder = chain(bidirectional(gru(3, 4), gru(3, 4)), bidirectional(gru(8, 4), gru(8, 4)));
    Chain model = chain(embedding(7, 3), encoder, dense(8, 5)).on(device, 42);
    Path file = folder.resolve("a.safetensors");
    List<Layer> layers = model.layers();
    StateDict.save(
        file, Map.of("embedding", layers.get(0), "encoder", encoder, "head", layers.get(2)));
    try (StateDict weights = StateDict.read(file)) {
      Chain twin =
          chain(weights.embedding("embedding"), weights.gru("encoder"), weights.linear("head"))
              .on(device, 1);
      weights.requireAllMapped();
      float[] expected = layers.get(2).own().getFirst().value().read();
      assertArrayEquals(expected, twin.layers().get(2).own().getFirst().value().read(), 0);
      twin.close();
    }
    model.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.pt", "a.safetensors"})
  void aRecurIsWrittenAsACell(String name) throws IOException {
    Map<String, Layer> cells = new LinkedHashMap<>();
    cells.put("rnn", rnn(2, 3).on(device, 1));
    cells.put("lstm", lstm(2, 3).on(device, 2));
    cells.put("gru", gru(2, 3).on(device, 3));
    cells.put("layer", lstm(2, 3).on(device, 4));
    Path file = folder.resolve(name);
    StateDict.save(file, cells, "rnn", "lstm", "gru");
    try (StateDict weights = StateDict.read(file)) {
      assertTrue(weights.tensors().containsKey("layer.weight_ih_l0"));
      Map<String, Layer> twins = new LinkedHashMap<>();
      twins.put("rnn", weights.rnnCell("rnn", Elementwise.TANH));
      twins.put("lstm", weights.lstmCell("lstm"));
      twins.put("gru", weights.gruCell("gru"));
      twins.put("layer", weights.lstm("layer"));
      weights.requireAllMapped();
      for (Map.Entry<String, Layer> entry : twins.entrySet()) {
        entry.getValue().on(device, 9);
        Tensor expected = apply(cells.get(entry.getKey()));
        assertArrayEquals(
            expected.toArray(), apply(entry.getValue()).toArray(), 1e-6f, entry.getKey());
      }
    }
  }

  private Tensor apply(Layer layer) {
    return layer.apply(tape.input(Shape.of(2, 1, 2), 1, -2, 0.5f, 3));
  }

  private void assertRefused(Layer layer, String fact, String... cells) {
    Path file = folder.resolve("never");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> StateDict.save(file, Map.of("m", layer), cells))
            .getMessage();
    assertTrue(message.startsWith("torch: export of m: ") && message.contains(fact), message);
    assertFalse(Files.exists(file));
  }

  @Test
  void whatPyTorchDoesNotHaveIsRefused() {
    assertRefused(lstm(2, 3), "call on(device, seed) before");
    assertRefused(gruV3(2, 3).on(device, 1), "GRUv3Cell(2 => 3)) has no module in PyTorch");
    assertRefused(chain(lstm(2, 3), gru(3, 3)).on(device, 1), "layers of several kinds");
    assertRefused(chain(dense(2, 3)).on(device, 1), "is no layer of a recurrent module");
    Dense diagonal =
        new Dense(Elementwise.IDENTITY, Matrix.diagonal(3, 3), Parameter.zeros(Shape.of(3)));
    assertRefused(diagonal.on(device, 1), "weight is diagonal(3×3); PyTorch's matrices are dense");
    assertRefused(chain(lstm(2, 3), lstm(3, 4)).on(device, 1), "need as many units in each");
    assertRefused(chain(lstm(2, 3), lstm(4, 3)).on(device, 1), "an input of 3");
    Layer sum = bidirectional(gru(2, 3), gru(2, 3), Bidirectional.Merge.SUM).on(device, 1);
    assertRefused(sum, "Bidirectional(sum); PyTorch concatenates two directions");
    assertRefused(
        new Recur(new RNNCell(2, 3, Elementwise.SIGMOID)).on(device, 1), "nn.RNN has tanh or relu");
    assertRefused(dense(2, 3).on(device, 1), "a cell is a Recur", "m");
    assertRefused(
        new Recur(new ProjectedLSTMCell(2, 3)).on(device, 1), "has no cell in PyTorch", "m");
    Recur trained = lstm(2, 3).on(device, 1);
    trained.cell().state0().get(1).value().slice(0, 3).write(new float[] {0, 0, -1});
    assertRefused(trained, "c0 of Recur(LSTMCell(2 => 3)) is not zero");
  }
}

package io.recur.io;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is imported returns. {@code make.py check} loaded the same files strictly in PyTorch 2.13
 * and found the same answers within 10⁻⁵.
 */
class TorchExportTest {
  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private Path save(StateDict weights) throws IOException {
    Path target = folder.resolve("out.safetensors");
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

  @ParameterizedTest
  @ValueSource(strings = {"types.pt", "types.safetensors"})
  void everyTypeReturnsInItsOwnBits(String file) throws IOException {
    try (StateDict before = TorchFiles.read(file)) {
      for (String name : List.of("f16", "bf16", "f64")) {
        before.linear(name).on(device, 1);
      }
      try (StateDict after = StateDict.read(save(before))) {
        assertSameButBiases(before, after);
        assertArrayEquals(
            before.tensors().get("i64.weight").integers(),
            after.tensors().get("i64.weight").integers());
      }
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

  private void assertRefused(Layer layer, String fact) {
    Path file = folder.resolve("never");
    String message =
        assertThrows(IllegalArgumentException.class, () -> StateDict.save(file, Map.of("m", layer)))
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
    Recur trained = lstm(2, 3).on(device, 1);
    trained.cell().state0().get(1).value().slice(0, 3).write(new float[] {0, 0, 1});
    assertRefused(trained, "c0 of Recur(LSTMCell(2 => 3)) is not zero");
  }
}

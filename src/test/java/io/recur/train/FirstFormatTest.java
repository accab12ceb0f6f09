package io.recur.train;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.io.Safetensors;
import io.recur.io.Weights;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files that the first version wrote. They were made at commit 9e0b351 by
 *
 * <pre>{@code
 * int[] text = new int[60];
 * for (int i = 0; i < text.length; i++) text[i] = i * i % 5;
 * Streams streams = new Streams(text, 5, 2, 7);
 * Chain model = chain(lstm(5, 8), gru(8, 4), dense(4, 5)).on(device, 42);
 * Adam adam = new Adam(0.01f);
 * for (int i = 0; i < 2; i++) {
 *   tape.backward(crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i)));
 *   adam.step(model.parameters());
 *   model.truncate();
 *   tape.clear();
 * }
 * Checkpoint.save(Path.of("recur1-adam.safetensors"), model, adam, Map.of("seed", "42"));
 * Files.write(Path.of("recur1.snapshot"), model.save().toBytes());
 * model.reset();
 * Checkpoint.save(Path.of("recur1-fresh.safetensors"), model, null, Map.of());
 * }</pre>
 */
class FirstFormatTest {
  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();

  static Path resource(String name) {
    URL url = Objects.requireNonNull(FirstFormatTest.class.getResource(name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Chain model(Device device, long seed) {
    return chain(lstm(5, 8), gru(8, 4), dense(4, 5)).on(device, seed);
  }

  @Test
  void aTrainingIsLoadedToTheLastBit() throws IOException {
    Path path = resource("recur1-adam.safetensors");
    Chain model = model(device, 7);
    Adam adam = new Adam(0.5f);
    assertEquals(Map.of("seed", "42"), Checkpoint.load(path, model, adam));
    assertEquals(2, adam.steps());
    assertEquals(0.01f, adam.rate());
    try (Safetensors file = Safetensors.read(path)) {
      for (Map.Entry<String, Parameter> entry : model.parameters().named().entrySet()) {
        assertArrayEquals(file.tensors().get(entry.getKey()).values(), entry.getValue().toArray());
      }
      List<float[]> memory = adam.save(model.parameters());
      for (int s = 0; s < 2; s++) {
        assertArrayEquals(file.tensors().get("optimiser." + s).values(), memory.get(s));
        assertTrue(memory.get(s)[0] != 0);
      }
    }
  }

  @Test
  void aSnapshotIsTheCheckpointsStates() throws IOException {
    Chain model = model(device, 7);
    Checkpoint.load(resource("recur1-adam.safetensors"), model, null);
    byte[] states = model.save().toBytes();
    Chain other = model(device, 7);
    other.restore(Snapshot.of(Files.readAllBytes(resource("recur1.snapshot"))));
    assertArrayEquals(states, other.save().toBytes());
    assertEquals(2, other.recurs().getFirst().state().batch());
  }

  @Test
  void aFreshModelIsLoadedFresh() throws IOException {
    Chain model = model(device, 7);
    model.restore(Snapshot.of(Files.readAllBytes(resource("recur1.snapshot"))));
    Checkpoint.load(resource("recur1-fresh.safetensors"), model, null);
    assertTrue(model.recurs().stream().allMatch(Recur::isFresh));
    Weights.load(resource("recur1-adam.safetensors"), model);
    assertTrue(model.recurs().stream().allMatch(Recur::isFresh));
  }

  @Test
  void anotherModelIsRefused() {
    Chain other = chain(lstm(5, 8), gru(8, 4)).on(device, 7);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Checkpoint.load(resource("recur1-adam.safetensors"), other, null));
    assertTrue(e.getMessage().contains("2.W is in the file"), e.getMessage());
  }

  /** Without checksums, a name with a flipped bit leaves a tensor that nobody reads. */
  @Test
  void aTensorWithAnotherNameIsRefused() throws IOException {
    byte[] file = Files.readAllBytes(resource("recur1-adam.safetensors"));
    String text = new String(file, StandardCharsets.ISO_8859_1);
    Path damaged = folder.resolve("damaged.safetensors");
    for (String name : List.of("state.0.0", "state.0.1", "optimiser.1", "2.b")) {
      int at = text.indexOf('"' + name) + 1;
      byte[] bytes = file.clone();
      bytes[at] ^= 1;
      Files.write(damaged, bytes);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Checkpoint.load(damaged, model(device, 7), new Adam(0.5f)));
      String other = (char) bytes[at] + name.substring(1);
      assertTrue(e.getMessage().contains(other), e.getMessage());
    }
  }

  @Test
  void itIsSavedInTheNewFormat() throws IOException {
    Chain model = model(device, 7);
    Adam adam = new Adam(0.5f);
    Checkpoint.load(resource("recur1-adam.safetensors"), model, adam);
    Path path = folder.resolve("new.safetensors");
    Checkpoint.save(path, model, adam, Map.of());
    try (Safetensors file = Safetensors.read(path)) {
      assertEquals("recur 2", file.metadata().get("format"));
      assertEquals(
          "Recur(LSTMCell(5 => 8))\nRecur(GRUCell(8 => 4))\nDense(4 => 5)",
          file.metadata().get("recur.layers"));
      assertTrue(file.isChecked());
    }
  }
}

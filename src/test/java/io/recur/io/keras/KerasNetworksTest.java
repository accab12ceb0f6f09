package io.recur.io.keras;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Models;
import io.recur.io.Weights;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.Network;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Functional models with branches, joins, states and several inputs answer as in Keras. */
class KerasNetworksTest {
  /** That of the published comparison: both libraries round each operation to float32. */
  private static final float TOLERANCE = 1e-5f;

  /** Keras computes in 8 bits. */
  private static final float TOLERANCE_OF_HALVES = 0.05f;

  private static final Pinned ANSWERS = Pinned.of("../keras/networks.txt");

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);

  private Tensor given(String name) {
    return tape.input(Shape.of(ANSWERS.dims(name)), ANSWERS.floats(name));
  }

  private void check(Network network, String name, float tolerance) {
    Map<String, Tensor> x = new HashMap<>();
    network
        .inputs()
        .forEach(input -> x.put(input, given(name + (name.equals("halves") ? ".x" : "." + input))));
    List<Tensor> found = new ArrayList<>(network.run(x).values());
    for (int k = 0; k < found.size(); k++) {
      String answer = name + "." + k;
      assertEquals(Shape.of(ANSWERS.dims(answer)), found.get(k).shape(), answer);
      assertArrayEquals(ANSWERS.floats(answer), found.get(k).toArray(), tolerance, answer);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"branches", "two", "decoder", "pooled", "inside", "halves"})
  void everyNetworkAnswersAsInKeras(String name) throws IOException {
    KerasFile keras = KerasFiles.read(name + ".keras");
    Network network = keras.network().on(device, 1);
    keras.requireAllMapped();
    float tolerance = name.equals("halves") ? TOLERANCE_OF_HALVES : TOLERANCE;
    check(network, name, tolerance);
    network.reset();
    check(network, name, tolerance);
    network.reset();
    Path path = folder.resolve("network.safetensors");
    Weights.save(path, network, Map.of());
    Network again = (Network) Models.read(path, device);
    assertEquals(network.toString(), again.toString());
    check(again, name, tolerance);
  }

  @Test
  void outputsHaveTheNamesOfTheirLayers() throws IOException {
    Network network = KerasFiles.read("two.keras").network();
    assertEquals(List.of("t", "x"), network.inputs());
    assertEquals(List.of("likeness", "head", "reads.1"), List.copyOf(network.outputs().keySet()));
  }

  @Test
  void oneInputAndOneOutputAreAChain() throws IOException {
    Chain model = KerasFiles.read("branches.keras").model().on(device, 1);
    Tensor y = model.apply(given("branches.x"));
    assertArrayEquals(ANSWERS.floats("branches.0"), y.toArray(), TOLERANCE);
    KerasFile several = KerasFiles.read("two.keras");
    Thrown.says(
        IllegalArgumentException.class,
        several::model,
        "inputs \"t\", \"x\" and outputs \"likeness\", \"head\", \"reads.1\"; call network()");
  }

  @Test
  void aBfloat16IsTheUpperHalfOfAFloat() throws IOException {
    KerasFile keras = KerasFiles.read("half.weights.h5");
    assertTrue(keras.tensors().contains("\"layers/dense/vars/0\" BF16[3, 2]"));
    Dense dense = keras.dense("layers/dense").on(device, 1);
    assertArrayEquals(ANSWERS.floats("half.0"), dense.matrix().values().toArray());
  }

  // What is refused.

  private static void refuses(String file, String from, String to, String fact) throws IOException {
    String config = KerasFiles.config(file);
    assertTrue(config.contains(from), config);
    KerasFile keras = KerasFile.read(KerasFiles.file(file), config.replace(from, to));
    Thrown.says(IllegalArgumentException.class, keras::network, fact);
  }

  @Test
  void whatNoNetworkComputesIsRefusedByName() throws IOException {
    refuses("two.keras", "\"Dot\"", "\"Cross\"", "layer \"likeness\" (Cross): it has 2 inputs");
    refuses("pooled.keras", "\"RepeatVector\"", "\"Cropping1D\"", "(Cropping1D): this class");
    refuses("two.keras", "\"normalize\": false", "\"normalize\": true", "normalize=true; need");
    refuses("two.keras", "\"axes\": 1", "\"axes\": 0", "axes=0; need that of the features");
    refuses("inside.keras", "\"axis\": 1", "\"axis\": 0", "axis=0; need that of the features or");
    refuses(
        "decoder.keras",
        "\"go_backwards\": false",
        "\"go_backwards\": true",
        "(LSTM): it reads \"t\", \"encoder.0\", \"encoder.1\"; there are \"x\", \"t\", \"encoder\"");
    refuses("two.keras", "[\"reads\", 0, 2]", "[\"reads\", 0, 4]", "output \"reads.3\" is none of");
    refuses("two.keras", "\"return_state\": true", "\"return_state\": false", "\"reads.0\"");
  }
}

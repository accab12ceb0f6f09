package io.recur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 200 random networks over sequences of different lengths as PyTorch computes them in float64 from
 * packed sequences: outputs, the loss, last states, and each gradient whole. {@code make_packed.py}
 * beside the pinned file made the numbers; {@link PackedNetwork} draws the same networks.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class PackedTest {
  private static final int NETWORKS = 200;

  /**
   * Of the largest magnitude of each tensor (the maximum norm): float32 has 6e-8, and a gradient is
   * a sum over up to 40 columns that have passed up to 24 cells.
   */
  private static final double TOLERANCE = 1e-5;

  private final Device device;
  @AutoClose private final Tape tape;

  PackedTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  @Test
  void twoHundredNetworksAreAsPyTorchComputesThem() throws IOException {
    Set<String> kinds = new TreeSet<>();
    try (DataInputStream pinned =
        new DataInputStream(
            new BufferedInputStream(PackedTest.class.getResourceAsStream("/pytorch/packed.bin")))) {
      for (int seed = 1; seed <= NETWORKS; seed++) {
        double[] values = new double[pinned.readInt()];
        for (int i = 0; i < values.length; i++) {
          values[i] = pinned.readFloat();
        }
        PackedNetwork network = new PackedNetwork(seed, device, tape);
        new Expected(network.toString(), values).check(network);
        kinds.add(network.kind + ", " + network.lossKind);
        network.close();
        tape.clear();
      }
      assertEquals(-1, pinned.read());
    }
    assertEquals(15, kinds.size(), "5 cells and 3 losses: " + kinds);
  }

  /** Compares the tensors of a network with its pinned values, one after the other. */
  private final class Expected {
    private final String network;
    private final double[] values;
    private int at;

    Expected(String network, double... values) {
      this.network = network;
      this.values = values;
    }

    void check(PackedNetwork its) {
      Padded y = its.outputs();
      Tensor loss = its.loss(y);
      same("y", y.data().toArray());
      same("the loss", 1, loss.toArray()); // a sum of numbers around 1, which may be near 0
      for (PackedNetwork.Direction direction : its.all) {
        for (int part = 0; part < direction.begin().size(); part++) {
          float[] last = direction.recur().state().parts().get(part).toArray();
          same("the last " + "hc".charAt(part) + " of " + direction.name(), last);
        }
      }
      tape.backward(loss);
      same("the gradient of x", its.x.gradientArray());
      for (PackedNetwork.Direction direction : its.all) {
        direction.tensors().forEach((name, tensor) -> gradient(direction, name, tensor));
      }
      assertEquals(values.length, at, network);
    }

    private void gradient(PackedNetwork.Direction direction, String name, Tensor tensor) {
      same("the gradient of " + name + " of " + direction.name(), tensor.gradientArray());
    }

    private void same(String tensor, float... actual) {
      same(tensor, 0, actual);
    }

    private void same(String tensor, double floor, float... actual) {
      String what = network + ": " + tensor;
      assertTrue(at + actual.length <= values.length, what + ": PyTorch has fewer values");
      double[] expected = Arrays.copyOfRange(values, at, at + actual.length);
      at += actual.length;
      Near.near(what, expected, actual, TOLERANCE, floor);
    }
  }
}

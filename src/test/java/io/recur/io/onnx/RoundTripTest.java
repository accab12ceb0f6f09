package io.recur.io.onnx;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written here as ONNX is read here, with the states that carry. */
class RoundTripTest {
  private static final float TOLERANCE = 1e-5f;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);
  private final Random random = new Random(1);

  private Tensor drawn(int time) {
    float[] values = new float[3 * 2 * time];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return tape.input(Shape.of(3, 2, time), values);
  }

  private OnnxModel read(Chain model) throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxExport.of(model).write(file);
    return OnnxModel.read(file).on(device, 1);
  }

  @Test
  void statesCarryAsInTheModel() throws IOException {
    Chain model = chain(lstm(3, 4), gru(4, 5), gruV3(5, 4), rnn(4, 4), dense(4, 2)).on(device, 42);
    OnnxModel again = read(model);
    assertEquals(5, again.states().size(), again.states().toString());
    for (int time : new int[] {3, 1, 4}) {
      Tensor x = drawn(time);
      assertArrayEquals(model.apply(x).toArray(), again.apply(x).toArray(), TOLERANCE);
    }
  }

  @Test
  void bothDirections() throws IOException {
    Chain model = chain(bidirectional(lstm(3, 4), lstm(3, 4)), dense(8, 2)).on(device, 42);
    OnnxModel again = read(model);
    Tensor x = drawn(5);
    assertArrayEquals(model.apply(x).toArray(), again.apply(x).toArray(), TOLERANCE);
  }
}

package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same seed, machine and number of threads: the same bits. */
class ReproducibleTest {
  @ParameterizedTest
  @MethodSource("io.recur.device.Devices#all")
  void twoTrainingsAreEqualToTheLastBit(Device device) {
    List<float[]> first = train(device);
    List<float[]> second = train(device);
    for (int i = 0; i < first.size(); i++) {
      assertArrayEquals(first.get(i), second.get(i), "parameter " + i);
    }
  }

  /** Wide enough for several threads: products of 128 × 64 × 128 and more. */
  private static List<float[]> train(Device device) {
    int classes = 11;
    int[] text = new Random(5).ints(64 * 33, 0, classes).toArray();
    try (Tape tape = Tape.on(device)) {
      Chain model =
          chain(lstm(classes, 48), dropout(0.2f), gru(48, 33), dense(33, classes)).on(device, 42);
      Streams streams = new Streams(text, classes, 32, 8);
      Trainer trainer = new Trainer(model, new Adam(0.01f), tape).clipNorm(1f).seed(7);
      for (int pass = 0; pass < 3; pass++) {
        model.reset();
        trainer.pass(
            0,
            streams.chunks(),
            chunk ->
                crossEntropy(model.apply(streams.input(tape, chunk)), streams.target(tape, chunk)));
      }
      List<float[]> values = new ArrayList<>();
      for (Parameter parameter : model.parameters()) {
        values.add(parameter.toArray());
      }
      return values;
    }
  }
}

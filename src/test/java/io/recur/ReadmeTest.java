package io.recur;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.train.Adam;
import io.recur.train.Optimiser;
import io.recur.train.Streams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class ReadmeTest {
  @Test
  void theFirstProgramLearnsItsText() {
    float last = Float.NaN;
    // first program
    try (Device device = Device.cpu();
        Tape tape = Tape.on(device)) {
      Chain model = chain(lstm(5, 32), dense(32, 5)).on(device, 42); // 42: the seed of its weights
      Optimiser adam = new Adam(0.01f);
      Streams streams =
          new Streams(new int[] {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, 5, 1, 7);
      for (int pass = 0; pass < 100; pass++) {
        model.reset(); // a fresh state: state0 again
        for (int i = 0; i < streams.chunks(); i++) {
          Tensor loss = crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
          tape.backward(loss);
          adam.step(model.parameters());
          last = loss.scalar(); // (test)
          model.truncate(); // keep the state, drop its history
          tape.clear(); // all memory is free for the next step
        }
      }
    }
    // end
    assertTrue(last < 0.05, "loss=" + last);
  }

  @Test
  void theReadmeShowsThatProgram() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    String source = Files.readString(Path.of("src/test/java/io/recur/ReadmeTest.java"));
    String shown = between(readme, "import static io.recur.nn.Layers.*;", "```");
    String tested = between(source, "// first program\n", "// end\n");
    assertEquals(bare(shown), bare(tested.replaceAll(".*\\(test\\)\n", "")));
  }

  private static String between(String text, String start, String end) {
    int from = text.indexOf(start) + start.length();
    return text.substring(from, text.indexOf(end, from));
  }

  private static String bare(String code) {
    return code.replaceAll("\\s", "");
  }
}

package io.recur.io;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the lines of {@code docs/pytorch.md}. */
class TorchGuideTest {
  /** That of the published comparison: both libraries round each operation to float32. */
  private static final float TOLERANCE = 1e-5f;

  private static final Pinned ANSWERS = Pinned.of("../torch/answers.txt");
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  @Test
  void aModelOfPyTorchAnswersAsItDoesThere() throws IOException {
    float[] given = ANSWERS.floats("short.indexes");
    int[] indexes = IntStream.range(0, given.length).map(i -> (int) given[i]).toArray();
    try (Tape tape = Tape.inference(device)) {
      try (StateDict weights = StateDict.read(TorchFiles.file("text.pt"))) {
        Chain encoder = weights.lstm("encoder.lstm");
        Chain model =
            chain(weights.embedding("encoder.embedding"), encoder, weights.linear("head"));
        weights.requireAllMapped();
        weights.report().forEach(System.out::println);
        Tensor y = model.on(device, 42).apply(tape.oneHot(Shape.of(7, 2, 5), indexes));
        assertArrayEquals(ANSWERS.floats("short.text"), y.toArray(), TOLERANCE);
        model.close();
      }
    }
  }

  @Test
  void bothBiasesReturn() throws IOException {
    try (StateDict weights = StateDict.read(TorchFiles.file("text.pt")).keepBiases()) {
      Chain lstm = weights.lstm("encoder.lstm").on(device, 42);
      weights.save(folder.resolve("trained.pt"));
      lstm.close();
    }
    try (StateDict before = TorchFiles.read("text.pt");
        StateDict after = StateDict.read(folder.resolve("trained.pt"))) {
      String bias = "encoder.lstm.bias_hh_l1";
      assertEquals(before.tensors().keySet(), after.tensors().keySet());
      assertArrayEquals(before.tensors().get(bias).values(), after.tensors().get(bias).values(), 0);
    }
  }

  @Test
  void aModelThatWasMadeHereIsWritten() throws IOException {
    Chain encoder = chain(bidirectional(gru(3, 4), gru(3, 4)), bidirectional(gru(8, 4), gru(8, 4)));
    Recur decoder = lstm(8, 5);
    chain(encoder, decoder).on(device, 42);
    StateDict.save(
        folder.resolve("made-here.pt"),
        Map.of("encoder", encoder, "decoder.cell", decoder),
        "decoder.cell");
    try (StateDict weights = StateDict.read(folder.resolve("made-here.pt"))) {
      weights.gru("encoder");
      weights.lstmCell("decoder.cell");
      weights.requireAllMapped();
    }
  }

  @Test
  @Tag(Devices.CPU) // it reads what only a checkout has
  void theGuideSaysWhatIsRunHere() throws IOException {
    String code =
        Files.readString(Path.of("src/test/java/io/recur/io/TorchGuideTest.java"))
            .replace("TorchFiles.file(\"text.pt\")", "Path.of(\"model.pt\")")
            .replace("folder.resolve(", "Path.of(")
            .replaceAll("\\s", "");
    Matcher block = BLOCK.matcher(Files.readString(Path.of("docs/pytorch.md")));
    int statements = 0;
    while (block.find()) {
      for (String statement : block.group(1).split("(?<=[;{}])")) {
        assertTrue(code.contains(statement.replaceAll("\\s", "")), statement);
        statements++;
      }
    }
    assertTrue(statements > 10, statements + " statements");
  }
}

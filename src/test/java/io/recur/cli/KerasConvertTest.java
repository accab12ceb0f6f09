package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.device.Devices;
import io.recur.io.Npy;
import io.recur.io.StateDict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command reads models of Keras. */
@Tag(Devices.CPU)
class KerasConvertTest {
  private static final Pinned ANSWERS = Pinned.of("../keras/answers.txt");
  private static final Pattern DIFFERENCE = Pattern.compile("largest difference: (\\S+), at");

  @TempDir private Path folder;

  private static String file(String name) {
    return Path.of("src/test/resources/keras", name).toString();
  }

  /** An answer of Keras as an array: Recur's sizes in reverse order. */
  private String array(String name) throws IOException {
    int[] dims = ANSWERS.dims(name);
    int[] sizes = new int[dims.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = dims[dims.length - 1 - i];
    }
    Path path = folder.resolve(name + ".npy");
    new Npy(sizes, ANSWERS.floats(name)).write(path);
    return path.toString();
  }

  @Test
  void infoShowsTheTensorsAndTheModel() {
    Shell.Result result = recur("info", file("text.keras"));
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().startsWith("model of Keras: "), result.out());
    assertTrue(result.out().contains("layers/lstm/cell/vars/0"), result.out());
    assertTrue(result.out().contains("LSTMCell(3 => 4)"), result.out());
    Shell.Result weights = recur("info", file("text.weights.h5"));
    assertEquals(0, weights.status(), weights.err());
    assertTrue(weights.out().startsWith("weights of Keras: "), weights.out());
  }

  @Test
  void aModelOfKerasBecomesOneOfPyTorch() throws IOException {
    String target = folder.resolve("model.pt").toString();
    String x = array("text.x");
    String y = array("text.y");
    Shell.Result result =
        recur("convert", file("text.keras"), target, "--check", x, y, "--device", "cpu");
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("(LSTM) Wi"), result.out());
    Matcher difference = DIFFERENCE.matcher(result.out());
    assertTrue(difference.find(), result.out());
    assertTrue(Float.parseFloat(difference.group(1)) <= 1e-5f, result.out());
    try (StateDict weights = StateDict.read(Path.of(target))) {
      weights.embedding("0");
      weights.lstm("1");
      weights.gru("2");
      weights.linear("3");
      weights.requireAllMapped();
    }
  }

  @Test
  void weightsAloneAreRefusedWithTheRemedy() {
    String target = folder.resolve("model.pt").toString();
    assertFails(
        1,
        "it has no configuration",
        recur("convert", file("text.weights.h5"), target, "--device", "cpu"));
  }
}

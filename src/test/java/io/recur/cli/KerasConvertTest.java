package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.StateDict;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The command reads models of Keras. */
@Tag(Devices.CPU)
class KerasConvertTest extends ModelFiles {
  KerasConvertTest() {
    super("keras");
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
    String target = path("model.pt");
    String x = array("text.x");
    String y = array("text.y");
    Shell.Result result =
        recur("convert", file("text.keras"), target, "--check", x, y, "--device", "cpu");
    assertEquals(0, result.status(), result.err());
    assertTrue(result.out().contains("(LSTM) Wi"), result.out());
    assertAgrees(result);
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
    String target = path("model.pt");
    assertFails(
        1,
        "it has no configuration",
        recur("convert", file("text.weights.h5"), target, "--device", "cpu"));
  }
}

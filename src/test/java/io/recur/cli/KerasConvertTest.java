package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.io.StateDict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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

  /** A checkpoint is enough, wherever its model came from. */
  @Test
  void aCheckpointOfAKerasModelIsEnough() throws IOException {
    for (String name : List.of("text", "grus", "lstms", "convs", "last", "nested")) {
      String checkpoint = path(name + ".safetensors");
      succeeded("convert", file(name + ".keras"), checkpoint);
      assertTrue(succeeded("info", checkpoint).out().contains("Chain("), name);
      String[] arrays = {array(name + ".x"), array(name + ".y")};
      String again = path(name + "-again.safetensors");
      assertAgrees(succeeded("convert", checkpoint, again, "--check", arrays[0], arrays[1]));
      String graph = succeeded("run", again, "--input", arrays[0]).out();
      assertEquals(graph, succeeded("run", file(name + ".keras"), "--input", arrays[0]).out());
    }
  }

  @Test
  void severalInputsAreShownAndNotRun() {
    Shell.Result info = recur("info", file("two.keras"));
    assertEquals(0, info.status(), info.err());
    assertTrue(info.out().contains("Network(t, x => likeness, head, reads.1)("), info.out());
    assertFails(
        1,
        "call network(), which takes and gives several",
        recur("convert", file("two.keras"), path("m.safetensors"), "--device", "cpu"));
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

package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code recur convert} refuses what it cannot do, says what is needed, and writes nothing. */
class ConvertRefusalsTest extends ModelFiles {
  ConvertRefusalsTest() {
    super("torch");
  }

  @Test
  void whatTheFileDoesNotTellIsAskedFor() throws IOException {
    String out = path("m.safetensors");
    assertFails(
        1, "give it: --as '" + LAYERS + "'", converted(file("both.pt"), out, "--to", "checkpoint"));
    String few = "lstm encoder.lstm";
    assertFails(
        1,
        "name their layers too, or leave them out with --partly",
        converted(file("both.pt"), out, "--as", few));
    assertFails(
        1,
        "encoder.lstm.weight_ih_l0=[16, 3], need [12, any]",
        converted(file("text.pt"), out, "--as", "gru encoder.lstm"));
    Path plain = folder.resolve("plain.safetensors");
    succeeded("convert", file("both.pt"), out, "--as", LAYERS);
    try (Safetensors file = Safetensors.read(Path.of(out))) {
      Map<String, String> metadata = new LinkedHashMap<>(file.metadata());
      metadata.remove("recur.model");
      metadata.remove("recur.structure");
      new Safetensors(metadata, file.tensors()).write(plain);
    }
    String back = path("b.pt");
    assertFails(
        1,
        "give that with --as, in the order of its layers: Embedding(7 => 3), Recur(LSTM",
        converted(plain.toString(), back));
    assertFails(
        1,
        "layer 'lstm b layers=6': it needs 5.Wi, which is nothing in the file",
        converted(plain.toString(), back, "--as", "embedding a, lstm b layers=6"));
    String whole = "embedding a, lstm b layers=2 directions=2, linear c";
    assertFails(
        1,
        "layer 5 is Dense(8 => 5, tanh) in the model and Dense(8 => 5) in the file",
        converted(plain.toString(), back, "--as", whole + " function=tanh"));
    assertFalse(Files.exists(Path.of(back)));
    succeeded("convert", plain.toString(), back, "--as", whole);
    assertTrue(Files.exists(Path.of(back)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--as lst x|it is none of rnn, lstm, gru,",
        "--as lstm x layer=2|layer=2; lstm takes a name and the options [layers, directions, biases]",
        "--as lstm x layers=0|layers=0; need 1 or more",
        "--as lstm x directions=3|need directions of 1 or 2",
        "--as layer-norm x eps=-1|eps=-1; need a number of 0 or more",
        "--as rnn x function=tan|it is none of",
        "--as relu x|x; relu takes nothing else",
        "--to keras|--to=keras; need one of [checkpoint, state-dict, onnx]",
      })
  void aBadDescriptionIsToldBeforeAnythingIsRead(String option, String fact) {
    String[] words = option.split(" ", 2);
    Shell.Result result = converted(file("both.pt"), path("m.safetensors"), words);
    assertFails(2, fact, result);
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
  }

  @Test
  void filesOfKerasAreNotWritten() {
    for (String name : List.of("m.keras", "m.h5")) {
      Shell.Result result = converted(file("both.pt"), path(name), "--as", LAYERS);
      assertFails(2, "files of Keras are read and not written; name it .safetensors", result);
      assertFalse(Files.exists(folder.resolve(name)));
    }
  }

  /** The whole sequence is answered; a step alone has no answer. */
  @Test
  void aStreamThroughBothDirectionsIsRefusedBeforeItsFirstAnswer() throws IOException {
    String model = path("m.safetensors");
    String graph = path("m.onnx");
    succeeded("convert", file("both.pt"), model, "--as", LAYERS);
    succeeded("convert", model, graph);
    for (String each : List.of(model, graph)) {
      Shell.Result result = recur("run", each, "--input", array("short.indexes"), "--stream");
      assertFails(1, "leave --stream out", result);
      assertEquals("", result.out());
    }
  }

  @Test
  void aCheckThatDoesNotFitIsRefused() throws IOException {
    String x = array("short.indexes");
    assertFails(
        1,
        "float32[9, 3, 5]; the model answers",
        converted(
            file("text.pt"),
            path("m.safetensors"),
            "--as",
            LAYERS,
            "--check",
            x,
            array("long.text")));
    assertFalse(Files.exists(folder.resolve("m.safetensors")));
  }
}

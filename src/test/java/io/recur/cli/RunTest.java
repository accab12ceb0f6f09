package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.io.Npy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code recur run} answers a sequence, of an array or of a text, whole or step after step. */
class RunTest extends ModelFiles {
  RunTest() {
    super("torch");
  }

  @Test
  void functionsStandBetweenLayers() throws IOException {
    String made = path("m.safetensors");
    succeeded("convert", file("zoo.pt"), made, "--partly", "--as", "linear linear, relu, softmax");
    String y = succeeded("run", made, "--input", array("short.x")).out();
    assertEquals(5, y.lines().count());
    for (String line : y.lines().toList()) {
      String[] values = line.split(",");
      assertEquals(4, values.length, line); // two columns of two classes
      float sum = Float.parseFloat(values[0]) + Float.parseFloat(values[1]);
      assertEquals(1, sum, 1e-6f, line);
    }
  }

  @Test
  void anArrayMayHaveTheBatchFirst() throws IOException {
    float[] given = answers.floats("short.indexes"); // 2 × 5 of [time, batch]
    float[] swapped = new float[given.length];
    for (int t = 0; t < 5; t++) {
      for (int b = 0; b < 2; b++) {
        swapped[5 * b + t] = given[2 * t + b];
      }
    }
    Path x = folder.resolve("x.npy");
    new Npy(new int[] {2, 5}, swapped).write(x);
    succeeded(
        "run",
        file("text.pt"),
        "--as",
        LAYERS,
        "--input",
        x.toString(),
        "--batch-first",
        "--output",
        path("y.npy"));
    Npy y = Npy.read(folder.resolve("y.npy"));
    assertArrayEquals(new int[] {2, 5, 5}, y.sizes());
    float[] expected = answers.floats("short.text");
    for (int i = 0; i < expected.length; i++) {
      int t = i / 10;
      int b = i / 5 % 2;
      assertEquals(expected[i], y.values()[(5 * b + t) * 5 + i % 5], 1e-5f, "value " + i);
    }
  }

  @Test
  void aStreamAnswersAsTheWholeSequence() throws IOException {
    String x = array("long.x");
    List<String> arguments = new ArrayList<>(List.of("run", file("zoo.pt"), "--as", "gru gru"));
    arguments.addAll(List.of("--partly", "--input", x, "--output", path("y.npy")));
    for (int turn = 0; turn < 2; turn++) {
      succeeded(arguments.toArray(String[]::new));
      arguments.add("--stream");
      Npy y = Npy.read(folder.resolve("y.npy"));
      assertArrayEquals(new int[] {9, 3, 4}, y.sizes());
      assertArrayEquals(answers.floats("long.gru"), y.values(), 1e-5f);
    }
    Shell.Result both =
        recur("run", file("both.pt"), "--as", LAYERS, "--input", array("long.indexes"), "--stream");
    assertFails(1, "leave --stream out", both);
  }

  @Test
  void aTextIsAStepPerLine() throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), "word\n3\n\n0\n6\n");
    List<String> whole =
        succeeded("run", file("text.pt"), "--as", LAYERS, "--input", x.toString())
            .out()
            .lines()
            .toList();
    assertEquals(3, whole.size());
    String out = path("y.csv");
    succeeded(
        "run",
        file("text.pt"),
        "--as",
        LAYERS,
        "--input",
        x.toString(),
        "--stream",
        "--output",
        out);
    List<String> streamed = Files.readAllLines(Path.of(out));
    for (int t = 0; t < 3; t++) {
      String[] one = whole.get(t).split(",");
      String[] other = streamed.get(t).split(",");
      assertEquals(5, one.length);
      for (int i = 0; i < 5; i++) {
        assertEquals(Float.parseFloat(one[i]), Float.parseFloat(other[i]), 1e-6f);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1,2\\n3\\n|line 2: value 1 is '3', of 1 values; need 2 numbers",
        "1,2\\n3,x\\n|line 2: value 2 is 'x'",
        "1,nan\\n|line 1: value 2 is 'nan'",
        "a,1\\n|line 1: value 1 is 'a'",
        "1,2\\n|x=2×1; need 3 rows",
      })
  void aTextOfOtherValuesIsRefused(String text, String fact) throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), text.translateEscapes());
    Shell.Result result =
        recur("run", file("zoo.pt"), "--as", "gru gru", "--partly", "--input", x.toString());
    assertFails(1, fact, result);
  }

  @Test
  void anInputThatIsRefusedLeavesAnOldOutput() throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), "1,2\n");
    for (String name : List.of("y.csv", "y.npy")) {
      Path y = Files.writeString(folder.resolve(name), "an old answer");
      List<String> arguments =
          List.of("run", file("zoo.pt"), "--as", "gru gru", "--partly", "--output", y.toString());
      List<String> whole = new ArrayList<>(arguments);
      whole.addAll(List.of("--input", x.toString()));
      assertFails(1, "x=2×1; need 3 rows", recur(whole.toArray(String[]::new)));
      whole.add("--stream");
      assertFails(1, "x=2×1; need 3 rows", recur(whole.toArray(String[]::new)));
      assertEquals("an old answer", Files.readString(y));
    }
  }

  @Test
  void whatIsReadIsNotWritten() throws IOException {
    Path x = Files.writeString(folder.resolve("x.csv"), "1,2,3\n");
    Path model = Files.copy(Path.of(file("zoo.pt")), folder.resolve("zoo.pt"));
    Path link = Files.createSymbolicLink(folder.resolve("link.csv"), x);
    for (Path y : List.of(x, model, link)) {
      byte[] before = Files.readAllBytes(y);
      Shell.Result result =
          recur(
              "run",
              model.toString(),
              "--as",
              "gru gru",
              "--partly",
              "--input",
              x.toString(),
              "--output",
              y.toString());
      assertFails(1, "is a file that is read; give it another name", result);
      assertArrayEquals(before, Files.readAllBytes(y));
    }
  }

  @Test
  void anIndexIsAWholeNumberOfAClass() throws IOException {
    for (String text : List.of("1.5\n", "7\n", "1,2\n")) {
      Path x = Files.writeString(folder.resolve("x.csv"), text);
      Shell.Result result = recur("run", file("text.pt"), "--as", LAYERS, "--input", x.toString());
      assertFails(1, text.equals("1,2\n") ? "2 values in a line" : "of 7", result);
    }
  }
}

package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag(Devices.CPU)
class ReadmeTest {
  /** As a user runs it: pasted into a file, which {@code java} compiles. */
  @Test
  void theFirstProgramLearnsItsText(@TempDir Path folder) throws Exception {
    Path program = folder.resolve("First.java");
    Files.writeString(program, firstProgram());
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                program.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly().waitFor();
    String printed = Files.readString(output).strip();
    assertTrue(ended, printed);
    assertEquals(0, process.exitValue(), printed);
    assertTrue(printed.contains("Recur(LSTMCell(5 => 32))"), printed);
    float loss = Float.parseFloat(printed.substring(printed.lastIndexOf("loss ") + 5));
    assertTrue(loss < 0.05, printed);
  }

  private static String firstProgram() throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    int start = readme.indexOf("```java\n") + "```java\n".length();
    return readme.substring(start, readme.indexOf("```", start));
  }
}

package io.recur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.DeviceException;
import io.recur.device.Devices;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a user reads when something goes wrong outside of the command: one line with a remedy. */
@Tag(Devices.CPU)
class FailureTest {
  @TempDir private Path folder;

  @Test
  void errorsAreOneLineWithARemedy() {
    assertLine("java -Xmx", new OutOfMemoryError("Java heap space"));
    assertLine("-XX:ThreadStackSize", new StackOverflowError());
    assertLine("recur-cli.jar", new NoClassDefFoundError("picocli/CommandLine"));
    assertLine(
        "recur: it is missing",
        new ExceptionInInitializerError(new DeviceException("it is missing")));
    assertLine("recur: FILE\\u001b[2J", new IllegalArgumentException("FILE\u001b[2J\nrecur: good"));
  }

  private static void assertLine(String part, Throwable failure) {
    String line = Failure.line(failure);
    assertTrue(line.startsWith("recur: ") && line.contains(part), line);
    assertEquals(1, line.lines().count(), line);
  }

  @Test
  void aHeapThatIsTooSmallIsToldInOneLine() throws Exception {
    Path text = folder.resolve("text");
    Files.writeString(text, "a text that is longer than it looks.\n".repeat(600_000));
    Path out = folder.resolve("model");
    ProcessBuilder child =
        Shell.child(
            List.of("-Xmx24m"), "train", "--text", text.toString(), "--out", out.toString());
    Shell.Result result = Shell.ended(child, folder);
    Shell.assertFails(1, "recur: out of memory: ", result);
    assertTrue(result.err().contains("java -Xmx"), result.err());
    assertFalse(Files.exists(out));
  }

  @Test
  void aJarWithoutTheCommandsLibrariesIsToldInOneLine() throws Exception {
    Path classes = Path.of(Main.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Shell.Result result =
        Shell.ended(Shell.childOf(classes.toString(), List.of(), "devices"), folder);
    Shell.assertFails(1, "run the whole recur-cli.jar", result);
    assertEquals(1, result.err().lines().count(), result.err());
  }

  /** As a pipe whose reader is gone, and as a disk that is full. */
  @ParameterizedTest
  @CsvSource({"Broken pipe, 0", "No space left on device, 1"})
  void aFailedWriteIsAFailureUnlessTheReaderHadEnough(String cause, int status) {
    OutputStream out =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException(cause);
          }
        };
    assertEquals(status, Main.run(out, StandardCharsets.UTF_8, "--help"));
  }

  @ParameterizedTest
  @CsvSource({
    "ANSI_X3.4-1968, caf\uFFFD\uFFFD, caf, true", // what JDK 25 makes of an é
    "US-ASCII, caf??, café, true",
    "US-ASCII, who?, who?, false",
    "UTF-8, caf\uFFFD, café, false",
    "windows-1252, who?, café, false"
  })
  void aMangledArgumentNamesItsCause(String encoding, String argument, String raw, boolean told) {
    Optional<String> message =
        PosixLocale.mangled(
            new String[] {"--prime", argument}, encoding, raw.getBytes(StandardCharsets.UTF_8));
    assertEquals(told, message.isPresent());
    message.ifPresent(text -> assertTrue(text.contains("set LC_ALL=C.UTF-8"), text));
  }

  @Test
  void anArgumentInAPosixLocaleEndsWith2() throws Exception {
    Path script = folder.resolve("script.sh"); // this JVM could not pass the bytes on by itself
    List<String> command = Shell.child(List.of(), "sample", "--prime").command();
    String words = String.join("' '", command);
    Files.writeString(script, "LC_ALL=C '" + words + "' 'café'\n");
    Shell.Result result = Shell.ended(new ProcessBuilder("sh", script.toString()), folder);
    Shell.assertFails(2, "set LC_ALL=C.UTF-8", result);
  }

  @Test
  void figuresAreThoseOfTheRootLocale() throws Exception {
    List<String> arabic = List.of("-Duser.language=ar", "-Duser.country=EG");
    Shell.Result plain = Shell.ended(Shell.child(List.of(), "train", "--help"), folder);
    Shell.Result result = Shell.ended(Shell.child(arabic, "train", "--help"), folder);
    assertEquals(plain, result);
    Shell.Result refused =
        Shell.ended(Shell.child(arabic, "sample", "--model", "x", "--length", "-1"), folder);
    Shell.assertFails(2, "--length=-1", refused);
  }
}

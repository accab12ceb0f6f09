package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.natives.CacheFolder;
import io.recur.device.natives.NativeChild;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What shows when the first device of a process is opened: each test is a JVM of its own on a
 * double of another driver or card, which opens a device again and again and ends well.
 */
class OpeningTest {
  @TempDir private Path folder;

  @BeforeEach
  void onlyOnTheDouble() {
    CpuDouble.assumeHere();
  }

  /** What the other JVM runs. */
  static final class Program {
    private Program() {}

    /**
     * Opens a device, and tells what the command tells.
     *
     * @param times how often
     */
    public static void main(String[] times) {
      for (int i = 0; i < Integer.parseInt(times[0]); i++) {
        try (Device device = Device.cuda(0)) {
          System.out.println("opened " + device.name());
        } catch (DeviceException e) {
          System.out.println("refused " + e.getMessage());
        }
      }
      Device.cudaReport().forEach(line -> System.out.println("report " + line));
    }
  }

  /** The lines of a JVM that opens a device; it ends well, whatever it meets. */
  private List<String> lines(int times, Map<String, String> variables)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m"));
    command.add(NativeChild.ACCESS);
    String property = System.getProperty(Libraries.PROPERTY);
    if (property != null) { // else the variable names it, which the child inherits
      command.add("-D" + Libraries.PROPERTY + "=" + Path.of(property).toAbsolutePath());
    }
    command.add("-D" + CacheFolder.PROPERTY + "=" + folder.resolve("cache"));
    command.addAll(List.of("-cp", NativeChild.classPath(), Program.class.getName(), "" + times));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(variables);
    Path output = Files.createTempFile(folder, "output", ".txt");
    Process process = builder.redirectOutput(output.toFile()).start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "the child does not end");
    List<String> lines = Files.readAllLines(output);
    assertEquals(0, process.exitValue(), () -> String.join("\n", lines));
    return lines;
  }

  /** The child's line of that beginning has all the words. */
  private static Consumer<String> line(String start, String... words) {
    return line -> {
      assertTrue(line.startsWith(start), line);
      for (String word : words) {
        assertTrue(line.contains(word), () -> "no '" + word + "' in: " + line);
      }
    };
  }

  @SafeVarargs
  private void shows(Map<String, String> variables, int times, Consumer<String>... expected)
      throws IOException, InterruptedException {
    List<String> lines = lines(times, variables);
    for (int i = 0; i < expected.length; i++) {
      expected[i].accept(lines.get(i));
    }
  }

  @Test
  void aDriverThatDoesNotStartIsToldWithTheRemedyAndTriedAgain() throws Exception {
    String here = "refused cuda: cuInit of the driver ";
    shows(
        Map.of(
            "RECUR_DOUBLE_FAIL",
            "cuInit=34,cuInit=46,cuInit=100,cuInit=304,cuInit=802,cuInit=803,cuInit=804,cuInit=999"),
        9,
        line(here, "librecur-double.so, version 13.0: 34 CUDA_ERROR_STUB_LIBRARY", "stubs"),
        line(here, "46 CUDA_ERROR_DEVICE_UNAVAILABLE", "nvidia-smi -q -d COMPUTE"),
        line(here, "100 CUDA_ERROR_NO_DEVICE", "CUDA_VISIBLE_DEVICES"),
        line(here, "304 CUDA_ERROR_OPERATING_SYSTEM", "/dev/nvidia"),
        line(here, "802 CUDA_ERROR_SYSTEM_NOT_READY", "nvidia-fabricmanager"),
        line(here, "803 CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "restart the machine"),
        line(here, "804 CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", "compat"),
        line(here, "999 CUDA_ERROR_UNKNOWN", "restart the machine"),
        line("opened cuda:0 ("));
  }

  @Test
  void aDriverThatIsTooOldIsRefused() throws Exception {
    String need = "is of CUDA 11.8; need 12.0 or later: install a newer one";
    shows(
        Map.of("RECUR_DOUBLE_DRIVER", "11080"),
        1,
        line("refused cuda: the driver ", need),
        line("report cuda: the driver ", need));
  }

  @Test
  void aCompilerOfALaterCudaThanTheDriversIsRefused() throws Exception {
    shows(
        Map.of("RECUR_DOUBLE_DRIVER", "12040"),
        1,
        line(
            "refused cuda: the NVRTC ",
            "is of CUDA 13.0, the driver of CUDA 12.4; need a driver of CUDA 13 or later",
            "-Dio.recur.cuda=FOLDER"));
  }

  @Test
  void aCardThatIsTooOldIsRefusedAndTheReportTellsIt() throws Exception {
    String need = "compute capability 7.5); need compute capability 8.0 or later";
    shows(
        Map.of("RECUR_DOUBLE_CAPABILITY", "75"),
        1,
        line("refused cuda: cuda:0 (CPU double", need, "run on Device.cpu()"),
        line("report cuda:0 (CPU double", "compute capability 7.5) cannot be used: ", need));
  }

  /** NVRTC gives PTX then, and the driver must be as new as NVRTC. */
  @Test
  void aNewerCardNeedsADriverAsNewAsTheCompiler() throws Exception {
    shows(
        Map.of(
            "RECUR_DOUBLE_CAPABILITY",
            "121",
            "RECUR_DOUBLE_FAIL",
            "cuModuleLoadData=222,cuModuleLoadData=221"),
        3,
        line("refused cuda: cuModuleLoadData", "222 ", "NVRTC is newer than the driver"),
        line("refused cuda: cuModuleLoadData", "221 ", "libnvidia-ptxjitcompiler"),
        line("opened cuda:0 (", "compute capability 12.1"));
  }

  @Test
  void kernelsThatTheDriverRefusesTwiceAreToldWithTheRemedy() throws Exception {
    shows(
        Map.of("RECUR_DOUBLE_FAIL", "cuModuleLoadData=200,cuModuleLoadData=209"),
        2,
        line(
            "refused cuda: cuModuleLoadData of the kernels on cuda:0: 209 ",
            "name another NVRTC with -Dio.recur.cuda=FOLDER"),
        line("opened cuda:0 ("));
  }

  @Test
  void noCardIsToldWithWhatMayHideThem() throws Exception {
    shows(
        Map.of("RECUR_DOUBLE_DEVICES", "0"),
        1,
        line("refused cuda: ordinal=0, GPUs=0; need ", "CUDA_VISIBLE_DEVICES"));
  }
}

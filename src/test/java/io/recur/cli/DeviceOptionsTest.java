package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.recur.device.Device;
import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --device}, {@code --precision}, {@code --threads} and {@code recur devices}. */
class DeviceOptionsTest {
  @TempDir private Path folder;

  private Shell.Result train(Path out, int epochs, String... more) throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the quick brown fox jumps over the lazy dog.\n".repeat(60));
    List<String> arguments = new ArrayList<>(List.of("train", "--text", text.toString()));
    arguments.addAll(List.of("--hidden", "24", "--batch", "4", "--steps", "16", "--rate", "0.02"));
    arguments.addAll(List.of("--epochs", "" + epochs, "--out", out.toString()));
    arguments.addAll(List.of(more));
    Shell.Result result = recur(arguments.toArray(String[]::new));
    assertEquals(0, result.status(), result.err());
    return result;
  }

  private static double bits(Shell.Result result) {
    return Double.parseDouble(result.lastLine().split(" ")[1]);
  }

  private static String sample(Path model, String device) {
    String[] arguments = {
      "sample", "--model", model.toString(), "--temperature", "0", "--device", device
    };
    Shell.Result result = recur(arguments);
    assertEquals(0, result.status(), result.err());
    return result.out();
  }

  /** Half on the processor and half on the device of this run, and the other way round. */
  @Test
  void aTrainingMovesBetweenDevices() throws IOException {
    Path whole = folder.resolve("whole.safetensors");
    Path half = folder.resolve("half.safetensors");
    double unbroken = bits(train(whole, 6));
    for (List<String> devices :
        List.of(List.of("cpu", Devices.name()), List.of(Devices.name(), "cpu"))) {
      train(half, 3, "--device", devices.get(0));
      Shell.Result rest = train(half, 6, "--resume", half.toString(), "--device", devices.get(1));
      // 240 steps on float32 sums in another order
      assertEquals(unbroken, bits(rest), 0.02 * unbroken, devices.toString());
    }
  }

  @Test
  void aModelWritesTheSameTextOnEveryDevice() throws IOException {
    Path model = folder.resolve("model.safetensors");
    train(model, 12, "--device", Devices.name());
    assertEquals(sample(model, "cpu"), sample(model, Devices.name()));
  }

  @Test
  void aGpuTakesItsPrecision() throws IOException {
    assumeFalse(Devices.isCpu(), "the processor multiplies in float32 alone");
    for (String precision : new String[] {"float32", "tf32", "bf16"}) {
      Path out = folder.resolve(precision + ".safetensors");
      Shell.Result result = train(out, 6, "--device", Devices.name(), "--precision", precision);
      assertTrue(bits(result) < 1, precision + ": " + result.lastLine());
    }
  }

  @Test
  void whatNamesNoDeviceExitsWith2() {
    String[] sample = {"sample", "--model", "none"};
    assertFails(2, "need cpu, cuda or cuda:N", with(sample, "--device", "gpu"));
    assertFails(2, "name=cuda:x", with(sample, "--device", "cuda:x"));
    assertFails(2, "multiplies in FLOAT32", with(sample, "--precision", "bf16"));
    assertFails(2, "but was 'half'", with(sample, "--precision", "half"));
    assertFails(2, "--threads=0; need 1 or more", with(sample, "--threads", "0"));
    assertFails(2, "threads=1000000; need 1 to 1024", with(sample, "--threads", "1000000"));
    assertFails(
        2, "threads are the processor's", with(sample, "--threads", "2", "--device", "cuda"));
    assertFails(2, "need cpu, cuda or cuda:N", recur("devices", "gpu"));
  }

  private static Shell.Result with(String[] first, String... options) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(options));
    return recur(all.toArray(String[]::new));
  }

  /** No folder can hold OpenBLAS; that must not hide the GPUs. */
  @Test
  void withoutAFolderForLibrariesTheDevicesAreStillShown() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    List<String> options =
        List.of("-Dio.recur.cache=" + file.resolve("cache"), "-Djava.io.tmpdir=" + file);
    Shell.Result result = Shell.ended(Shell.child(options, "devices"), folder);
    assertEquals(0, result.status(), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
    assertTrue(result.out().contains(": cannot be opened: "), result.out());
    assertTrue(result.out().contains("-Dio.recur.cache=FOLDER"), result.out());
    List<String> lines = result.out().lines().toList();
    List<String> gpus = Device.cudaReport();
    assertEquals(gpus, lines.subList(lines.size() - gpus.size(), lines.size()));
  }

  /** Nothing falls back to the processor. */
  @Test
  void aGpuThatIsNotThereExitsWith1() {
    String[] sample = {"sample", "--model", "none"};
    assertFails(1, "cuda", with(sample, "--device", "cuda:9999"));
    assertFails(1, "cuda", recur("devices", "cuda:9999"));
  }

  @Test
  void theDevicesAreShown() {
    Shell.Result all = recur("devices");
    assertEquals(0, all.status(), all.err());
    List<String> lines = all.out().lines().toList();
    assertTrue(lines.getFirst().startsWith("cpu (OpenBLAS "), all.out());
    assertEquals(Device.cudaReport(), lines.subList(1, lines.size()));
    Shell.Result here = recur("devices", Devices.name());
    assertEquals(0, here.status(), here.err());
    try (Device device = Devices.here()) {
      assertEquals(device.name(), here.out().strip());
    }
  }
}

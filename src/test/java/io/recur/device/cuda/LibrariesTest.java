package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.Precision;
import io.recur.device.natives.Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag(Devices.CPU)
class LibrariesTest {
  @TempDir private Path folder;

  @BeforeEach
  void onlyWithTheNamesOfLinux() {
    assumeTrue(Bundle.platform().startsWith("linux"), "libraries are named otherwise here");
  }

  private Path file(String name) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    return Files.createFile(folder.resolve(name));
  }

  private static boolean hasDriver() {
    return Folders.system().stream()
        .anyMatch(system -> Files.exists(system.resolve("libcuda.so.1")));
  }

  @Test
  void withoutADriverNothingIsOpenedAndTheMessageNamesIt() {
    assumeTrue(System.getenv(Libraries.ENVIRONMENT) == null, "a folder is named here");
    assumeTrue(!hasDriver(), "this machine has a driver");
    Thrown.says(
        DeviceException.class,
        () -> Device.cuda(0),
        "cuda: no NVIDIA driver found: looked for libcuda.so.1 in ",
        "/usr/lib",
        "install the driver of your GPU, or run on Device.cpu()",
        "-Dio.recur.cuda=FOLDER or RECUR_CUDA");
    Thrown.says(DeviceException.class, () -> Device.of("cuda:1"), "libcuda.so.1");
    assertTrue(Device.cudaReport().getFirst().startsWith("cuda: no NVIDIA driver found"));
  }

  @Test
  void aNameThatLeadsNowhereIsNotPassedOver() {
    Path nowhere = folder.resolve("nowhere");
    Thrown.says(
        DeviceException.class,
        () -> Libraries.named(nowhere, "-Dio.recur.cuda"),
        "cuda: -Dio.recur.cuda=" + nowhere + " is neither a file nor a folder");
  }

  @Test
  void aFileThatIsNoLibraryIsRefusedByName() throws IOException {
    Path file = file("libcuda.so.1");
    Thrown.says(
        DeviceException.class,
        () -> Libraries.named(folder, "-Dio.recur.cuda"),
        "cuda: " + file + " cannot be opened: ",
        "-Dio.recur.cuda=FOLDER");
  }

  @Test
  void aMissingLibraryIsToldWithItsNamesAndFolders() {
    Thrown.says(
        DeviceException.class,
        () -> LibraryFile.COMPILER.find(List.of(13, 12), List.of(List.of(folder))),
        "cuda: no NVRTC found: looked for libnvrtc.so.13, libnvrtc.so.12 in " + folder,
        "pip install nvidia-cuda-nvrtc");
    Thrown.says(
        DeviceException.class,
        () -> LibraryFile.BLAS.find(List.of(12), List.of(List.of())),
        "cuda: no cuBLAS found: looked for libcublas.so.12 in no folder",
        "pip install nvidia-cublas");
  }

  @Test
  void theNewestVersionOfTheFirstPlaceIsTaken() throws IOException {
    Path older = file("system/libcublas.so.12");
    Path newer = file("wheels/libcublas.so.13");
    List<Path> system = List.of(older.getParent());
    List<Path> wheels = List.of(newer.getParent());
    assertEquals(older, LibraryFile.BLAS.find(List.of(13, 12), List.of(system, wheels)));
    assertEquals(newer, LibraryFile.BLAS.find(List.of(13), List.of(system, wheels)));
    Path both = file("system/libcublas.so.13");
    assertEquals(both, LibraryFile.BLAS.find(List.of(13, 12), List.of(system, wheels)));
  }

  @Test
  void theBuiltinsOfTheSameVersionGoWithTheCompiler() throws IOException {
    Path full = file("libnvrtc.so.12.4.127");
    Path link = Files.createSymbolicLink(folder.resolve("libnvrtc.so.12"), full.getFileName());
    assertEquals(List.of(), LibraryFile.BUILTINS.beside(link));
    file("libnvrtc-builtins.so.12.2");
    Path mine = file("libnvrtc-builtins.so.12.4");
    file("libnvrtc-builtins.so.13.0");
    assertEquals(List.of(mine), LibraryFile.BUILTINS.beside(link));
  }

  @Test
  void aNamedFolderIsSearchedAsNvidiaPacksIt() throws IOException {
    Path toolkit = file("lib64/libnvrtc.so.13").getParent();
    Path wheel = file("cu13/lib/libcublas.so.13").getParent();
    assertEquals(List.of(folder, toolkit, wheel), Folders.below(folder));
  }

  @Test
  void whatIsTooOldIsRefusedWithItsVersion() {
    Thrown.says(
        DeviceException.class,
        () -> Libraries.refuseOld("driver", Path.of("/x/libcuda.so.1"), 11080),
        "cuda: the driver /x/libcuda.so.1 is of CUDA 11.8; need 12.0 or later");
    Libraries.refuseOld("driver", Path.of("/x/libcuda.so.1"), 12000);
    assertEquals("13.1", Libraries.version(13010));
  }

  @Test
  void aDeviceIsNamedOrRefused() {
    try (Device device = Device.of("cpu")) {
      assertFalse(device.name().isEmpty());
    }
    for (String name :
        new String[] {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU", "cuda:00000"}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> Device.of(name),
          "device: name=" + name + "; need cpu, cuda or cuda:N");
    }
    Thrown.says(
        IllegalArgumentException.class,
        () -> Device.of("cpu", Precision.BF16),
        "device: name=cpu, precision=BF16",
        "FLOAT32");
  }

  @Test
  void aLibraryOfALaterCudaThanTheDriversIsRefused() {
    Path file = Path.of("/x/libcublas.so.13");
    Thrown.says(
        DeviceException.class,
        () -> Libraries.refuseNewer("cuBLAS", file, 13010, 12080),
        "cuda: the cuBLAS /x/libcublas.so.13 is of CUDA 13.1, the driver of CUDA 12.8; need");
    Libraries.refuseNewer("cuBLAS", file, 12090, 12000); // minor versions go together
  }

  @Test
  void aCardThatTheKernelsAreNotMadeForIsRefused() {
    Thrown.says(
        DeviceException.class,
        () -> new Card(1, 1, "Old", 1L << 30, 7, 5, 10, true).refuseOld(),
        "cuda: cuda:1 (Old, 1.0 GiB, compute capability 7.5); need compute capability 8.0");
    new Card(1, 1, "Ampere", 1L << 30, 8, 0, 10, true).refuseOld();
  }
}

package io.recur.device.cuda;

import io.recur.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** NVIDIA's library files, by their names on Linux and on Windows. */
enum LibraryFile {
  DRIVER(
      "NVIDIA driver",
      "libcuda.so.1",
      "nvcuda.dll",
      "install the driver of your GPU, or run on Device.cpu()"),
  COMPILER(
      "NVRTC",
      "libnvrtc.so.%d",
      "nvrtc64_%d0_0.dll",
      "install the CUDA toolkit or pip install nvidia-cuda-nvrtc"),
  BUILTINS("NVRTC builtins", "libnvrtc-builtins.so.*", "nvrtc-builtins64_*.dll", ""),
  BLAS(
      "cuBLAS",
      "libcublas.so.%d",
      "cublas64_%d.dll",
      "install the CUDA toolkit or pip install nvidia-cublas"),
  BLAS_LIGHT("cuBLASLt", "libcublasLt.so.*", "cublasLt64_*.dll", "");

  private final String what;
  private final String pattern;
  private final String remedy;

  LibraryFile(String what, String linux, String windows, String remedy) {
    this.what = what;
    this.pattern = Folders.isWindows() ? windows : linux;
    this.remedy = remedy;
  }

  private String name(int major) {
    return pattern.formatted(major);
  }

  /**
   * Finds the first of these versions in the first place that has one.
   *
   * @throws DeviceException if no place has one; the message lists all names and folders
   */
  Path find(List<Integer> majors, List<List<Path>> places) {
    for (List<Path> folders : places) {
      for (int major : majors) {
        for (Path folder : folders) {
          Path file = folder.resolve(name(major));
          if (Files.isRegularFile(file)) {
            return file;
          }
        }
      }
    }
    List<String> names = majors.stream().map(this::name).distinct().toList();
    List<Path> folders = places.stream().flatMap(List::stream).distinct().toList();
    throw new DeviceException(
        "cuda: no %s found: looked for %s in %s; %s, or name its folder with -D%s=FOLDER or %s"
            .formatted(
                what,
                String.join(", ", names),
                Folders.told(folders),
                remedy,
                Libraries.PROPERTY,
                Libraries.ENVIRONMENT));
  }

  /**
   * Finds this file in the folder of a library that needs it, of the same version if the library's
   * full name gives one. Returns none if the file is not there; the library then looks for it
   * itself.
   */
  List<Path> beside(Path library) {
    List<Path> found = new ArrayList<>(Folders.listed(library.getParent(), pattern));
    String version = version(full(library));
    found.sort(
        Comparator.comparing((Path path) -> common(version(path), version))
            .reversed()
            .thenComparing(path -> path.toString().length()));
    return found.isEmpty() ? List.of() : List.of(found.getFirst());
  }

  private static Path full(Path library) {
    try {
      return library.toRealPath();
    } catch (IOException e) {
      return library; // loading it will say what is wrong
    }
  }

  /** {@return what follows the name: 12.4.127 of libnvrtc.so.12.4.127} */
  private static String version(Path path) {
    return path.getFileName().toString().replaceFirst("^.*?(\\.so\\.|64_)", "");
  }

  /** {@return the length of the common start of two versions} */
  private static int common(String a, String b) {
    int length = 0;
    while (length < Math.min(a.length(), b.length()) && a.charAt(length) == b.charAt(length)) {
      length++;
    }
    return length;
  }
}

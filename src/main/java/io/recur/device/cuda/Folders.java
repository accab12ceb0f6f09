package io.recur.device.cuda;

import io.recur.device.natives.Bundle;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where NVIDIA's libraries may lie, in the order in which they are looked for. */
final class Folders {
  private Folders() {}

  /** The system's own folders and those of the environment: where a soname is found. */
  static List<Path> system() {
    List<Path> folders = new ArrayList<>();
    for (String folder : System.getProperty("java.library.path", "").split(File.pathSeparator)) {
      add(folders, folder);
    }
    String processor =
        Bundle.platform().endsWith("arm64") ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
    add(folders, "/usr/lib/" + processor);
    add(folders, "/usr/lib64");
    add(folders, "/usr/lib/wsl/lib");
    add(folders, "/usr/local/nvidia/lib64");
    add(folders, "/run/opengl-driver/lib");
    return folders.stream().distinct().toList();
  }

  /** Of the Python packages nvidia-cublas and nvidia-cuda-nvrtc, wherever a Python may lie. */
  static List<Path> wheels() {
    List<Path> folders = new ArrayList<>();
    for (String home :
        Stream.of(
                System.getenv("VIRTUAL_ENV"),
                System.getenv("CONDA_PREFIX"),
                System.getProperty("user.home") + "/.local",
                "/usr/local",
                "/usr")
            .filter(Folders::isSet)
            .toList()) {
      for (Path python : listed(Path.of(home, "lib"), "python3*")) {
        for (String packages : List.of("site-packages", "dist-packages")) {
          for (Path nvidia : listed(python.resolve(packages).resolve("nvidia"), "*")) {
            add(folders, nvidia.resolve("lib").toString()); // cu13/lib, or one folder a library
          }
        }
      }
    }
    return folders;
  }

  /** Of the CUDA toolkit: the one that is named, the usual one, then the others, newest first. */
  static List<Path> toolkit() {
    List<String> homes =
        new ArrayList<>(
            Stream.of(System.getenv("CUDA_HOME"), System.getenv("CUDA_PATH"), "/usr/local/cuda")
                .filter(Folders::isSet)
                .toList());
    listed(Path.of("/usr/local"), "cuda-*").reversed().forEach(home -> homes.add(home.toString()));
    List<Path> folders = new ArrayList<>();
    for (String home : homes) {
      add(folders, home + "/lib64");
      add(folders, home + "/bin");
      add(folders, home + "/bin/x64");
    }
    return folders;
  }

  /** A folder that a user named, and what lies below it as in NVIDIA's packages and toolkit. */
  static List<Path> below(Path named) {
    List<Path> folders = new ArrayList<>(List.of(named));
    add(folders, named.resolve("lib64").toString());
    add(folders, named.resolve("lib").toString());
    for (Path inner : listed(named, "*")) {
      add(folders, inner.resolve("lib").toString());
    }
    return folders;
  }

  /** What a folder holds that is called so, in the order of names; nothing where there is none. */
  static List<Path> listed(Path folder, String pattern) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
        entries.forEach(found::add);
      } catch (IOException e) {
        return List.of(); // a folder that may not be read has nothing for us
      }
    }
    found.sort(null);
    return found;
  }

  /** Folders as an error tells them. */
  static String told(List<Path> folders) {
    return folders.isEmpty()
        ? "no folder"
        : String.join(", ", folders.stream().map(Path::toString).toList());
  }

  private static boolean isSet(@Nullable String value) {
    return value != null && !value.isBlank();
  }

  private static void add(List<Path> folders, String folder) {
    // of a relative one, whoever owns the current folder would decide
    if (Path.of(folder).isAbsolute() && Files.isDirectory(Path.of(folder))) {
      folders.add(Path.of(folder));
    }
  }

  /** Whether files are named as on Windows. */
  static boolean isWindows() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
  }
}

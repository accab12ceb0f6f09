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

/** The folders that may hold NVIDIA's libraries, in the order of the search. */
final class Folders {
  private Folders() {}

  /** {@return the system's folders and those of the environment, where a soname is found} */
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

  /** {@return the folders of the Python packages nvidia-cublas and nvidia-cuda-nvrtc} */
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
            add(folders, nvidia.resolve("lib").toString()); // cu13/lib, or one folder per library
          }
        }
      }
    }
    return folders;
  }

  /** {@return the toolkit's folders: the named one, the usual one, then others, newest first} */
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

  /** {@return a folder that a user named, and those below it in NVIDIA's packages and toolkit} */
  static List<Path> below(Path named) {
    List<Path> folders = new ArrayList<>(List.of(named));
    add(folders, named.resolve("lib64").toString());
    add(folders, named.resolve("lib").toString());
    for (Path inner : listed(named, "*")) {
      add(folders, inner.resolve("lib").toString());
    }
    return folders;
  }

  /** {@return the entries of a folder that match a pattern, by name; empty without a folder} */
  static List<Path> listed(Path folder, String pattern) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
        entries.forEach(found::add);
      } catch (IOException e) {
        return List.of(); // the folder cannot be read
      }
    }
    found.sort(null);
    return found;
  }

  /** {@return the folders as an error lists them} */
  static String told(List<Path> folders) {
    return folders.isEmpty()
        ? "no folder"
        : String.join(", ", folders.stream().map(Path::toString).toList());
  }

  private static boolean isSet(@Nullable String value) {
    return value != null && !value.isBlank();
  }

  private static void add(List<Path> folders, String folder) {
    // with a relative one, the owner of the current folder would decide what is loaded
    if (Path.of(folder).isAbsolute() && Files.isDirectory(Path.of(folder))) {
      folders.add(Path.of(folder));
    }
  }

  /** {@return whether files have their names on Windows} */
  static boolean isWindows() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
  }
}

package io.recur.cli;

import static io.recur.cli.Shell.recur;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.Resource;
import io.recur.device.Devices;
import io.recur.io.Npy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;

/**
 * The model files of another library beside its {@code make.py}, its answers to them as arrays, and
 * the command that a test runs on both.
 */
abstract class ModelFiles {
  static final String LAYERS = "embedding encoder.embedding, lstm encoder.lstm, linear head";
  private static final Pattern DIFFERENCE = Pattern.compile("largest difference: ([^,]+),");

  /** For what a test writes. */
  @TempDir Path folder;

  private final String library;
  final Pinned answers;

  /**
   * The files of a library.
   *
   * @param library its folder among the resources of the tests
   */
  ModelFiles(String library) {
    this.library = library;
    this.answers = Pinned.of("../%s/answers.txt".formatted(library));
  }

  String file(String name) {
    return Resource.file("/%s/%s".formatted(library, name)).toString();
  }

  String path(String name) {
    return folder.resolve(name).toString();
  }

  /** An answer of the library as an array: Recur's sizes in reverse order. */
  String array(String name) throws IOException {
    int[] dims = answers.dims(name);
    int[] sizes = new int[dims.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = dims[dims.length - 1 - i];
    }
    Path path = folder.resolve(name + ".npy");
    new Npy(sizes, answers.floats(name)).write(path);
    return path.toString();
  }

  static Shell.Result succeeded(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (!arguments[0].equals("info")) {
      all.addAll(List.of("--device", Devices.name()));
    }
    Shell.Result result = recur(all.toArray(String[]::new));
    assertEquals(0, result.status(), result.err());
    return result;
  }

  static Shell.Result converted(String in, String out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("convert", in, out));
    arguments.addAll(List.of(more));
    return recur(arguments.toArray(String[]::new));
  }

  static void assertAgrees(Shell.Result result) {
    Matcher difference = DIFFERENCE.matcher(result.out());
    assertTrue(difference.find(), result.out());
    assertTrue(Float.parseFloat(difference.group(1)) <= 1e-5f, result.out());
  }
}

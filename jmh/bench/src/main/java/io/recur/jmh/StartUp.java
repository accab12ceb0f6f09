package io.recur.jmh;

import io.recur.device.Device;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * From the start of a JVM to the first sampled character of a saved LSTM-256 model, as {@code java
 * -jar recur-cli.jar sample} gives it, without and with an archive of classes; and a {@link
 * FirstCall}.
 *
 * <p>The model is made once by {@code recur train}. {@code --short}: few runs, and no file is
 * written.
 */
public final class StartUp {
  private static final Path COMMAND = Path.of("target", "recur-cli.jar");
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz ,.\n";

  private StartUp() {}

  /** Milliseconds to the first byte, and all that was written. */
  private record Run(double milliseconds, String text) {}

  /**
   * Measures, prints, and writes a part of jmh/RESULTS.md.
   *
   * @param arguments nothing or {@code --short}
   * @throws Exception if the command fails or gives no character
   */
  public static void main(String[] arguments) throws Exception {
    boolean brief = List.of(arguments).contains("--short");
    if (!Files.exists(COMMAND)) {
      throw new IllegalStateException("StartUp: no " + COMMAND + "; run it with make bench");
    }
    Path folder = Files.createTempDirectory("recur-start-up-");
    try {
      String text = measured(folder, brief ? 2 : 15);
      System.out.println(text);
      if (!brief) {
        try (Device device = Device.cpu()) {
          Results.write("StartUp", Results.circumstances(device) + "\n\n" + text);
        }
      }
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static String measured(Path folder, int runs) throws Exception {
    List<String> sample = List.of("sample", "--model", train(folder).toString(), "--length", "1");
    String archive = "-XX:SharedArchiveFile=" + folder.resolve("recur.jsa");
    run(List.of("-XX:+AutoCreateSharedArchive", archive), sample);
    double plain = median(runs, List.of(), sample);
    double archived = median(runs, List.of(archive), sample);
    double version = median(runs, List.of(), List.of("--version"));
    double[] cold = new double[runs];
    for (int i = 0; i < runs; i++) {
      cold[i] = Double.parseDouble(firstCall().getFirst());
    }
    List<String> warm = firstCall("--warm");
    return String.format(
        Locale.ROOT,
        """
        JVM start to the first sampled character of an LSTM-256: %.0f ms, with an archive of classes \
        %.0f ms; of the same command's `--version`: %.0f ms. Medians of %d runs.

        First compiled call of an LSTM-256, with tracing and compiling: %.0f ms in a cold JVM, median \
        of %d runs; %s ms in a warm one, and %s ms for its second batch.""",
        plain,
        archived,
        version,
        runs,
        Results.median(cold),
        runs,
        warm.getFirst(),
        warm.getLast());
  }

  private static Path train(Path folder) throws Exception {
    Path text = folder.resolve("text");
    Files.writeString(text, (ALPHABET + new StringBuilder(ALPHABET).reverse()).repeat(40));
    Path model = folder.resolve("model.safetensors");
    run(
        List.of(),
        List.of(
            "train",
            "--text",
            text.toString(),
            "--epochs",
            "1",
            "--batch",
            "4",
            "--steps",
            "32",
            "--hidden",
            "256",
            "--out",
            model.toString()));
    return model;
  }

  /** All runs must write the same, and something. */
  private static double median(int runs, List<String> options, List<String> arguments)
      throws Exception {
    run(options, arguments); // files into the system's cache
    double[] milliseconds = new double[runs];
    String expected = null;
    for (int i = 0; i < runs; i++) {
      Run run = run(options, arguments);
      milliseconds[i] = run.milliseconds;
      expected = expected == null ? run.text : expected;
      if (!run.text.equals(expected)) {
        throw new IllegalStateException(
            "StartUp: %s gave '%s' and then '%s'".formatted(arguments, expected, run.text));
      }
    }
    checkSampled(arguments, expected);
    return Results.median(milliseconds);
  }

  private static void checkSampled(List<String> arguments, String text) {
    boolean sampled = text.length() == 2 && ALPHABET.indexOf(text.charAt(0)) >= 0;
    if (arguments.contains("sample") && !sampled) {
      throw new IllegalStateException(
          "StartUp: '%s' is not one character of the text and a line's end".formatted(text));
    }
  }

  /** Runs the command with options of the JVM. */
  private static Run run(List<String> options, List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(options);
    command.addAll(List.of("-jar", COMMAND.toString()));
    command.addAll(arguments);
    return java(command);
  }

  /** {@return the lines that {@link FirstCall} prints, in a JVM of its own} */
  private static List<String> firstCall(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(FirstCall.class.getName());
    command.addAll(List.of(arguments));
    return java(command).text.lines().toList();
  }

  private static Run java(List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>(arguments);
    command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ProcessBuilder builder = new ProcessBuilder(command);
    Path errors = Files.createTempFile("recur-start-up-", ".err");
    try {
      builder.redirectError(errors.toFile());
      long from = System.nanoTime();
      Process process = builder.start();
      try (InputStream out = process.getInputStream()) {
        int first = out.read();
        double milliseconds = (System.nanoTime() - from) / 1e6;
        String rest = new String(out.readAllBytes());
        int status = process.waitFor();
        if (status != 0 || first < 0) {
          throw new IOException(
              "StartUp: %s ended with status %d: %s"
                  .formatted(command, status, Files.readString(errors)));
        }
        return new Run(milliseconds, (char) first + rest);
      }
    } finally {
      Files.delete(errors);
    }
  }
}

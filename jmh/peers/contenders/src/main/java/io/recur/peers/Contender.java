package io.recur.peers;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * One who computes a work, in a process of its own that stays up and answers line by line:
 *
 * <pre>
 * version              = 1.2.3
 * prepare FOLDER       = ready
 * check PASS FOLDER    = done, and the arrays of the answer lie in that folder
 * run PASS N           = milliseconds an iteration, median of up to {@link #GROUPS} groups of the N
 * </pre>
 *
 * or {@code ! reason}. Lines that begin otherwise are a library's chatter.
 */
interface Contender {
  /** The caches are cold when a turn begins, and the system interrupts: the median forgets both. */
  int GROUPS = 9;

  /** What is measured, with its version. */
  String version();

  /**
   * Takes over a work.
   *
   * @throws UnsupportedOperationException with the reason, if it has no such model
   */
  void prepare(Work work) throws Exception;

  /**
   * One pass from the beginning.
   *
   * @return y, and in training the gradients dWi0, dWh0, db0, …; laid out as {@link Work} says
   */
  Map<String, float[]> answer(String pass) throws Exception;

  /** One pass, to be timed. */
  void once(String pass) throws Exception;

  /** Waits for what a device has still to do; timed with the passes before it. */
  default void finish() {}

  /** A single step, from the state that the step before has left. */
  interface Step {
    /** Gives y for x, both of one step. */
    float[] apply(float[] x) throws Exception;
  }

  /** The outputs of a work's steps, taken one at a time. */
  static float[] steps(Work work, Step step) throws Exception {
    float[] x = work.array("x");
    int in = work.in() * work.batch();
    int out = work.hidden() * work.batch();
    float[] outputs = new float[out * work.time()];
    for (int t = 0; t < work.time(); t++) {
      float[] y = step.apply(Arrays.copyOfRange(x, t * in, (t + 1) * in));
      System.arraycopy(y, 0, outputs, t * out, out);
    }
    return outputs;
  }

  /** Answers the driver until it closes the pipe. */
  static void serve(Contender contender) throws IOException {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String answer;
      try {
        answer = "= " + respond(contender, line.split(" ", 3));
      } catch (Exception | LinkageError e) {
        e.printStackTrace();
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        answer = "! " + message.lines().findFirst().orElse(e.toString());
      }
      out.println(answer);
    }
    System.exit(0); // whatever threads a library has left
  }

  private static String respond(Contender contender, String[] words) throws Exception {
    switch (words[0]) {
      case "version":
        return contender.version();
      case "prepare":
        contender.prepare(Work.read(Path.of(words[1])));
        return "ready";
      case "check":
        Path folder = Files.createDirectories(Path.of(words[2]));
        for (Map.Entry<String, float[]> array : contender.answer(words[1]).entrySet()) {
          Work.write(folder, array.getKey(), array.getValue());
        }
        return "done";
      case "run":
        int times = Integer.parseInt(words[2]);
        double[] turn = new double[Math.min(times, GROUPS)];
        for (int i = 0; i < turn.length; i++) {
          turn[i] =
              milliseconds(
                  contender,
                  words[1],
                  (int) ((long) times * i / turn.length),
                  (int) ((long) times * (i + 1) / turn.length));
        }
        Arrays.sort(turn);
        double median = (turn[(turn.length - 1) / 2] + turn[turn.length / 2]) / 2;
        return String.format(Locale.ROOT, "%.6f", median);
      default:
        throw new IllegalArgumentException("unknown command " + words[0]);
    }
  }

  /** Of one iteration, over those from begin to end. */
  private static double milliseconds(Contender contender, String pass, int begin, int end)
      throws Exception {
    long began = System.nanoTime();
    for (int i = begin; i < end; i++) {
      contender.once(pass);
    }
    contender.finish();
    return (System.nanoTime() - began) / 1e6 / (end - begin);
  }
}

package io.recur.silero;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Compares the answers of Recur and of ONNX Runtime over {@link #CHUNKS} chunks of speech, the state
 * carried over all of them, and then their speed, turn by turn.
 */
final class Silero {
  private static final int CHUNKS = 1000;
  private static final double TOLERANCE = 1e-5;

  /** Of the chunks as many are surely speech, and as many surely not, in ONNX Runtime. */
  private static final double SHARE = 0.2;

  private static final int CORES = Runtime.getRuntime().availableProcessors();
  private static final int TURNS = 7;
  private static final double MOST_CORE_MICROS = 35;

  /** Opens a contender with a number of threads. */
  private interface Contender {
    Vad open(int threads) throws Exception;
  }

  private Silero() {}

  public static void main(String[] args) throws Exception {
    Path model = Path.of(args[0]);
    List<Path> files = Arrays.stream(args).skip(1).map(Path::of).toList();
    Recording recording = Recording.of(files);
    boolean isRight = answers(model, recording);
    speed(model, recording, 1);
    speed(model, recording, 64);
    if (!isRight) {
      System.exit(1);
    }
  }

  private static boolean answers(Path model, Recording recording) throws Exception {
    float[] theirs = answers(new OnnxRuntimeVad(model, 1), recording);
    float[] ours = answers(new RecurVad(model, 1), recording);
    double[] shares = Recording.shares(theirs, 0.9, 0.1);
    double worst = 0;
    for (int i = 0; i < CHUNKS; i++) {
      worst = Math.max(worst, Math.abs(theirs[i] - ours[i]));
    }
    print(
        "%d chunks of %.0f s of speech: ONNX Runtime gives %.0f %% above 0.9, %.0f %% below 0.1",
        CHUNKS, recording.seconds(), 100 * shares[0], 100 * shares[1]);
    print("largest difference %.1e, need %.0e or less", worst, TOLERANCE);
    boolean isSpeech = shares[0] >= SHARE && shares[1] >= SHARE;
    if (!isSpeech) {
      print("the recording is no test: need %.0f %% of each", 100 * SHARE);
    }
    return isSpeech && worst <= TOLERANCE;
  }

  private static float[] answers(Vad vad, Recording recording) throws Exception {
    try (vad) {
      float[] answers = new float[CHUNKS];
      for (int i = 0; i < CHUNKS; i++) {
        answers[i] = vad.hear(recording.window(i))[0];
      }
      return answers;
    }
  }

  /** The medians of turns, which the contenders take in turn, each alone in the process's memory. */
  private static void speed(Path model, Recording recording, int streams) throws Exception {
    List<float[]> windows = new ArrayList<>();
    for (int chunk = 0; chunk < 50; chunk++) {
      windows.add(recording.windows(streams, chunk));
    }
    Contender[] contenders = {
      threads -> new RecurVad(model, threads), threads -> new OnnxRuntimeVad(model, threads)
    };
    String[] names = {"Recur", "ONNX Runtime"};
    double[][][] turns = new double[2][contenders.length][TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
      for (int who = 0; who < contenders.length; who++) {
        turns[0][who][turn] = micros(contenders[who].open(1), windows, streams);
        turns[1][who][turn] = micros(contenders[who].open(CORES), windows, streams);
      }
    }
    for (int who = 0; who < contenders.length; who++) {
      double one = median(turns[0][who]);
      double all = median(turns[1][who]);
      print(
          "%d stream(s), %s: %.1f µs a chunk on 1 core; %.1f on %d, %.1f µs of core time",
          streams, names[who], one, all, CORES, all * CORES);
    }
    if (streams > 1) {
      double best = Math.min(median(turns[0][0]), CORES * median(turns[1][0]));
      print("core time per stream and chunk %.1f µs, need %.0f or less", best, MOST_CORE_MICROS);
    } else {
      double ours = Math.min(median(turns[0][0]), median(turns[1][0]));
      double theirs = Math.min(median(turns[0][1]), median(turns[1][1]));
      print("one chunk %.1f µs, need less than ONNX Runtime's %.1f", ours, theirs);
    }
  }

  /** The time per stream and chunk, after as much has warmed up. */
  private static double micros(Vad vad, List<float[]> windows, int streams) throws Exception {
    try (vad) {
      int rounds = streams == 1 ? 20 : 2;
      hear(vad, windows, rounds);
      long began = System.nanoTime();
      hear(vad, windows, rounds);
      return (System.nanoTime() - began) / 1e3 / rounds / windows.size() / streams;
    }
  }

  private static void hear(Vad vad, List<float[]> windows, int rounds) throws Exception {
    for (int round = 0; round < rounds; round++) {
      for (float[] window : windows) {
        vad.hear(window);
      }
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static void print(String format, Object... values) {
    System.out.println(format.formatted(values));
  }
}

package io.recur.examples;

import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.grad.*;
import io.recur.nn.Chain;
import io.recur.train.*;
import java.util.*;

/** Scores each reading of a stream by how much it surprises a model of the readings before it. */
final class Anomalies {
  static final int STREAMS = 8, BEATS = 60, BEAT = 16, ALARM = 20;

  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      Set<Integer> faults = Set.of(11, 23, 37, 53);
      double[] scores = scores(learn(device), device, readings(99, faults));
      for (int beat = 0; beat < BEATS; beat++) {
        if (scores[beat] > ALARM) {
          System.out.printf(
              "beat %d: %.0f%s%n", beat, scores[beat], faults.contains(beat) ? ", a fault" : "");
        }
      }
    }
  }

  static Chain learn(Device device) {
    Chain model = chain(gru(1, 32), dense(32, 2)).on(device, 42);
    List<float[][]> normal = new ArrayList<>();
    for (int seed = 0; seed < STREAMS; seed++) {
      normal.add(readings(seed, Set.of()));
    }
    Batches batches =
        Batches.carried(
            BEATS / 4 - 1,
            (tape, chunk) -> {
              int from = chunk[0] * 4 * BEAT, to = from + 4 * BEAT;
              Tensor x = Sequences.batch(tape, normal);
              return surprise(model.apply(x.times(from, to)), x.times(from + 1, to + 1)).mean();
            });
    try (Tape tape = Tape.on(device)) {
      new Trainer(model, new Adam(0.01f), tape).clipNorm(1).fit(batches).run(30);
    }
    return model;
  }

  /** A pulse per beat and noise; a fault turns a beat around: normal values in another order. */
  static float[][] readings(int seed, Set<Integer> faults) {
    Random random = new Random(seed);
    float[][] readings = new float[BEATS * BEAT][1];
    for (int t = 0; t < readings.length; t++) {
      int at = faults.contains(t / BEAT) ? BEAT - t % BEAT : t % BEAT;
      double pulse = Math.sin(2 * Math.PI * at / BEAT) + Math.sin(4 * Math.PI * at / BEAT);
      readings[t][0] = (float) (pulse + 0.1 * random.nextGaussian());
    }
    return readings;
  }

  /** −log p(next) of each column under the model's normal distribution, less a constant. */
  static Tensor surprise(Tensor y, Tensor next) {
    Tensor mean = y.rows(0, 1), logDeviation = y.rows(1, 2).clamp(-4, 2);
    Tensor z = next.sub(mean).mul(Functions.exp(logDeviation.scale(-1)));
    return Functions.square(z).scale(0.5f).add(logDeviation);
  }

  /**
   * Reads a stream and {@return the largest surprise of each beat} A reading that raises an alarm
   * gives way to its forecast, so that it does not upset the model's state.
   */
  static double[] scores(Chain model, Device device, float[][] readings) {
    double[] scores = new double[BEATS];
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      float last = readings[0][0];
      for (int t = 1; t < readings.length; t++) {
        Tensor y = model.apply(tape.input(last));
        float score = surprise(y, tape.input(readings[t])).scalar();
        scores[t / BEAT] = Math.max(scores[t / BEAT], score);
        last = score > ALARM ? y.toArray()[0] : readings[t][0];
        tape.clear();
      }
    }
    return scores;
  }
}

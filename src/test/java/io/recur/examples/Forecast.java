package io.recur.examples;

import static io.recur.nn.Layers.*;

import io.recur.device.Device;
import io.recur.grad.*;
import io.recur.nn.*;
import io.recur.train.*;
import java.util.*;

/** Forecasts a day of hourly demand: for each hour an interval that holds 90 %. */
final class Forecast {
  static final int WEEK = 24 * 7, WEEKS = 10, PATHS = 200, K = 2;

  public static void main(String[] args) {
    try (Device device = Device.cpu()) {
      float[][] x = demand(99); // a series that the model has not seen
      float[][] day = forecast(learn(device), device, Arrays.copyOf(x, 3 * WEEK));
      for (int h = 0; h < 24; h++) {
        float low = day[h][PATHS / 20], high = day[h][PATHS * 19 / 20], truth = x[3 * WEEK + h][0];
        System.out.printf("%02d:00  %5.2f … %5.2f  truth %5.2f%n", h, low, high, truth);
      }
    }
  }

  /** Demand by hour: a daily cycle and deviations that fade, larger by day. */
  static float[][] demand(int seed) {
    Random random = new Random(seed);
    float[][] x = new float[WEEKS * WEEK][];
    double deviation = 0;
    for (int t = 0; t < x.length; t++) {
      float[] clock = input(0, t - 1);
      deviation = 0.8 * deviation + 0.1 * (1.2 - clock[2]) * random.nextGaussian();
      x[t] = input(deviation - clock[2] - 0.4 * clock[1], t);
    }
    return x;
  }

  /** What is known in hour t: its demand, and the clock of the hour to come. */
  static float[] input(double demand, int t) {
    double angle = 2 * Math.PI * (t + 1) / 24;
    return new float[] {(float) demand, (float) Math.sin(angle), (float) Math.cos(angle)};
  }

  static Chain learn(Device device) {
    Chain model = chain(gru(3, 32), dense(32, 3 * K)).on(device, 42);
    List<float[][]> series = new ArrayList<>();
    for (int seed = 0; seed < 16; seed++) {
      series.add(demand(seed));
    }
    Batches weeks =
        Batches.carried(
            WEEKS - 1,
            (tape, week) -> {
              int from = week[0] * WEEK, to = from + WEEK;
              Tensor x = Sequences.batch(tape, series);
              Tensor next = x.times(from + 1, to + 1).rows(0, 1);
              Tensor y = model.apply(x.times(from, to));
              return MixtureLoss.gaussianMixtureLoss(
                  y.rows(0, K), y.rows(K, 2 * K), y.rows(2 * K, 3 * K).clamp(-5, 2), next);
            });
    try (Tape tape = Tape.on(device)) {
      Schedule schedule = Schedule.cosine(0.01f, 0, 40 * (WEEKS - 1));
      new Trainer(model, new Adam(0.01f), tape).clipNorm(1).schedule(schedule).fit(weeks).run(40);
    }
    return model;
  }

  /** Draws paths that may follow the past, hour by hour. Each hour is sorted: its quantiles. */
  static float[][] forecast(Chain model, Device device, float[][] past) {
    float[][] paths = new float[24][PATHS];
    Random random = new Random(1);
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      Tensor y = model.apply(Sequences.batch(tape, List.<float[][]>of(past))).time(past.length - 1);
      for (int h = 0; h < 24; h++) {
        float[] x = new float[3 * PATHS], of = y.toArray();
        for (int p = 0; p < PATHS; p++) {
          int at = h == 0 ? 0 : 3 * K * p; // the past is one column, the paths are many
          int k = Sampler.of(1).choose(Arrays.copyOfRange(of, at, at + K), random);
          double deviation = Math.exp(Math.clamp(of[at + 2 * K + k], -5, 2));
          paths[h][p] = (float) (of[at + K + k] + deviation * random.nextGaussian());
          System.arraycopy(input(paths[h][p], past.length + h), 0, x, 3 * p, 3);
        }
        Arrays.sort(paths[h]);
        y = model.apply(tape.input(Shape.of(3, PATHS), x));
      }
    }
    return paths;
  }
}

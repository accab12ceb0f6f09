package io.recur.jmh;

import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import java.util.Arrays;
import java.util.Locale;

/**
 * The first compiled call of an LSTM of 256 units in a JVM of its own: tracing, compiling and the
 * call. The same call of another LSTM, step by step, came before and gives the expected answer.
 *
 * <p>With {@code --warm}: the first call of one more LSTM, then that of a second batch of it, both
 * the median of the last of many. A line of milliseconds each.
 */
final class FirstCall {
  private static final int IN = 64;
  private static final int UNITS = 256;
  private static final int WARM_UP = 1_000;
  private static final int MEASURED = 200;

  private FirstCall() {}

  public static void main(String[] arguments) {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      if (arguments.length > 0) {
        warm(device, tape);
      } else {
        print(cold(device, tape));
      }
    }
  }

  private static void print(double milliseconds) {
    System.out.printf(Locale.ROOT, "%.3f%n", milliseconds);
  }

  private static double cold(Device device, Tape tape) {
    float[] x = Check.random(IN, 1);
    Recur steps = lstm(IN, UNITS).on(device, 42).stepwise();
    Recur compiled = lstm(IN, UNITS).on(device, 42);
    float[] expected = steps.apply(tape.input(x)).toArray();
    long from = System.nanoTime();
    float[] actual = compiled.apply(tape.input(x)).toArray();
    double milliseconds = (System.nanoTime() - from) / 1e6;
    Check.close("FirstCall", actual, Check.widen(expected), 1e-5);
    if (!compiled.explain().contains("compiled: ")) {
      throw new IllegalStateException("FirstCall: " + compiled.explain());
    }
    return milliseconds;
  }

  private static void warm(Device device, Tape tape) {
    double[] cells = new double[MEASURED];
    double[] batches = new double[MEASURED];
    for (int i = -WARM_UP; i < MEASURED; i++) {
      try (Recur cell = lstm(IN, UNITS).on(device, 42)) {
        double one = first(cell, tape, 1);
        double two = first(cell, tape, 2);
        if (i >= 0) {
          cells[i] = one;
          batches[i] = two;
        }
      }
    }
    print(Results.median(cells));
    print(Results.median(batches));
  }

  /** The first call of a batch, of which every column gives the same. */
  private static double first(Recur cell, Tape tape, int batch) {
    float[] x = new float[IN * batch];
    Arrays.fill(x, 0.5f);
    cell.reset();
    long from = System.nanoTime();
    float[] y = cell.apply(tape.input(Shape.of(IN, batch), x)).toArray();
    double milliseconds = (System.nanoTime() - from) / 1e6;
    tape.clear();
    float[] column = Arrays.copyOf(y, UNITS);
    Check.close(
        "FirstCall", Arrays.copyOfRange(y, y.length - UNITS, y.length), Check.widen(column), 0);
    return milliseconds;
  }
}

package io.recur.serve;

import io.recur.grad.ShapeException;
import org.jspecify.annotations.Nullable;

/**
 * What a session is asked to step: a dense input or one-hot symbols, one step or a sequence. A
 * request is a value; it copies its arrays and may be sent several times.
 *
 * <pre>{@code
 * Request step = Request.of(0.1f, 0.2f, 0.3f);
 * Request symbol = Request.symbol(65, 3).numbered(17).within(2_000);   // 2 ms
 * float[] scores = sessions.step(7, symbol);
 * float[] first = sessions.step("new", step.starting());               // opens it and steps
 * }</pre>
 */
public final class Request {
  /** Requests of one kind can be one batch: the rows, the steps, and whether x is one-hot. */
  final long kind;

  /** Dense values, rows × steps; none where there are indexes. */
  final float @Nullable [] x;

  /** One index for each step; none where there are values. */
  final int @Nullable [] indexes;

  final int rows;

  /** Steps of a sequence; 0 for one step, which has no time. */
  final int time;

  /** The number of this step; -1 for none. */
  final long number;

  /** µs from when it is sent until it is too late; -1 for never. */
  final long micros;

  /** Whether its session begins with it. */
  final boolean isStarting;

  /** Whether its session is closed behind it. */
  final boolean isEnding;

  /** The number of the version of its session; 0 for any. */
  final int version;

  /** The place of the first value that is not a number; -1 where there is none. */
  final int notNumber;

  private Request(float @Nullable [] x, int @Nullable [] indexes, int rows, int time) {
    this.x = x;
    this.indexes = indexes;
    this.rows = rows;
    this.time = time;
    this.number = -1;
    this.micros = -1;
    this.isStarting = false;
    this.isEnding = false;
    this.version = 0;
    this.notNumber = notNumber(x);
    this.kind = (long) time << 32 | (long) rows << 1 | (indexes == null ? 0 : 1);
  }

  /** The same input with other settings. */
  private Request(
      Request of, long number, long micros, boolean isStarting, boolean isEnding, int version) {
    this.x = of.x;
    this.indexes = of.indexes;
    this.rows = of.rows;
    this.time = of.time;
    this.number = number;
    this.micros = micros;
    this.isStarting = isStarting;
    this.isEnding = isEnding;
    this.version = version;
    this.notNumber = of.notNumber;
    this.kind = of.kind;
  }

  /**
   * One step.
   *
   * @param x its values, copied
   * @return the request
   * @throws ShapeException if there are none
   */
  public static Request of(float... x) {
    checkCount("values", x.length);
    return new Request(x.clone(), null, x.length, 0);
  }

  /**
   * A sequence. It is stepped as one call of the model, so that its session, and all that wait
   * behind it, have to wait for all of its steps.
   *
   * @param sequence {@code float[time][features]}, copied
   * @return the request
   * @throws ShapeException if there are no steps or no values, or steps of different sizes
   */
  public static Request of(float[][] sequence) {
    checkCount("steps", sequence.length);
    int rows = sequence[0].length;
    checkCount("values per step", rows);
    if ((long) rows * sequence.length > Integer.MAX_VALUE - 8) {
      throw new ShapeException(
          "request: %d steps of %d values; send it in pieces".formatted(sequence.length, rows));
    }
    float[] x = new float[rows * sequence.length];
    for (int t = 0; t < sequence.length; t++) {
      if (sequence[t].length != rows) {
        throw new ShapeException(
            "request: %d values in step 0, %d in step %d; need as many in each"
                .formatted(rows, sequence[t].length, t));
      }
      System.arraycopy(sequence[t], 0, x, rows * t, rows);
    }
    return new Request(x, null, rows, sequence.length);
  }

  /**
   * One step with a one-hot input.
   *
   * @param classes rows of the input
   * @param index the row that is 1
   * @return the request
   * @throws ShapeException if the index is no row
   */
  public static Request symbol(int classes, int index) {
    return oneHot(classes, 0, index);
  }

  /**
   * A sequence of one-hot inputs.
   *
   * @param classes rows of the input
   * @param indexes for each step the row that is 1, copied
   * @return the request
   * @throws ShapeException if there are no steps, or an index is no row
   */
  public static Request symbols(int classes, int... indexes) {
    checkCount("steps", indexes.length);
    return oneHot(classes, indexes.length, indexes.clone());
  }

  private static Request oneHot(int classes, int time, int... indexes) {
    for (int t = 0; t < indexes.length; t++) {
      if (indexes[t] < 0 || indexes[t] >= classes) {
        throw new ShapeException(
            "request: index[%d]=%d, classes=%d; need 0 ≤ index < classes"
                .formatted(t, indexes[t], classes));
      }
    }
    return new Request(null, indexes, classes, time);
  }

  private static void checkCount(String what, int count) {
    if (count < 1) {
      throw new ShapeException("request: no %s; need one or more".formatted(what));
    }
  }

  /**
   * This request with the number of its step. A session steps a number once: a request of the
   * number that it has stepped last gets that answer again, such as one that is sent again because
   * the answer was lost. Numbers grow; gaps are allowed.
   *
   * @param number 0 or more
   * @return the request
   * @throws IllegalArgumentException if the number is negative
   */
  public Request numbered(long number) {
    if (number < 0) {
      throw new IllegalArgumentException(
          "request: number=%d; need 0 or more, growing from step to step".formatted(number));
    }
    return new Request(this, number, micros, isStarting, isEnding, version);
  }

  /**
   * This request with a deadline: where its turn comes later, it is refused and does not step.
   *
   * @param micros in µs, counted from when it is sent
   * @return the request
   * @throws IllegalArgumentException if they are negative
   */
  public Request within(long micros) {
    if (micros < 0) {
      throw new IllegalArgumentException("request: within=%d µs; need 0 or more".formatted(micros));
    }
    return new Request(this, number, micros, isStarting, isEnding, version);
  }

  /**
   * This request as the first one of its session, which it opens, or resets where it is open: one
   * call with the step. Where the request is refused, a session that was not open is not open,
   * unless the reason is {@code FAILED}; one that was open may have been reset.
   *
   * @return the request
   */
  public Request starting() {
    return new Request(this, number, micros, true, isEnding, version);
  }

  /**
   * This request as the last one of its session, which is closed with the answer: one call with the
   * step. Where the request is refused, the session stays open.
   *
   * @return the request
   */
  public Request ending() {
    return new Request(this, number, micros, isStarting, true, version);
  }

  /**
   * This request for one version of the model: a session that starts with it begins with that
   * version, and one that has another version refuses it.
   *
   * @param version its number, see {@link Versions}
   * @return the request
   * @throws IllegalArgumentException if the number is less than 1
   */
  public Request ofVersion(int version) {
    if (version < 1) {
      throw new IllegalArgumentException(
          "request: version=%d; need 1 or more, as Versions numbers them".formatted(version));
    }
    return new Request(this, number, micros, isStarting, isEnding, version);
  }

  /**
   * Whether two requests can be stepped in one batch: they have as many rows and steps, and both
   * are dense or both one-hot.
   *
   * @param other the other one
   * @return whether they are alike
   */
  public boolean isLike(Request other) {
    return kind == other.kind;
  }

  /** {@return the place of the first value that is not a number; -1 where there is none} */
  public int notNumber() {
    return notNumber;
  }

  private static int notNumber(float @Nullable ... x) {
    for (int i = 0; x != null && i < x.length; i++) {
      if (Float.isNaN(x[i])) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public String toString() {
    return "Request(%s%d%s%s%s%s%s)"
        .formatted(
            indexes == null ? "" : "one-hot ",
            rows,
            time == 0 ? "" : " × " + time + " steps",
            number < 0 ? "" : ", number " + number,
            isStarting ? ", starting" : "",
            isEnding ? ", ending" : "",
            version == 0 ? "" : ", version " + version);
  }
}

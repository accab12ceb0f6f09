package io.recur.device;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The buffers of one kernel call, each inside a larger one: the words before and after must not
 * change, nor may inputs.
 *
 * <pre>{@code
 * Guarded memory = new Guarded(device, 42);
 * Guarded.Piece x = memory.input(17);
 * Guarded.Piece y = memory.output(17);
 * device.pointwise().copy(x.buffer(), y.buffer(), 17);
 * memory.check();
 * }</pre>
 */
public final class Guarded {
  /** No multiple of a vector's width: the values start unaligned, as those of views may. */
  private static final int GUARD = 61;

  /** For what a kernel wants on a multiple of 64 bytes, as {@link Device#allocate} gives it. */
  private static final int ALIGNED_GUARD = 64;

  private static final float SENTINEL = -7.7777e33f;

  private final Device device;
  private final Random random;
  private final List<Piece> pieces = new ArrayList<>();

  public Guarded(Device device, long seed) {
    this.device = device;
    this.random = new Random(seed);
  }

  /** Values between −2 and 2 that must not change. */
  public Piece input(int n) {
    return input(floats(n));
  }

  /** Values that must not change. */
  public Piece input(float... values) {
    return add(values, false);
  }

  /** Values between −2 and 2 that may change. */
  public Piece inOut(int n) {
    return inOut(floats(n));
  }

  /** Values that may change. */
  public Piece inOut(float... values) {
    return add(values, true);
  }

  /** Not-a-numbers to be overwritten: one that is read shows. */
  public Piece output(int n) {
    float[] values = new float[n];
    Arrays.fill(values, Float.NaN);
    return add(values, true);
  }

  /** The same, on a multiple of 64 bytes. */
  public Piece aligned(int n) {
    float[] values = new float[n];
    Arrays.fill(values, Float.NaN);
    return add(new Piece(device, values, true, ALIGNED_GUARD));
  }

  /** Indexes below {@code bound} that must not change. */
  public Piece indexes(int n, int bound) {
    float[] bits = new float[n];
    for (int i = 0; i < n; i++) {
      bits[i] = Float.intBitsToFloat(random.nextInt(bound));
    }
    return add(bits, false);
  }

  /** Values between −2 and 2. */
  public float[] floats(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = 4 * random.nextFloat() - 2;
    }
    return values;
  }

  private Piece add(float[] values, boolean mayChange) {
    return add(new Piece(device, values, mayChange, GUARD));
  }

  private Piece add(Piece piece) {
    pieces.add(piece);
    return piece;
  }

  /** Fails if a guard word or an input changed. */
  public void check() {
    for (int i = 0; i < pieces.size(); i++) {
      pieces.get(i).check("buffer " + i);
    }
  }

  /** One buffer of the call. */
  public static final class Piece {
    private final float[] start;
    private final boolean mayChange;
    private final int guard;
    private final Buffer whole;

    private Piece(Device device, float[] start, boolean mayChange, int guard) {
      this.start = start.clone();
      this.mayChange = mayChange;
      this.guard = guard;
      this.whole = device.allocate(start.length + 2 * guard);
      float[] all = new float[start.length + 2 * guard];
      Arrays.fill(all, SENTINEL);
      System.arraycopy(start, 0, all, guard, start.length);
      whole.write(all);
    }

    public Buffer buffer() {
      return whole.slice(guard, start.length);
    }

    /** What is there now. */
    public float[] read() {
      return buffer().read();
    }

    /** Value i before the call. */
    public double at(int i) {
      return start[i];
    }

    /** Index i before the call. */
    public int index(int i) {
      return Float.floatToRawIntBits(start[i]);
    }

    /** The values before the call. */
    public double[] start() {
      double[] values = new double[start.length];
      for (int i = 0; i < start.length; i++) {
        values[i] = start[i];
      }
      return values;
    }

    public int length() {
      return start.length;
    }

    private void check(String what) {
      float[] now = whole.read();
      for (int i = 0; i < now.length; i++) {
        int value = i - guard;
        boolean isGuard = value < 0 || value >= start.length;
        float expected = isGuard ? SENTINEL : mayChange ? now[i] : start[value];
        if (Float.floatToRawIntBits(now[i]) != Float.floatToRawIntBits(expected)) {
          fail(
              "%s of %d values: %s %d is %s, was %s"
                  .formatted(
                      what,
                      start.length,
                      isGuard ? "guard word" : "input",
                      value,
                      now[i],
                      expected));
        }
      }
    }
  }
}

package io.recur.device.cpu;

import io.recur.device.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A thread's heap arrays and the transcendental functions on them, written so that the JIT compiler
 * vectorises each loop.
 *
 * <p>A kernel copies native memory into these arrays, computes, and copies the result back. On JDK
 * 22 to 25 that is five times faster than arithmetic on segments. No heap array ever reaches native
 * code. The same variable indexes all arrays of a loop: with an offset in one of them the compiler
 * must assume that they overlap, and computes value by value (measured: 7 times slower).
 */
final class Workspace {
  /** The values of a tile: a tile of four arrays stays in the first-level cache. */
  static final int TILE = 2048;

  /** 1.5·2²³: adding it rounds a small float to an integer, which its low bits then hold. */
  private static final float ROUNDER = 12582912f;

  private static final int ROUNDER_BITS = 0x4B400000;

  private float[][] arrays = new float[9][TILE];
  private final double[] totals = new double[TILE];
  private double[] sums = {};
  private double[] moreSums = {};
  private final float[][] slots = new float[4][];
  private Powers powers = new Powers(TILE);

  /** {@return the array of this number, at least {@code length} long, with unspecified content} */
  float[] array(int number, int length) {
    if (number >= arrays.length) {
      arrays = Arrays.copyOf(arrays, number + 4);
    }
    if (arrays[number] == null || arrays[number].length < length) {
      arrays[number] = new float[length];
    }
    return arrays[number];
  }

  /** {@return an array for one sum per column of a tile} */
  double[] totals() {
    return totals;
  }

  /** {@return an array for {@code length} sums, with unspecified content} */
  double[] sums(int length) {
    if (sums.length < length) {
      sums = new double[length];
    }
    return sums;
  }

  /** {@return another array for {@code length} sums, with unspecified content} */
  double[] moreSums(int length) {
    if (moreSums.length < length) {
      moreSums = new double[length];
    }
    return moreSums;
  }

  /** {@return an array for the arrays of an optimiser's slots} */
  float[][] slots() {
    return slots;
  }

  /** {@return the array of this number, with a copy of the first {@code n} values of another} */
  float[] copy(int number, float[] values, int n) {
    float[] array = array(number, n);
    System.arraycopy(values, 0, array, 0, n);
    return array;
  }

  /** Copies {@code n} values from word {@code from} of a buffer into the array of this number. */
  float[] load(int number, Buffer buffer, long from, int n) {
    float[] array = array(number, n);
    load(buffer, from, array, 0, n);
    return array;
  }

  static void load(Buffer buffer, long from, float[] array, int to, int n) {
    try {
      MemorySegment.copy(
          buffer.segment(), ValueLayout.JAVA_FLOAT, from * Float.BYTES, array, to, n);
    } catch (IllegalStateException e) {
      throw closed(e, buffer);
    }
  }

  static void load(Buffer buffer, long from, int[] array, int n) {
    try {
      MemorySegment.copy(buffer.segment(), ValueLayout.JAVA_INT, from * Integer.BYTES, array, 0, n);
    } catch (IllegalStateException e) {
      throw closed(e, buffer);
    }
  }

  static void store(float[] array, int from, Buffer buffer, long to, int n) {
    try {
      MemorySegment.copy(array, from, buffer.target(), ValueLayout.JAVA_FLOAT, to * Float.BYTES, n);
    } catch (IllegalStateException e) {
      throw closed(e, buffer);
    }
  }

  /**
   * Throws the buffer's own error if another thread has closed its owner meanwhile. Returns the
   * same exception if the owner is open.
   */
  static IllegalStateException closed(IllegalStateException thrown, Buffer buffer) {
    buffer.segment();
    return thrown;
  }

  /** {@code x = tanh(x)}, see {@link #tanh(float)}. */
  static void tanh(float[] x, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = tanh(x[i]);
    }
  }

  /**
   * An odd rational approximation of degrees 13 and 6, as in Eigen. The largest relative error is
   * 4e-7; beyond 7.9 the result is ±1.
   */
  private static float tanh(float x) {
    float a = Math.max(-7.905311f, Math.min(7.905311f, x));
    float s = a * a;
    float p = -2.76076847742355e-16f * s + 2.00018790482477e-13f;
    p = p * s - 8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = (p * s + 4.89352455891786e-03f) * a;
    float q = 1.19825839466702e-06f * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return p / q;
  }

  /** {@code x = 1/(1 + e⁻ˣ)}, with a small relative error for small results too. */
  void sigmoid(float[] x, int n) {
    exp(x, -1f, n);
    for (int i = 0; i < n; i++) {
      x[i] = 1f / (1f + x[i]);
    }
  }

  /** {@code x = eˣ} to two ulp, subnormals and overflow included. */
  void exp(float[] x, int n) {
    exp(x, 1f, n);
  }

  /**
   * {@code x = e^(sign·x)}, as 2^k·e^r with |r| ≤ log(2)/2. 2^k is a product of two powers, so that
   * neither overflows. Their bits are ints, which a copy reads as floats, since the compiler does
   * not vectorise {@code intBitsToFloat} before JDK 26.
   */
  private void exp(float[] x, float sign, int n) {
    if (n > powers.low.length) {
      powers = new Powers(n);
    }
    Powers p = powers;
    split(x, sign, p.lowPower, n);
    copyBits(p.lowPowerBits, p.lowBits, n);
    powers(p.low, p.high, n);
    copyBits(p.lowBits, p.lowPowerBits, n);
    copyBits(p.highBits, p.highPowerBits, n);
    join(x, p.lowPower, p.highPower, n);
  }

  /** Two powers of two per value, as ints and as floats, and all four arrays as segments. */
  private static final class Powers {
    final int[] low;
    final int[] high;
    final float[] lowPower;
    final float[] highPower;
    final MemorySegment lowBits;
    final MemorySegment highBits;
    final MemorySegment lowPowerBits;
    final MemorySegment highPowerBits;

    Powers(int n) {
      low = new int[n];
      high = new int[n];
      lowPower = new float[n];
      highPower = new float[n];
      lowBits = MemorySegment.ofArray(low);
      highBits = MemorySegment.ofArray(high);
      lowPowerBits = MemorySegment.ofArray(lowPower);
      highPowerBits = MemorySegment.ofArray(highPower);
    }
  }

  /** Writes e^r to x, and k to the low bits of {@code rounded}, whose mantissas count in ones. */
  private static void split(float[] x, float sign, float[] rounded, int n) {
    for (int i = 0; i < n; i++) {
      float a = Math.max(-104f, Math.min(89f, sign * x[i]));
      float shifted = a * 1.44269504f + ROUNDER;
      float k = shifted - ROUNDER;
      float r = (a - k * 0.693359375f) + k * 2.12194440e-4f;
      float p = 1.9875691500e-4f * r + 1.3981999507e-3f;
      p = p * r + 8.3334519073e-3f;
      p = p * r + 4.1665795894e-2f;
      p = p * r + 1.6666665459e-1f;
      p = p * r + 5.0000001201e-1f;
      x[i] = p * r * r + r + 1f;
      rounded[i] = shifted;
    }
  }

  /** Turns the bits of rounded values into the bits of two powers of two whose product is 2^k. */
  private static void powers(int[] low, int[] high, int n) {
    for (int i = 0; i < n; i++) {
      int k = low[i] - ROUNDER_BITS;
      int half = k >> 1;
      low[i] = (half + 127) << 23;
      high[i] = (k - half + 127) << 23;
    }
  }

  private static void join(float[] x, float[] low, float[] high, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = x[i] * low[i] * high[i];
    }
  }

  private static void copyBits(MemorySegment from, MemorySegment to, int n) {
    MemorySegment.copy(from, 0, to, 0, (long) n * Float.BYTES);
  }
}

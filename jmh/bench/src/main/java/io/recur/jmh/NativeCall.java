package io.recur.jmh;

import static io.recur.bindings.kernels.recur_h.RECUR_RNN;
import static io.recur.bindings.kernels.recur_h.recur_best;
import static io.recur.bindings.kernels.recur_h.recur_close;
import static io.recur.bindings.kernels.recur_h.recur_forward;
import static io.recur.bindings.kernels.recur_h.recur_open;
import static io.recur.bindings.kernels.recur_h.recur_pack;
import static io.recur.bindings.kernels.recur_h.recur_packed;
import static io.recur.bindings.kernels.recur_h.recur_tiles;
import static io.recur.bindings.openblas.cblas_h.CblasColMajor;
import static io.recur.bindings.openblas.cblas_h.CblasNoTrans;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemm;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemv;

import io.recur.bindings.kernels.recur_sequence;
import io.recur.bindings.openblas.cblas_h;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One native call as the library makes it, through the generated bindings and on one thread: {@code
 * sgemm} and {@code sgemv} of size × size, and {@code forward}, the C kernel of one step of an RNN
 * of so many units. Weights lie in memory as a model's, the rest in memory as a tape's.
 */
abstract class NativeCall implements AutoCloseable {
  final int n;
  private final Slab slab;

  private NativeCall(Device device, int n) {
    this.n = n;
    this.slab = KernelDevice.of(device).slab();
  }

  /** On a device of one thread. */
  static NativeCall of(String routine, int size, Device device) {
    return switch (routine) {
      case "sgemm" -> new Product(device, size);
      case "sgemv" -> new Vector(device, size);
      case "forward" -> new Forward(device, size);
      default -> throw new IllegalArgumentException("no such routine: " + routine);
    };
  }

  /** Makes the call so many times; each kind has its own loop, as C's side has. */
  abstract void call(int times);

  /** What the last call computed. */
  abstract float[] answer();

  /** The first values of the answer, in double precision. */
  abstract double[] reference();

  /** Multiply-adds of a call. */
  abstract long work();

  /** Makes the call once and compares. */
  final void check() {
    call(1);
    double[] expected = reference();
    Check.close(this + " " + n, Arrays.copyOf(answer(), expected.length), expected, 1e-4);
  }

  @Override
  public void close() {
    slab.close();
  }

  @Override
  public String toString() {
    return getClass().getSimpleName();
  }

  /** As a tape's values. */
  final Buffer taped(long floats, int seed) {
    Buffer buffer = slab.take(floats);
    buffer.write(filled(floats, seed));
    return buffer;
  }

  /** As a model's parameters. */
  static Buffer kept(Device device, long floats, int seed) {
    Buffer buffer = device.allocate(floats);
    buffer.write(filled(floats, seed));
    return buffer;
  }

  /** The values of {@code filled} in panama.c, bit for bit. */
  static float[] filled(long floats, int seed) {
    float[] values = new float[Math.toIntExact(floats)];
    for (int i = 0; i < values.length; i++) {
      int mixed = (i + seed * 7919) * (int) 2654435761L;
      mixed = (mixed ^ mixed >>> 15) * (int) 2246822519L;
      values[i] = (mixed >>> 8) * 0x1p-24f - 0.5f;
    }
    return values;
  }

  /** Of a times the first column of b. */
  private static double[] column(float[] a, float[] b, int n) {
    double[] y = new double[n];
    for (int k = 0; k < n; k++) {
      for (int i = 0; i < n; i++) {
        y[i] += (double) a[i + k * n] * b[k];
      }
    }
    return y;
  }

  private static final class Product extends NativeCall {
    private final MemorySegment a;
    private final MemorySegment b;
    private final Buffer c;

    Product(Device device, int n) {
      super(device, n);
      a = kept(device, (long) n * n, 1).segment();
      b = taped((long) n * n, 2).segment();
      c = taped((long) n * n, 3);
    }

    @Override
    void call(int times) {
      MemorySegment to = c.segment();
      for (int i = 0; i < times; i++) {
        cblas_sgemm(
            CblasColMajor(), CblasNoTrans(), CblasNoTrans(), n, n, n, 1, a, n, b, n, 0, to, n);
      }
    }

    @Override
    float[] answer() {
      return c.read();
    }

    @Override
    double[] reference() {
      return column(filled((long) n * n, 1), filled(n, 2), n);
    }

    @Override
    long work() {
      return (long) n * n * n;
    }
  }

  private static final class Vector extends NativeCall {
    private final MemorySegment a;
    private final MemorySegment x;
    private final Buffer y;

    Vector(Device device, int n) {
      super(device, n);
      a = kept(device, (long) n * n, 1).segment();
      x = taped(n, 2).segment();
      y = taped(n, 3);
    }

    @Override
    void call(int times) {
      MemorySegment to = y.segment();
      for (int i = 0; i < times; i++) {
        cblas_sgemv(CblasColMajor(), CblasNoTrans(), n, n, 1, a, n, x, 1, 0, to, 1);
      }
    }

    @Override
    float[] answer() {
      return y.read();
    }

    @Override
    double[] reference() {
      return column(filled((long) n * n, 1), filled(n, 2), n);
    }

    @Override
    long work() {
      return (long) n * n;
    }
  }

  /** h' = tanh(Wi x + Wh h + b) with x of one value. */
  private static final class Forward extends NativeCall {
    private final MemorySegment context;
    private final MemorySegment sequence;
    private final Buffer states;
    private final List<Buffer> weights =
        new ArrayList<>(); // the struct's addresses keep nothing alive

    Forward(Device device, int n) {
      super(device, n);
      context = recur_open(recur_best(), 1, cblas_h.cblas_sgemm$address());
      states = taped(2L * n, 5);
      sequence = taped((recur_sequence.sizeof() + 3) / 4, 0).segment().fill((byte) 0);
      recur_sequence.cell(sequence, RECUR_RNN());
      recur_sequence.function(sequence, Elementwise.TANH.ordinal());
      recur_sequence.in(sequence, 1);
      recur_sequence.units(sequence, n);
      recur_sequence.batch(sequence, 1);
      recur_sequence.time(sequence, 1);
      recur_sequence.wi(sequence, packed(device, 1, 1));
      recur_sequence.wh(sequence, packed(device, n, 2));
      weights.add(kept(device, n, 3));
      recur_sequence.b(sequence, weights.getLast().segment());
      recur_sequence.x(sequence, taped(1, 4).segment());
      recur_sequence.steps(sequence, 1);
      recur_sequence.tiles(sequence, taped(recur_tiles(context, sequence), 0).segment());
      recur_sequence.h(sequence, states.segment());
    }

    private MemorySegment packed(Device device, int terms, int seed) {
      Buffer plain = kept(device, (long) n * terms, seed);
      Buffer to = device.allocate(recur_packed(context, 1, n, terms));
      recur_pack(context, 1, n, terms, plain.segment(), 1, n, to.segment());
      weights.add(to);
      return to.segment();
    }

    @Override
    void call(int times) {
      for (int i = 0; i < times; i++) {
        recur_forward(context, sequence);
      }
    }

    @Override
    float[] answer() {
      return states.slice(n, n).read();
    }

    @Override
    double[] reference() {
      double[] y = column(filled((long) n * n, 2), filled(n, 5), n);
      float[] wi = filled(n, 1);
      float[] b = filled(n, 3);
      float x = filled(1, 4)[0];
      for (int i = 0; i < n; i++) {
        y[i] = Math.tanh(y[i] + (double) wi[i] * x + b[i]);
      }
      return y;
    }

    @Override
    long work() {
      return (long) n * n;
    }

    @Override
    public void close() {
      recur_close(context);
      super.close();
    }
  }
}

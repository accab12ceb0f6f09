package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_add_derivative;
import static io.recur.bindings.kernels.recur_h.recur_affine;
import static io.recur.bindings.kernels.recur_h.recur_combine;
import static io.recur.bindings.kernels.recur_h.recur_copy;
import static io.recur.bindings.kernels.recur_h.recur_drop;
import static io.recur.bindings.kernels.recur_h.recur_fill;
import static io.recur.bindings.kernels.recur_h.recur_map;
import static io.recur.bindings.kernels.recur_h.recur_multiply;
import static io.recur.bindings.kernels.recur_h.recur_sum;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import io.recur.device.Pointwise;
import java.lang.foreign.MemorySegment;

/** Elementwise passes in C, see {@code native/recur.h}. */
final class NativePointwise implements Pointwise {
  /** Values that are copied before a call of C would have begun: those of a state, for a step. */
  private static final long FEW = 1 << 12;

  private final Kernels kernels;

  NativePointwise(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void fill(float value, Buffer y, long n) {
    recur_fill(kernels.context(), value, y.target(n), n);
  }

  @Override
  public void copy(Buffer x, Buffer y, long n) {
    MemorySegment from = x.segment(n);
    MemorySegment to = y.target(n);
    if (n <= FEW) {
      MemorySegment.copy(from, 0, to, 0, n * Float.BYTES);
    } else {
      recur_copy(kernels.context(), from, to, n);
    }
  }

  @Override
  public void scale(float alpha, Buffer x, Buffer y, long n) {
    recur_affine(kernels.context(), alpha, x.segment(n), -0f, y.target(n), n);
  }

  @Override
  public void addScaled(float alpha, Buffer x, Buffer y, long n) {
    combine(y, alpha, x, y, n);
  }

  @Override
  public void combine(Buffer a, float alpha, Buffer b, Buffer y, long n) {
    recur_combine(kernels.context(), a.segment(n), alpha, b.segment(n), y.target(n), n);
  }

  @Override
  public void multiply(Buffer a, Buffer b, Buffer y, long n) {
    recur_multiply(kernels.context(), 0, a.segment(n), b.segment(n), y.target(n), n);
  }

  @Override
  public void addProduct(Buffer a, Buffer b, Buffer y, long n) {
    recur_multiply(kernels.context(), 1, a.segment(n), b.segment(n), y.target(n), n);
  }

  @Override
  public void map(Elementwise f, Buffer x, Buffer y, long n) {
    recur_map(kernels.context(), f.ordinal(), x.segment(n), y.target(n), n);
  }

  @Override
  public void addDerivative(Elementwise f, Buffer x, Buffer y, Buffer dy, Buffer dx, long n) {
    recur_add_derivative(
        kernels.context(), f.ordinal(), x.segment(n), y.segment(n), dy.segment(n), dx.target(n), n);
  }

  @Override
  public void drop(float rate, long seed, boolean accumulate, Buffer x, Buffer y, long n) {
    int add = accumulate ? 1 : 0;
    recur_drop(kernels.context(), rate, seed, add, x.segment(n), y.target(n), n);
  }

  @Override
  public double sum(Buffer x, long n) {
    return recur_sum(kernels.context(), 0, x.segment(n), n);
  }

  @Override
  public double sumOfSquares(Buffer x, long n) {
    return recur_sum(kernels.context(), 1, x.segment(n), n);
  }

  @Override
  public void sumInto(float alpha, Buffer x, long n, Buffer y) {
    y.target().set(JAVA_FLOAT, 0, (float) (alpha * sum(x, n)));
  }

  @Override
  public void addBroadcast(float alpha, Buffer s, Buffer y, long n) {
    float value = alpha * s.segment().get(JAVA_FLOAT, 0);
    recur_affine(kernels.context(), 1, y.segment(n), value, y.target(n), n);
  }
}

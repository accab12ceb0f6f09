package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_add_reduced;
import static io.recur.bindings.kernels.recur_h.recur_add_reduction_derivative;
import static io.recur.bindings.kernels.recur_h.recur_reduce;

import io.recur.device.Buffer;
import io.recur.device.Dimension;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Reductions;
import java.lang.foreign.MemorySegment;

/** Reductions in C, see {@code native/recur.h}. */
final class NativeReductions implements Reductions {
  private final Kernels kernels;

  NativeReductions(Kernels kernels) {
    this.kernels = kernels;
  }

  private static long words(int m, int n, int t) {
    return (long) m * n * t;
  }

  @Override
  public void reduce(Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    MemorySegment from = x.segment(words(m, n, t));
    MemorySegment to = y.target(Reductions.results(d, m, n, t));
    recur_reduce(kernels.context(), r.ordinal(), d.ordinal(), m, n, t, from, to);
  }

  @Override
  public void addSum(Dimension d, int m, int n, int t, Buffer x, Buffer y) {
    MemorySegment from = x.segment(words(m, n, t));
    MemorySegment to = y.target(Reductions.results(d, m, n, t));
    KernelDevice device = KernelDevice.of(y.device());
    MemorySegment carry = device.keepsCarry(y) ? device.carryOf(y).target() : MemorySegment.NULL;
    recur_add_reduced(kernels.context(), d.ordinal(), m, n, t, from, to, carry);
  }

  @Override
  public void addDerivative(
      Reduction r, Dimension d, int m, int n, int t, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    long all = words(m, n, t);
    long results = Reductions.results(d, m, n, t);
    recur_add_reduction_derivative(
        kernels.context(),
        r.ordinal(),
        d.ordinal(),
        m,
        n,
        t,
        x.segment(all),
        y.segment(results),
        dy.segment(results),
        dx.target(all));
  }
}

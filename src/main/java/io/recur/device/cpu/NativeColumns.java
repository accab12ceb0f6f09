package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_add_column;
import static io.recur.bindings.kernels.recur_h.recur_add_column_sum;
import static io.recur.bindings.kernels.recur_h.recur_add_cross_entropy_derivative;
import static io.recur.bindings.kernels.recur_h.recur_add_softmax_derivative;
import static io.recur.bindings.kernels.recur_h.recur_block;
import static io.recur.bindings.kernels.recur_h.recur_carry_column_sum;
import static io.recur.bindings.kernels.recur_h.recur_carry_scatter_add;
import static io.recur.bindings.kernels.recur_h.recur_cross_entropy;
import static io.recur.bindings.kernels.recur_h.recur_gather;
import static io.recur.bindings.kernels.recur_h.recur_softmax;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.kernels.Indexes;
import io.recur.device.kernels.KernelDevice;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Passes over columns in C, see {@code native/recur.h}. */
final class NativeColumns implements Columns {
  private final Kernels kernels;

  NativeColumns(Kernels kernels) {
    this.kernels = kernels;
  }

  /** {@return the words from the first to the last of n columns of m rows, ld words apart} */
  private static long words(int m, int n, int ld) {
    return n == 0 ? 0 : (n - 1L) * ld + m;
  }

  private static long words(int m, int n) {
    return (long) m * n;
  }

  @Override
  public void add(int m, int n, Buffer x, Buffer b, Buffer y) {
    long all = words(m, n);
    recur_add_column(kernels.context(), m, n, x.segment(all), b.segment(m), y.target(all));
  }

  @Override
  public void addSum(int m, int n, Buffer x, Buffer y) {
    MemorySegment terms = x.segment(words(m, n));
    MemorySegment sum = y.target(m);
    if (KernelDevice.of(y.device()).keepsCarry(y)) {
      recur_carry_column_sum(
          kernels.context(), m, n, terms, sum, KernelDevice.of(y.device()).carryOf(y).target());
    } else {
      recur_add_column_sum(kernels.context(), m, n, terms, sum);
    }
  }

  @Override
  public void repeat(int m, int n, Buffer b, Buffer y) {
    recur_block(kernels.context(), m, n, b.segment(m), 0, 0, y.target(words(m, n)), m);
  }

  @Override
  public void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy) {
    MemorySegment from = x.segment(words(m, n, ldx));
    MemorySegment to = y.target(words(m, n, ldy));
    recur_block(kernels.context(), m, n, from, ldx, accumulate ? 1 : 0, to, ldy);
  }

  @Override
  public void gather(int m, int n, Buffer w, Buffer index, @Nullable Buffer b, Buffer y) {
    MemorySegment indexes = Indexes.check("gather", index, n, w.floats() / m);
    MemorySegment bias = b == null ? MemorySegment.NULL : b.segment(m);
    recur_gather(kernels.context(), m, n, w.segment(), indexes, bias, y.target(words(m, n)));
  }

  @Override
  public void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w) {
    MemorySegment indexes = Indexes.check("scatterAdd", index, n, w.floats() / m);
    MemorySegment terms = y.segment(words(m, n));
    MemorySegment carry = KernelDevice.of(w.device()).carryOf(w).target();
    recur_carry_scatter_add(kernels.context(), m, n, terms, indexes, w.target(), carry);
  }

  @Override
  public void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y) {
    long all = words(m, n);
    recur_softmax(kernels.context(), m, n, logarithm ? 1 : 0, x.segment(all), y.target(all));
  }

  @Override
  public void addSoftmaxDerivative(
      int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx) {
    long all = words(m, n);
    recur_add_softmax_derivative(
        kernels.context(),
        m,
        n,
        logarithm ? 1 : 0,
        y.segment(all),
        dy.segment(all),
        dx.target(all));
  }

  @Override
  public void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss) {
    long all = words(m, n);
    MemorySegment targets = Indexes.check("crossEntropy", index, n, m);
    MemorySegment result = loss.target(1);
    float mean =
        recur_cross_entropy(kernels.context(), m, n, x.segment(all), targets, p.target(all));
    result.set(JAVA_FLOAT, 0, mean);
  }

  @Override
  public void addCrossEntropyDerivative(
      int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx) {
    long all = words(m, n);
    MemorySegment targets = Indexes.check("addCrossEntropyDerivative", index, n, m);
    float factor = dloss.segment().get(JAVA_FLOAT, 0) / n;
    recur_add_cross_entropy_derivative(
        kernels.context(), m, n, factor, p.segment(all), targets, dx.target(all));
  }
}

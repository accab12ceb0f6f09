package io.recur.device;

import org.jspecify.annotations.Nullable;

/**
 * The public edge of the kernels on columns. It checks the device, the sizes and the length of each
 * buffer, then calls a kernel that relies on these checks. The kernel checks the indexes in a
 * buffer.
 */
final class CheckedColumns implements Columns {
  private final Device device;
  private final Columns kernels;

  CheckedColumns(Device device, Columns kernels) {
    this.device = device;
    this.kernels = kernels;
  }

  /** {@return the words of an m×n matrix} */
  private static long words(String where, int m, int n) {
    return words(where, m, n, m);
  }

  /** {@return the words from the first to the last of n columns of m rows, ld words apart} */
  private static long words(String where, int m, int n, int ld) {
    if (m < 1 || n < 0 || ld < m) {
      throw new IllegalArgumentException(
          "%s: m=%d, n=%d, ld=%d; need m ≥ 1, n ≥ 0, ld ≥ m".formatted(where, m, n, ld));
    }
    return n == 0 ? 0 : (n - 1L) * ld + m;
  }

  private void check(String where, long words, Buffer buffer) {
    device.accept(where, buffer, words);
  }

  @Override
  public void add(int m, int n, Buffer x, Buffer b, Buffer y) {
    long all = words("add", m, n);
    check("add", all, x);
    check("add", m, b);
    check("add", all, y);
    try {
      kernels.add(m, n, x, b, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, b, y);
    }
  }

  @Override
  public void addSum(int m, int n, Buffer x, Buffer y) {
    check("addSum", words("addSum", m, n), x);
    check("addSum", m, y);
    try {
      kernels.addSum(m, n, x, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void repeat(int m, int n, Buffer b, Buffer y) {
    check("repeat", words("repeat", m, n), y);
    check("repeat", m, b);
    try {
      kernels.repeat(m, n, b, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, y, b);
    }
  }

  @Override
  public void block(int m, int n, Buffer x, int ldx, boolean accumulate, Buffer y, int ldy) {
    check("block", words("block", m, n, ldx), x);
    check("block", words("block", m, n, ldy), y);
    try {
      kernels.block(m, n, x, ldx, accumulate, y, ldy);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void gather(int m, int n, Buffer w, Buffer index, @Nullable Buffer b, Buffer y) {
    check("gather", words("gather", m, n), y);
    check("gather", 0, w);
    check("gather", n, index);
    if (b != null) {
      check("gather", m, b);
    }
    try {
      kernels.gather(m, n, w, index, b, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, y, w, index, b);
    }
  }

  @Override
  public void scatterAdd(int m, int n, Buffer y, Buffer index, Buffer w) {
    check("scatterAdd", words("scatterAdd", m, n), y);
    check("scatterAdd", n, index);
    check("scatterAdd", 0, w);
    try {
      kernels.scatterAdd(m, n, y, index, w);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, y, index, w);
    }
  }

  @Override
  public void softmax(int m, int n, boolean logarithm, Buffer x, Buffer y) {
    long all = words("softmax", m, n);
    check("softmax", all, x);
    check("softmax", all, y);
    try {
      kernels.softmax(m, n, logarithm, x, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void addSoftmaxDerivative(
      int m, int n, boolean logarithm, Buffer y, Buffer dy, Buffer dx) {
    long all = words("addSoftmaxDerivative", m, n);
    check("addSoftmaxDerivative", all, y);
    check("addSoftmaxDerivative", all, dy);
    check("addSoftmaxDerivative", all, dx);
    try {
      kernels.addSoftmaxDerivative(m, n, logarithm, y, dy, dx);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, y, dy, dx);
    }
  }

  @Override
  public void crossEntropy(int m, int n, Buffer x, Buffer index, Buffer p, Buffer loss) {
    long all = words("crossEntropy", m, n);
    check("crossEntropy", all, x);
    check("crossEntropy", n, index);
    check("crossEntropy", all, p);
    check("crossEntropy", 1, loss);
    try {
      kernels.crossEntropy(m, n, x, index, p, loss);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, index, p, loss);
    }
  }

  @Override
  public void addCrossEntropyDerivative(
      int m, int n, Buffer p, Buffer index, Buffer dloss, Buffer dx) {
    long all = words("addCrossEntropyDerivative", m, n);
    check("addCrossEntropyDerivative", all, p);
    check("addCrossEntropyDerivative", n, index);
    check("addCrossEntropyDerivative", 1, dloss);
    check("addCrossEntropyDerivative", all, dx);
    try {
      kernels.addCrossEntropyDerivative(m, n, p, index, dloss, dx);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, p, index, dloss, dx);
    }
  }
}

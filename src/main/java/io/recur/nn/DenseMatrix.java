package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Packed;
import io.recur.device.kernels.Recurrences;
import io.recur.grad.OneHot;
import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import org.jspecify.annotations.Nullable;

/** A matrix that stores all its values, column-major. */
final class DenseMatrix extends Matrix {
  private @Nullable Packed plain;
  private @Nullable Packed transposed;
  private int gates;

  DenseMatrix(Parameter values) {
    super(values.shape().rows(), values.shape().columns(), values);
  }

  @Override
  synchronized Packed packed(Recurrences recurrences, int gates, boolean transposed) {
    if (gates != this.gates) {
      this.plain = null;
      this.transposed = null;
      this.gates = gates;
    }
    Packed found = transposed ? this.transposed : plain;
    if (found != null) {
      return found;
    }
    Packed fresh = recurrences.pack(values().value(), gates, rows() / gates, columns(), transposed);
    if (transposed) {
      this.transposed = fresh;
    } else {
      plain = fresh;
    }
    return fresh;
  }

  @Override
  boolean isDense() {
    return true;
  }

  @Override
  public Tensor times(Tensor x) {
    return values().matmul(x);
  }

  @Override
  void multiply(
      KernelDevice kernels, boolean alone, Buffer x, int n, float beta, Buffer y, int ldy) {
    Buffer w = values().value();
    Blas blas = kernels.blas();
    if (alone) {
      blas.multiplyColumns(false, rows(), n, columns(), w, rows(), x, columns(), beta, y, ldy);
    } else {
      blas.multiply(false, false, rows(), n, columns(), 1, w, rows(), x, columns(), beta, y, ldy);
    }
  }

  @Override
  void multiplyTransposed(
      KernelDevice kernels, boolean alone, Buffer dy, int lddy, int n, float beta, Buffer dx) {
    Buffer w = values().value();
    Blas blas = kernels.blas();
    if (alone) {
      blas.multiplyColumns(true, columns(), n, rows(), w, rows(), dy, lddy, beta, dx, columns());
    } else {
      blas.multiply(true, false, columns(), n, rows(), 1, w, rows(), dy, lddy, beta, dx, columns());
    }
  }

  @Override
  void addGradient(KernelDevice kernels, Buffer dy, int lddy, Buffer x, int n) {
    if (values().isTrainable()) {
      Buffer dw = values().accumulator();
      kernels
          .blas()
          .multiply(false, true, rows(), columns(), n, 1, dy, lddy, x, columns(), 1, dw, rows());
    }
  }

  @Override
  boolean gathers(Tensor x) {
    return x instanceof OneHot;
  }

  @Override
  void gather(Buffer index, int n, Buffer b, Buffer y) {
    Buffer w = values().value();
    w.device().columns().gather(rows(), n, w, index, b, y);
  }

  @Override
  void scatter(Buffer dy, Buffer index, int n) {
    if (values().isTrainable()) {
      Buffer dw = values().accumulator();
      dw.device().columns().scatterAdd(rows(), n, dy, index, dw);
    }
  }

  @Override
  String kind() {
    return "";
  }
}

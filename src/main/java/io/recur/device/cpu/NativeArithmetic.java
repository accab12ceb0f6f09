package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_add_clamp_derivative;
import static io.recur.bindings.kernels.recur_h.recur_affine;
import static io.recur.bindings.kernels.recur_h.recur_binary;
import static io.recur.bindings.kernels.recur_h.recur_binary_derivative;
import static io.recur.bindings.kernels.recur_h.recur_clamp;
import static io.recur.device.kernels.Arithmetic.column;
import static io.recur.device.kernels.Arithmetic.row;

import io.recur.device.Buffer;
import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;

/** Elementwise arithmetic in C, see {@code native/recur.h}. */
final class NativeArithmetic implements Arithmetic {
  private final Kernels kernels;

  NativeArithmetic(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void affine(float factor, Buffer x, float constant, Buffer y, long n) {
    recur_affine(kernels.context(), factor, x.segment(n), constant, y.target(n), n);
  }

  @Override
  public void clamp(float low, float high, Buffer x, Buffer y, long n) {
    recur_clamp(kernels.context(), low, high, x.segment(n), y.target(n), n);
  }

  @Override
  public void addClampDerivative(float low, float high, Buffer x, Buffer dy, Buffer dx, long n) {
    recur_add_clamp_derivative(
        kernels.context(), low, high, x.segment(n), dy.segment(n), dx.target(n), n);
  }

  @Override
  public void apply(
      Binary f,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer y) {
    recur_binary(
        kernels.context(),
        f.ordinal(),
        m,
        n,
        a.segment((long) rowsA * columnsA),
        row(rowsA),
        column(rowsA, columnsA),
        b.segment((long) rowsB * columnsB),
        row(rowsB),
        column(rowsB, columnsB),
        y.target((long) m * n));
  }

  @Override
  public void derivative(
      Binary f,
      boolean ofB,
      boolean accumulate,
      int m,
      int n,
      Buffer a,
      int rowsA,
      int columnsA,
      Buffer b,
      int rowsB,
      int columnsB,
      Buffer d,
      Buffer y) {
    recur_binary_derivative(
        kernels.context(),
        f.ordinal(),
        ofB ? 1 : 0,
        accumulate ? 1 : 0,
        m,
        n,
        a.segment((long) rowsA * columnsA),
        row(rowsA),
        column(rowsA, columnsA),
        b.segment((long) rowsB * columnsB),
        row(rowsB),
        column(rowsB, columnsB),
        d.segment((long) m * n),
        y.target((long) m * n));
  }
}

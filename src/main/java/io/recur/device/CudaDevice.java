package io.recur.device;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A GPU of NVIDIA's: cuBLAS for matrix products, kernels of our own for the rest. */
final class CudaDevice extends Device {
  private final int ordinal;
  private final Precision precision;

  CudaDevice(int ordinal, Precision precision) {
    this.ordinal = ordinal;
    this.precision = precision;
  }

  /** The lines of {@link Device#cudaReport}. */
  static List<String> report() {
    return List.of();
  }

  @Override
  public String name() {
    return "cuda:" + ordinal + " (" + precision + ")";
  }

  @Override
  public @Nullable Recurrences recurrences() {
    return null;
  }

  @Override
  public Blas blas() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Pointwise pointwise() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Columns columns() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Gates gates() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Bands bands() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Updates updates() {
    throw new UnsupportedOperationException();
  }

  @Override
  void release() {}

  @Override
  Owner collected() {
    throw new UnsupportedOperationException();
  }

  @Override
  Owner closeable() {
    throw new UnsupportedOperationException();
  }

  @Override
  Buffer slice(Buffer buffer, long offset, long length) {
    throw new UnsupportedOperationException();
  }

  @Override
  void write(Buffer buffer, float[] values, int from, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  void writeIndexes(Buffer buffer, int[] indexes) {
    throw new UnsupportedOperationException();
  }

  @Override
  void read(Buffer buffer, float[] values, int from, int length) {
    throw new UnsupportedOperationException();
  }
}

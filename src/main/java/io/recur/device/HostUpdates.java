package io.recur.device;

import io.recur.device.kernels.Updates;
import java.lang.foreign.ValueLayout;

/** What the processor's updates have in common: a norm that is read where it was written. */
abstract class HostUpdates implements Updates {
  private final Pointwise pointwise;

  HostUpdates(Pointwise pointwise) {
    this.pointwise = pointwise;
  }

  /** All devices refuse alike what a GPU's kernels could not read as a double. */
  static void refuseUnaligned(String where, Buffer s) {
    long address = s.segment().address();
    if (address % Double.BYTES != 0) {
      throw new IllegalArgumentException(
          "%s: s lies %d bytes behind a multiple of 8; need a double that begins on one"
              .formatted(where, address % Double.BYTES));
    }
  }

  @Override
  public final void squares(boolean accumulate, Buffer g, long n, Buffer s) {
    refuseUnaligned("squares", s);
    double before = accumulate ? s.segment(2).get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0) : 0;
    double sum = before + pointwise.sumOfSquares(g, n);
    s.target(2).set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0, sum);
  }

  @Override
  public final void clipNorm(float limit, Buffer s, Buffer g, long n) {
    refuseUnaligned("clipNorm", s);
    double norm = Math.sqrt(s.segment(2).get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0));
    if (norm > limit && Double.isFinite(norm)) {
      pointwise.scale((float) (limit / norm), g, g, n);
    }
  }
}

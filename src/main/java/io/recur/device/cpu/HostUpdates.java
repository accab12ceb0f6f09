package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.Pointwise;
import io.recur.device.kernels.Updates;
import java.lang.foreign.ValueLayout;

/** The updates that C and Java share: the norm is in memory of the host. */
abstract class HostUpdates implements Updates {
  private final Pointwise pointwise;

  HostUpdates(Pointwise pointwise) {
    this.pointwise = pointwise;
  }

  @Override
  public final void squares(boolean accumulate, Buffer g, long n, Buffer s) {
    Updates.refuseUnaligned("squares", s);
    double before = accumulate ? s.segment(2).get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0) : 0;
    double sum = before + pointwise.sumOfSquares(g, n);
    s.target(2).set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0, sum);
  }

  @Override
  public final void clipNorm(float limit, Buffer s, Buffer g, long n) {
    Updates.refuseUnaligned("clipNorm", s);
    double norm = Math.sqrt(s.segment(2).get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0));
    if (norm > limit && Double.isFinite(norm)) {
      pointwise.scale((float) (limit / norm), g, g, n);
    }
  }
}

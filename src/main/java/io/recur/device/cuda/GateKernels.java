package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Gates;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The gates, a thread for each unit of each column, see {@code native/cuda/gates.cu}. */
final class GateKernels implements Gates {
  private final Queue queue;

  GateKernels(Queue queue) {
    this.queue = queue;
  }

  /** A launch that has been told the sizes. */
  private Launch kernel(Kernel kernel, int units, int batch) {
    return queue.kernel(kernel).integer(units).integer(batch);
  }

  private static MemorySegment bias(@Nullable Buffer bias, long rows) {
    return bias == null ? MemorySegment.NULL : bias.segment(rows);
  }

  @Override
  public void rnn(Elementwise f, int units, int batch, Buffer a, @Nullable Buffer bias, Buffer h) {
    long n = (long) units * batch;
    queue
        .kernel(Kernel.RNN)
        .integer(f.ordinal())
        .integer(units)
        .integer(batch)
        .pointer(a.target(n))
        .pointer(bias(bias, units))
        .pointer(h.target(n))
        .over(n);
  }

  @Override
  public void rnnSlope(Elementwise f, int n, Buffer a, Buffer h, Buffer dy, Buffer dh, Buffer da) {
    queue
        .kernel(Kernel.RNN_SLOPE)
        .integer(f.ordinal())
        .integer(n)
        .pointer(a.segment(n))
        .pointer(h.segment(n))
        .pointer(dy.segment(n))
        .pointer(dh.segment(n))
        .pointer(da.target(n))
        .over(n);
  }

  @Override
  public void lstm(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer cPrevious,
      Buffer c,
      Buffer h) {
    long n = (long) units * batch;
    kernel(Kernel.LSTM, units, batch)
        .pointer(gates.target(4 * n))
        .pointer(bias(bias, 4L * units))
        .pointer(cPrevious.segment(n))
        .pointer(c.target(n))
        .pointer(h.target(n))
        .over(n);
  }

  @Override
  public void lstmSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer cPrevious,
      Buffer c,
      Buffer dy,
      Buffer dh,
      Buffer dc,
      Buffer dgates) {
    long n = (long) units * batch;
    kernel(Kernel.LSTM_SLOPE, units, batch)
        .pointer(gates.segment(4 * n))
        .pointer(cPrevious.segment(n))
        .pointer(c.segment(n))
        .pointer(dy.segment(n))
        .pointer(dh.segment(n))
        .pointer(dc.target(n))
        .pointer(dgates.target(4 * n))
        .over(n);
  }

  @Override
  public void gru(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer recurrent,
      @Nullable Buffer recurrentBias,
      Buffer hPrevious,
      Buffer h) {
    long n = (long) units * batch;
    kernel(Kernel.GRU, units, batch)
        .pointer(gates.target(3 * n))
        .pointer(bias(bias, 3L * units))
        .pointer(recurrent.target(3 * n))
        .pointer(bias(recurrentBias, units))
        .pointer(hPrevious.segment(n))
        .pointer(h.target(n))
        .over(n);
  }

  @Override
  public void gruSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer recurrent,
      Buffer hPrevious,
      Buffer dy,
      Buffer dh,
      Buffer dgates,
      Buffer drecurrent) {
    long n = (long) units * batch;
    kernel(Kernel.GRU_SLOPE, units, batch)
        .pointer(gates.segment(3 * n))
        .pointer(recurrent.segment(3 * n))
        .pointer(hPrevious.segment(n))
        .pointer(dy.segment(n))
        .pointer(dh.target(n))
        .pointer(dgates.target(3 * n))
        .pointer(drecurrent.target(3 * n))
        .over(n);
  }

  @Override
  public void gruV3Reset(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer q) {
    long n = (long) units * batch;
    kernel(Kernel.GRU_V3_RESET, units, batch)
        .pointer(gates.target(3 * n))
        .pointer(bias(bias, 3L * units))
        .pointer(hPrevious.segment(n))
        .pointer(q.target(n))
        .over(n);
  }

  @Override
  public void gruV3Candidate(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer h) {
    long n = (long) units * batch;
    kernel(Kernel.GRU_V3_CANDIDATE, units, batch)
        .pointer(gates.target(3 * n))
        .pointer(bias(bias, 3L * units))
        .pointer(hPrevious.segment(n))
        .pointer(h.target(n))
        .over(n);
  }

  @Override
  public void gruV3CandidateSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dy, Buffer dh, Buffer dgates) {
    long n = (long) units * batch;
    kernel(Kernel.GRU_V3_CANDIDATE_SLOPE, units, batch)
        .pointer(gates.segment(3 * n))
        .pointer(hPrevious.segment(n))
        .pointer(dy.segment(n))
        .pointer(dh.target(n))
        .pointer(dgates.target(3 * n))
        .over(n);
  }

  @Override
  public void gruV3ResetSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dq, Buffer dh, Buffer dgates) {
    long n = (long) units * batch;
    kernel(Kernel.GRU_V3_RESET_SLOPE, units, batch)
        .pointer(gates.segment(3 * n))
        .pointer(hPrevious.segment(n))
        .pointer(dq.segment(n))
        .pointer(dh.target(n))
        .pointer(dgates.target(3 * n))
        .over(n);
  }
}

package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.UpdateRule;
import io.recur.device.kernels.Updates;
import java.lang.foreign.MemorySegment;

/** The optimisers' passes and clipping, see {@code native/cuda/updates.cu}. */
final class UpdateKernels implements Updates {
  private final Queue queue;
  private final Scratch scratch;

  UpdateKernels(Queue queue, Scratch scratch) {
    this.queue = queue;
    this.scratch = scratch;
  }

  private static MemorySegment slot(UpdateRule rule, Buffer[] slots, int i, long n) {
    return i < rule.slots() ? slots[i].target(n) : MemorySegment.NULL;
  }

  @Override
  public void update(
      UpdateRule rule, float[] settings, Buffer w, Buffer g, Buffer[] slots, long n) {
    queue
        .kernel(Kernel.UPDATE)
        .integer(rule.ordinal())
        .integer(settings.length)
        .upload(settings, settings.length)
        .pointer(w.target(n))
        .pointer(g.target(n))
        .pointer(slot(rule, slots, 0, n))
        .pointer(slot(rule, slots, 1, n))
        .pointer(slot(rule, slots, 2, n))
        .integer(n)
        .over(n);
  }

  @Override
  public void squares(boolean accumulate, Buffer g, long n, Buffer s) {
    Updates.refuseUnaligned("squares", s);
    synchronized (queue) {
      int parts = scratch.sum(true, g, n);
      scratch.total(accumulate, parts, s.target(2));
    }
  }

  @Override
  public void clipNorm(float limit, Buffer s, Buffer g, long n) {
    Updates.refuseUnaligned("clipNorm", s);
    queue
        .kernel(Kernel.CLIP_NORM)
        .real(limit)
        .pointer(s.segment(2))
        .pointer(g.target(n))
        .integer(n)
        .overFours(n);
  }
}

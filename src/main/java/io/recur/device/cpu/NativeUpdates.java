package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_update;

import io.recur.device.Buffer;
import io.recur.device.Pointwise;
import io.recur.device.UpdateRule;
import java.lang.foreign.MemorySegment;

/** The optimisers' passes in C, see {@code native/recur.h}. */
final class NativeUpdates extends HostUpdates {
  private final Kernels kernels;

  NativeUpdates(Kernels kernels, Pointwise pointwise) {
    super(pointwise);
    this.kernels = kernels;
  }

  private static float setting(float[] settings, int i) {
    return i < settings.length ? settings[i] : 0;
  }

  private static MemorySegment slot(UpdateRule rule, Buffer[] slots, int i, long n) {
    return i < rule.slots() ? slots[i].target(n) : MemorySegment.NULL;
  }

  @Override
  public void update(
      UpdateRule rule, float[] settings, Buffer w, Buffer g, Buffer[] slots, long n) {
    recur_update(
        kernels.context(),
        rule.ordinal(),
        setting(settings, 0),
        setting(settings, 1),
        setting(settings, 2),
        setting(settings, 3),
        setting(settings, 4),
        setting(settings, 5),
        w.target(n),
        g.target(n),
        slot(rule, slots, 0, n),
        slot(rule, slots, 1, n),
        slot(rule, slots, 2, n),
        n);
  }
}

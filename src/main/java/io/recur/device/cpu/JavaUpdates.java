package io.recur.device.cpu;

import io.recur.device.Buffer;
import io.recur.device.Pointwise;
import io.recur.device.UpdateRule;
import java.util.Arrays;

/** The optimisers' passes, tile by tile. */
final class JavaUpdates extends HostUpdates {
  private static final int FIRST_SLOT = 2;

  private final ThreadLocal<Workspace> workspaces;

  JavaUpdates(ThreadLocal<Workspace> workspaces, Pointwise pointwise) {
    super(pointwise);
    this.workspaces = workspaces;
  }

  @Override
  public void update(
      UpdateRule rule, float[] settings, Buffer w, Buffer g, Buffer[] slots, long n) {
    JavaRule loop = JavaRule.of(rule);
    Workspace work = workspaces.get();
    float[][] memory = work.slots();
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] value = work.load(0, w, at, tile);
      float[] gradient = work.load(1, g, at, tile);
      for (int s = 0; s < slots.length; s++) {
        memory[s] = work.load(FIRST_SLOT + s, slots[s], at, tile);
      }
      loop.apply(settings, value, gradient, memory, tile);
      Workspace.store(value, 0, w, at, tile);
      Arrays.fill(gradient, 0, tile, 0f);
      Workspace.store(gradient, 0, g, at, tile);
      for (int s = 0; s < slots.length; s++) {
        Workspace.store(memory[s], 0, slots[s], at, tile);
      }
    }
  }
}

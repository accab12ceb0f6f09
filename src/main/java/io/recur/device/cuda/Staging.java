package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CU_EVENT_DISABLE_TIMING;
import static io.recur.bindings.cuda.cuda_h.CU_EVENT_WAIT_DEFAULT;
import static io.recur.bindings.cuda.cuda_h.cuEventCreate;
import static io.recur.bindings.cuda.cuda_h.cuEventDestroy_v2;
import static io.recur.bindings.cuda.cuda_h.cuEventRecord;
import static io.recur.bindings.cuda.cuda_h.cuMemFreeHost;
import static io.recur.bindings.cuda.cuda_h.cuMemHostAlloc;
import static io.recur.bindings.cuda.cuda_h.cuMemcpyDtoDAsync_v2;
import static io.recur.bindings.cuda.cuda_h.cuMemcpyDtoHAsync_v2;
import static io.recur.bindings.cuda.cuda_h.cuMemcpyHtoDAsync_v2;
import static io.recur.bindings.cuda.cuda_h.cuStreamWaitEvent;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Pinned memory through which values travel between the heap and a CUDA device.
 *
 * <p>Values to the device pass through a ring of stages. The host fills a stage while the device
 * works. It does not write to the stage again before an event says that its values have arrived.
 *
 * <ul>
 *   <li>Small values of a list share one stage. Before the list runs, one copy takes them to a
 *       fixed address on the device, so that equal lists stay equal whatever the values.
 *   <li>Large values go stage by stage, on a stream beside the work of the device, to a second ring
 *       on the device. From there the stream of the work copies them to their target.
 * </ul>
 *
 * <p>The queue's monitor guards this object.
 */
final class Staging {
  /** Values of this size or more do not travel with the list. */
  static final long LARGE_BYTES = 1 << 18;

  private static final int STAGES = 8;
  private static final long STAGE_BYTES = 1 << 20;
  private static final long ALIGNMENT_BYTES = 64;
  private static final long NO_ADDRESS = 0;

  private final Context context;
  private final Memory memory;

  /** All stages, then the memory for values from the device. */
  private final MemorySegment pinned;

  private final MemorySegment[] stages = new MemorySegment[STAGES];
  private final MemorySegment outgoing;

  /** Per stage: nobody needs its values any more, on the host or on the device. */
  private final MemorySegment[] done = new MemorySegment[STAGES];

  private final MemorySegment[] arrived = new MemorySegment[STAGES];
  private final boolean[] isBusy = new boolean[STAGES];
  private final long landing;
  private long ring = NO_ADDRESS;
  private int stage;
  private long used;

  Staging(Context context, Memory memory) {
    this.context = context;
    this.memory = memory;
    long bytes = (STAGES + 1) * STAGE_BYTES;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      context.refuseHost(cuMemHostAlloc(out, bytes, 0), bytes);
      pinned = out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes);
      outgoing = pinned.asSlice(STAGES * STAGE_BYTES, STAGE_BYTES);
      for (int i = 0; i < STAGES; i++) {
        stages[i] = pinned.asSlice(i * STAGE_BYTES, STAGE_BYTES);
      }
      try {
        for (int i = 0; i < STAGES; i++) {
          done[i] = event(out);
          arrived[i] = event(out);
        }
        landing = memory.take(STAGE_BYTES, false);
      } catch (DeviceException e) {
        close();
        throw e;
      }
    }
  }

  private MemorySegment event(MemorySegment out) {
    context.check(cuEventCreate(out, CU_EVENT_DISABLE_TIMING()), "cuEventCreate");
    return out.get(ValueLayout.ADDRESS, 0);
  }

  // Small values travel with the list.

  /** {@return whether values of this size fit beside those that travel with the list} */
  boolean fits(long bytes) {
    return used + bytes <= STAGE_BYTES;
  }

  /**
   * Adds words that travel with the list. They must fit.
   *
   * @param array a float[] or int[]
   * @param layout the layout of its elements
   * @param from the first word
   * @param words the number of words
   * @return their device address while the list runs
   */
  long put(Object array, ValueLayout layout, int from, int words) {
    long at = used;
    long bytes = (long) words * Float.BYTES;
    MemorySegment.copy(array, from, stages[stage], layout, at, words);
    used += (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return landing + at;
  }

  /** Sends the small values, before the list. */
  void send() {
    if (used > 0) {
      context.check(
          cuMemcpyHtoDAsync_v2(landing, stages[stage], used, context.stream()),
          "cuMemcpyHtoDAsync of what the list uploads");
      used = 0;
      turn();
    }
  }

  /** Ends the use of a stage, and waits until the next stage is free. */
  private void turn() {
    context.check(cuEventRecord(done[stage], context.stream()), "cuEventRecord");
    isBusy[stage] = true;
    stage = (stage + 1) % STAGES;
    if (isBusy[stage]) {
      context.await(done[stage]);
      isBusy[stage] = false;
    }
  }

  // Large values.

  /** Allocates the ring on the device through which large values go. */
  void makeRing() {
    if (ring == NO_ADDRESS) {
      ring = memory.take(STAGES * STAGE_BYTES, false);
      context.synchronise("taking the staging ring"); // before the other stream writes to it
    }
  }

  /** Sends words of a float[] or int[] to device memory. The list must have been submitted. */
  void send(Object array, ValueLayout layout, int first, int words, long target) {
    int most = (int) (STAGE_BYTES / Float.BYTES);
    for (int from = 0; from < words; from += most) {
      int count = Math.min(most, words - from);
      long bytes = (long) count * Float.BYTES;
      long there = ring + stage * STAGE_BYTES;
      MemorySegment.copy(array, first + from, stages[stage], layout, 0, count);
      context.check(
          cuMemcpyHtoDAsync_v2(there, stages[stage], bytes, context.transfers()),
          "cuMemcpyHtoDAsync");
      context.check(cuEventRecord(arrived[stage], context.transfers()), "cuEventRecord");
      context.check(
          cuStreamWaitEvent(context.stream(), arrived[stage], CU_EVENT_WAIT_DEFAULT()),
          "cuStreamWaitEvent");
      context.check(
          cuMemcpyDtoDAsync_v2(target + (long) from * Float.BYTES, there, bytes, context.stream()),
          "cuMemcpyDtoDAsync");
      turn();
    }
  }

  /** Waits for all work, then fetches values. The list must have been submitted. */
  void fetch(long source, float[] values, int from, int length) {
    int most = (int) (STAGE_BYTES / Float.BYTES);
    for (int done = 0; done < length; done += most) {
      int count = Math.min(most, length - done);
      context.check(
          cuMemcpyDtoHAsync_v2(
              outgoing,
              source + (long) done * Float.BYTES,
              (long) count * Float.BYTES,
              context.stream()),
          "cuMemcpyDtoHAsync");
      context.synchronise("what was recorded before a read");
      MemorySegment.copy(outgoing, ValueLayout.JAVA_FLOAT, 0, values, from + done, count);
    }
  }

  /** Releases everything but the device's memory. */
  void close() {
    for (int i = 0; i < STAGES; i++) {
      destroy(done[i]);
      destroy(arrived[i]);
    }
    cuMemFreeHost(pinned);
  }

  private static void destroy(@Nullable MemorySegment event) {
    if (event != null) {
      cuEventDestroy_v2(event);
    }
  }
}

package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_OUT_OF_MEMORY;
import static io.recur.bindings.cuda.cuda_h.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
import static io.recur.bindings.cuda.cuda_h.cuDeviceGetDefaultMemPool;
import static io.recur.bindings.cuda.cuda_h.cuMemAllocAsync;
import static io.recur.bindings.cuda.cuda_h.cuMemFreeAsync;
import static io.recur.bindings.cuda.cuda_h.cuMemGetInfo_v2;
import static io.recur.bindings.cuda.cuda_h.cuMemPoolSetAttribute;
import static io.recur.bindings.cuda.cuda_h.cuMemPoolTrimTo;
import static io.recur.bindings.cuda.cuda_h.cuMemsetD32Async;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.recur.device.DeviceException;
import io.recur.device.memory.Allocator;
import io.recur.device.memory.DeviceMemory;
import io.recur.device.memory.Lifetime;
import io.recur.device.memory.Pressure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The memory of a CUDA device, allocated and freed in the order of its stream: memory is not free
 * before the work that uses it is done.
 *
 * <p>A buffer's segment has the device's address and length zero. When its arena is closed or is no
 * longer reachable, the address goes to a list. It is freed after the work recorded until then has
 * been submitted. The queue's monitor guards everything but that list.
 */
final class Memory implements DeviceMemory.Source {
  private static final int RECLAIM_ROUNDS = 20;
  private static final int RECLAIM_MILLIS = 10;

  /** The recorder of work, whose monitor guards the memory. */
  interface Work {
    /** Makes the device's context current. The caller holds the monitor. */
    void enter();

    /** Launches the recorded list on the stream. */
    void submit();

    /** {@return whether the recorder is open} */
    boolean isOpen();
  }

  private final Work work;
  private final Context context;
  private final MemorySegment pool;

  /** The bytes of each allocation, by address. */
  private final Map<Long, Long> live = new HashMap<>();

  /** The addresses to free; any thread adds to them. */
  private final ConcurrentLinkedQueue<Long> released = new ConcurrentLinkedQueue<>();

  private final AtomicInteger openOwners = new AtomicInteger();
  private final Pressure pressure = new Pressure();

  Memory(Work work, Context context) {
    this.work = work;
    this.context = context;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      context.check(
          cuDeviceGetDefaultMemPool(out, context.card().device()), "cuDeviceGetDefaultMemPool");
      pool = out.get(ValueLayout.ADDRESS, 0);
      MemorySegment all = arena.allocateFrom(JAVA_LONG, -1L);
      // freed memory stays in the pool: the next tape gets it without a call to the system
      context.check(
          cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD(), all),
          "cuMemPoolSetAttribute");
    }
  }

  @Override
  public Pressure pressure() {
    return pressure;
  }

  @Override
  public Allocator collected(boolean counts) {
    return new Owned(new Lifetime(), counts);
  }

  @Override
  public Allocator closeable() {
    AtomicInteger open = openOwners;
    open.incrementAndGet();
    return new Owned(new Lifetime(open::decrementAndGet), true);
  }

  private final class Owned implements Allocator {
    private final Lifetime lifetime;
    private final boolean counts;

    Owned(Lifetime lifetime, boolean counts) {
      this.lifetime = lifetime;
      this.counts = counts;
    }

    @Override
    public MemorySegment allocate(long floats) {
      if (!lifetime.isAlive()) {
        throw new IllegalStateException("slab: it was closed; take from it before");
      }
      long address = take(floats * Float.BYTES, !lifetime.isCloseable());
      Released gone = new Released(released, address, pressure, counts ? floats * Float.BYTES : 0);
      pressure.add(gone.bytes);
      return MemorySegment.ofAddress(address).reinterpret(0, lifetime.arena(), gone::add);
    }

    @Override
    public Lifetime lifetime() {
      return lifetime;
    }

    @Override
    public void close() {
      lifetime.close();
      synchronized (work) {
        if (work.isOpen() && !context.hasFailed()) {
          freeReleased();
        }
      }
    }
  }

  /** Runs when memory is released. A cleaner holds it, so it must not refer to the arena. */
  private record Released(
      ConcurrentLinkedQueue<Long> target, long address, Pressure pressure, long bytes) {
    void add(MemorySegment gone) {
      target.add(address);
      pressure.free(bytes);
    }
  }

  /** Allocates memory of the device. Closing the device frees it, unless it was released before. */
  long take(long bytes, boolean zeroed) {
    synchronized (work) {
      work.enter();
      freeReleased();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(JAVA_LONG);
        int status = cuMemAllocAsync(out, bytes, context.stream());
        if (status == CUDA_ERROR_OUT_OF_MEMORY()) {
          reclaim();
          status = cuMemAllocAsync(out, bytes, context.stream());
        }
        if (status == CUDA_ERROR_OUT_OF_MEMORY()) {
          throw outOfMemory(arena, bytes);
        }
        context.check(status, "cuMemAllocAsync");
        long address = out.get(JAVA_LONG, 0);
        live.put(address, bytes);
        if (zeroed) {
          context.check(
              cuMemsetD32Async(address, 0, bytes / Float.BYTES, context.stream()),
              "cuMemsetD32Async");
        }
        return address;
      }
    }
  }

  /** Frees the released addresses, after the work that may use them. */
  void freeReleased() {
    if (released.isEmpty()) {
      return;
    }
    work.submit();
    context.enter();
    for (Long address = released.poll(); address != null; address = released.poll()) {
      if (live.remove(address) != null) {
        context.check(cuMemFreeAsync(address, context.stream()), "cuMemFreeAsync");
      }
    }
  }

  /** Asks for a collection, since the collector does not see device memory that garbage holds. */
  private void reclaim() {
    System.gc();
    try {
      for (int i = 0; i < RECLAIM_ROUNDS && released.isEmpty(); i++) {
        Thread.sleep(RECLAIM_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    freeReleased();
    work.submit();
    context.synchronise("an allocation that found no memory");
    context.check(cuMemPoolTrimTo(pool, 0), "cuMemPoolTrimTo");
  }

  private DeviceException outOfMemory(Arena arena, long bytes) {
    MemorySegment out = arena.allocate(JAVA_LONG, 2);
    context.check(cuMemGetInfo_v2(out, out.asSlice(Long.BYTES)), "cuMemGetInfo");
    long free = out.getAtIndex(JAVA_LONG, 0);
    long total = out.getAtIndex(JAVA_LONG, 1);
    return new DeviceException(
        """
        %s: asked for %d bytes of device memory, free %d of %d, held by this device %d, by others, \
        contexts and libraries %d; use smaller batches, fewer steps between truncations, or close \
        what else runs on this GPU: nvidia-smi lists it"""
            .formatted(context, bytes, free, total, held(), Math.max(0, total - free - held())));
  }

  /** Bytes taken and not given back. */
  long held() {
    return live.values().stream().mapToLong(Long::longValue).sum();
  }

  /** {@return the number of slabs that are open} */
  int openOwners() {
    return openOwners.get();
  }

  /** Frees everything, even if it is reachable. The pool returns it to the system. */
  void close() {
    for (long address : live.keySet()) {
      cuMemFreeAsync(address, context.stream());
    }
    live.clear();
    released.clear();
    if (!context.hasFailed()) {
      context.synchronise("the last memory was freed");
      cuMemPoolTrimTo(pool, 0);
    }
  }
}

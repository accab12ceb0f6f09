package io.recur.device.memory;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** The memory of a device in its three lifetimes, the same for both kinds of devices. */
public final class DeviceMemory {
  /** The source of a device's memory. */
  public interface Source {
    /** {@return the count of this device's memory} */
    Pressure pressure();

    /**
     * Returns an allocator of zeroed memory that lives as long as it is reachable.
     *
     * @param counts whether the memory counts as held
     * @return the allocator
     */
    Allocator collected(boolean counts);

    /**
     * Returns an allocator of memory with unspecified content, which lives until it is closed or
     * unreachable. It counts as held.
     *
     * @return the allocator
     */
    Allocator closeable();
  }

  /** Makes buffers of the device, as {@code Device.buffer} does. */
  @FunctionalInterface
  public interface Buffers {
    /**
     * Makes a buffer over memory.
     *
     * @param segment the address
     * @param floats the number of words
     * @param keeper an object that stays reachable as long as a buffer of the memory
     * @param isLasting whether the memory outlives a tape
     * @return the buffer
     */
    Buffer over(MemorySegment segment, long floats, Object keeper, boolean isLasting);
  }

  private final Device device;
  private final Source source;
  private final Buffers buffers;

  /** The pools, by the words of a buffer. */
  private final Map<Long, BufferPool> pools = new ConcurrentHashMap<>();

  /**
   * Begins the memory of a device.
   *
   * @param device the device, which throws when it is closed
   * @param source gives the memory
   * @param buffers makes the device's buffers
   */
  public DeviceMemory(Device device, Source source, Buffers buffers) {
    this.device = device;
    this.source = source;
    this.buffers = buffers;
  }

  /**
   * Allocates memory for models and kept states, see {@link Device#allocate}.
   *
   * @param floats the number of words
   * @return a zeroed buffer aligned to 64 bytes
   */
  public Buffer allocate(long floats) {
    device.checkOpen();
    Slab.check("allocate", floats);
    source.pressure().relieve();
    return retried(() -> take(source.collected(true), floats, true));
  }

  /**
   * Makes an empty slab. {@link Slab#close} frees its memory.
   *
   * @return the slab
   */
  public Slab slab() {
    device.checkOpen();
    source.pressure().relieve();
    return new Slab(() -> regions(source.closeable()));
  }

  /**
   * Returns the pool of buffers of this length.
   *
   * @param floats the words of a buffer, a multiple of 16
   * @return the same pool at every call
   */
  public BufferPool pool(long floats) {
    return pools.computeIfAbsent(
        floats,
        size ->
            new BufferPool(
                size,
                words -> take(source.collected(false), words, false),
                account(),
                Lifetime.CLEANER));
  }

  /** Runs an allocation, and once more after a collection if it fails. */
  private Buffer retried(Supplier<Buffer> allocation) {
    try {
      return allocation.get();
    } catch (DeviceException e) {
      source.pressure().relieveAll();
      return allocation.get();
    }
  }

  private Buffer take(Allocator allocator, long floats, boolean isLasting) {
    device.checkOpen();
    return buffers.over(allocator.allocate(floats), floats, allocator.lifetime(), isLasting);
  }

  private Slab.Regions regions(Allocator allocator) {
    return new Slab.Regions() {
      @Override
      public Buffer allocate(long floats) {
        return retried(() -> take(allocator, floats, false));
      }

      @Override
      public void close() {
        allocator.close();
      }
    };
  }

  private BufferPool.Account account() {
    return new BufferPool.Account() {
      @Override
      public void before() {
        device.checkOpen();
        source.pressure().relieve();
      }

      @Override
      public void used(long bytes) {
        source.pressure().add(bytes);
      }

      @Override
      public void failed() {
        source.pressure().relieveAll();
      }
    };
  }
}

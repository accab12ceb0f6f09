package io.recur.device.memory;

import io.recur.device.Buffer;
import io.recur.device.Device;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The memory of a device in the three lifetimes that both kinds of devices give alike. */
public final class DeviceMemory {
  /** Where the memory of a device comes from. */
  public interface Source {
    /**
     * What counts the memory of this device.
     *
     * @return the count
     */
    Pressure pressure();

    /**
     * Zeroed memory that lives until nothing refers to it.
     *
     * @param counts whether it counts as held
     * @return its allocator
     */
    Allocator collected(boolean counts);

    /**
     * Memory of any content that lives until it is closed, or nothing refers to it. It counts as
     * held.
     *
     * @return its allocator
     */
    Allocator closeable();
  }

  /** Makes buffers of the device, as {@code Device.buffer} does. */
  @FunctionalInterface
  public interface Buffers {
    /**
     * A buffer over memory.
     *
     * @param segment its address
     * @param floats words
     * @param keeper kept reachable with every buffer over the memory
     * @param isLasting whether the memory outlives a tape
     * @return the buffer
     */
    Buffer over(MemorySegment segment, long floats, Object keeper, boolean isLasting);
  }

  private final Device device;
  private final Source source;
  private final Buffers buffers;

  /** By the words of a slot. */
  private final Map<Long, Slots> tables = new ConcurrentHashMap<>();

  /**
   * The memory of a device.
   *
   * @param device refuses when it is closed
   * @param source gives the memory
   * @param buffers makes the device's buffers
   */
  public DeviceMemory(Device device, Source source, Buffers buffers) {
    this.device = device;
    this.source = source;
    this.buffers = buffers;
  }

  /**
   * Memory for models and kept states, see {@link Device#allocate}.
   *
   * @param floats words
   * @return a zeroed buffer aligned to 64 bytes
   */
  public Buffer allocate(long floats) {
    device.checkOpen();
    Slab.check("allocate", floats);
    source.pressure().relieve();
    return take(source.collected(true), floats, true);
  }

  /**
   * An empty slab whose memory is given back by {@link Slab#close}.
   *
   * @return the slab
   */
  public Slab slab() {
    device.checkOpen();
    source.pressure().relieve();
    return new Slab(() -> blocks(source.closeable()));
  }

  /**
   * The table of slots of that many words.
   *
   * @param floats of a slot, a multiple of 16
   * @return the same table at every call
   */
  public Slots slots(long floats) {
    return tables.computeIfAbsent(
        floats,
        size ->
            new Slots(
                size,
                words -> take(source.collected(false), words, false),
                account(),
                Lifetime.CLEANER));
  }

  private Buffer take(Allocator allocator, long floats, boolean isLasting) {
    device.checkOpen();
    return buffers.over(allocator.allocate(floats), floats, allocator.lifetime(), isLasting);
  }

  private Slab.Blocks blocks(Allocator allocator) {
    return new Slab.Blocks() {
      @Override
      public Buffer allocate(long floats) {
        return take(allocator, floats, false);
      }

      @Override
      public void close() {
        allocator.close();
      }
    };
  }

  private Slots.Account account() {
    return new Slots.Account() {
      @Override
      public void before() {
        device.checkOpen();
        source.pressure().relieve();
      }

      @Override
      public void used(long bytes) {
        source.pressure().add(bytes);
      }
    };
  }
}

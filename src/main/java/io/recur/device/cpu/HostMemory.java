package io.recur.device.cpu;

import io.recur.device.DeviceException;
import io.recur.device.memory.Allocator;
import io.recur.device.memory.Lifetime;
import io.recur.device.memory.Pressure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Zeroed memory of the host, for all CPU devices. */
final class HostMemory implements Allocator {
  private static final long ALIGNMENT_BYTES = 64;

  /** The JVM's words when {@code -XX:MaxDirectMemorySize} stops an allocation. */
  private static final Pattern LIMIT = Pattern.compile("limit: (\\d+)");

  /** Counts the memory of the process, not that of one device. */
  static final Pressure PRESSURE = new Pressure();

  private final Lifetime lifetime;
  private final boolean counts;

  /**
   * Allocates memory of one lifetime.
   *
   * @param counts whether the memory counts as held
   */
  HostMemory(Lifetime lifetime, boolean counts) {
    this.lifetime = lifetime;
    this.counts = counts;
  }

  @Override
  public MemorySegment allocate(long floats) {
    long bytes = floats * Float.BYTES;
    MemorySegment segment = taken(bytes);
    if (counts) {
      PRESSURE.add(bytes);
      segment = segment.reinterpret(lifetime.arena(), gone -> PRESSURE.free(bytes));
    }
    return segment;
  }

  @Override
  public Lifetime lifetime() {
    return lifetime;
  }

  private MemorySegment taken(long bytes) {
    Arena arena = lifetime.arena();
    if (!lifetime.isAlive()) {
      throw new IllegalStateException("slab: it was closed; take from it before");
    }
    try {
      return arena.allocate(bytes, ALIGNMENT_BYTES);
    } catch (OutOfMemoryError e) {
      throw new DeviceException(refusal(bytes, String.valueOf(e.getMessage())), e);
    }
  }

  private static String refusal(long bytes, String reason) {
    Matcher limit = LIMIT.matcher(reason);
    String asked =
        "cpu: asked for %d bytes of native memory, %d are held".formatted(bytes, PRESSURE.held());
    return limit.find()
        ? asked
            + (", the JVM's limit is %s; raise it with -XX:MaxDirectMemorySize=SIZE (without this"
                    + " flag it is as large as -Xmx), or use smaller batches or fewer steps between"
                    + " truncations")
                .formatted(limit.group(1))
        : asked
            + "; the system gives no more (%s): use smaller batches or fewer steps between truncations"
                .formatted(reason);
  }

  @Override
  public void close() {
    lifetime.close();
  }
}

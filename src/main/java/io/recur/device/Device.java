package io.recur.device;

import io.recur.device.cpu.CpuDevice;
import io.recur.device.cuda.CudaDevice;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A place where memory lives and kernels run.
 *
 * <p>The kernels of {@link #pointwise} and {@link #columns} are for the operations of users too.
 * They check the length of every buffer. All methods may be called from any platform thread; two
 * threads must not write the same buffer.
 *
 * <pre>{@code
 * try (Device device = Device.cpu()) {
 *   Buffer x = device.allocate(4);
 *   x.write(-1, 0, 1, 2);
 *   device.pointwise().map(Elementwise.TANH, x, x, 4);
 * }
 * }</pre>
 */
public abstract sealed class Device implements AutoCloseable permits CpuDevice, CudaDevice {
  private static final int MOST_THREADS = 1024;

  /** How many have yet to close it. */
  private final AtomicInteger holders = new AtomicInteger(1);

  /** For the two kinds of devices. */
  protected Device() {}

  /**
   * The processor, with as many threads as this JVM may use cores, at most 1 024.
   *
   * @return a device to be closed by the caller
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says what was looked for
   */
  public static Device cpu() {
    return cpu(Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS));
  }

  /**
   * The processor, with a number of threads: the caller's own and as many more as it takes. It is
   * the one setting of threads; OpenBLAS follows it. Calls of several threads that meet run on
   * their callers' threads alone, so forks that serve a thread each use one core each. The same
   * seed, machine and number of threads give the same bits.
   *
   * <p>Without the C kernels of this platform the number holds for matrix products alone, and for
   * all devices of the process at once.
   *
   * <p>{@link #close} ends these threads, when the call that they work for has returned.
   *
   * @param threads 1 to 1 024
   * @return a device to be closed by the caller
   * @throws IllegalArgumentException if the number is outside these bounds
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says what was looked for
   */
  public static Device cpu(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "cpu: threads=%d; need 1 to %d, as many as there are cores"
              .formatted(threads, MOST_THREADS));
    }
    return new CpuDevice(threads);
  }

  /**
   * A GPU of NVIDIA's, with true float32 products.
   *
   * @param ordinal its number, from 0
   * @return a device to be closed by the caller
   * @throws DeviceException if there is no driver, no NVRTC, no cuBLAS, one of them is too old or
   *     does not work, there is no such GPU, it is below compute capability 8.0, or other programs
   *     hold its memory; the message names the facts and the remedy
   */
  public static Device cuda(int ordinal) {
    return cuda(ordinal, Precision.FLOAT32);
  }

  /**
   * A GPU of NVIDIA's. Nothing falls back to the processor. The libraries are looked for in this
   * order: what the system property {@code io.recur.cuda} names, a file with all symbols or a
   * folder with NVIDIA's libraries; what the environment variable {@code RECUR_CUDA} names, in the
   * same way; the system's folders, for CUDA 13 then 12; the folders of NVIDIA's Python packages;
   * the CUDA toolkit's folder.
   *
   * <p>The calls return before the work is done; a {@link Buffer#read} waits for it. The property
   * {@code io.recur.cuda.check=true} makes each call wait, so that a fault is told with the call
   * that made it; {@code io.recur.cuda.graphs=false} launches all work piece by piece. An index
   * that names no column, see {@link Columns}, is told by the next read: an {@link
   * IndexOutOfBoundsException} names operation, index and range, and the device stays usable.
   *
   * @param ordinal its number, from 0
   * @param precision of matrix products
   * @return a device to be closed by the caller
   * @throws DeviceException if there is no driver, no NVRTC, no cuBLAS, one of them is too old or
   *     does not work, there is no such GPU, it is below compute capability 8.0, or other programs
   *     hold its memory; the message names the facts and the remedy
   */
  public static Device cuda(int ordinal, Precision precision) {
    return new CudaDevice(ordinal, precision);
  }

  /**
   * A device by its name.
   *
   * @param name {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}
   * @return a device to be closed by the caller
   * @throws IllegalArgumentException if it is no such name
   * @throws DeviceException if that device cannot be opened
   */
  public static Device of(String name) {
    return of(name, Precision.FLOAT32);
  }

  /**
   * A device by its name.
   *
   * @param name {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}
   * @param precision of a GPU's matrix products; the processor has float32 alone
   * @return a device to be closed by the caller
   * @throws IllegalArgumentException if it is no such name, or the processor is asked for another
   *     precision
   * @throws DeviceException if that device cannot be opened
   */
  public static Device of(String name, Precision precision) {
    if (name.matches("cuda(:\\d{1,4})?")) {
      return cuda(name.length() > 5 ? Integer.parseInt(name.substring(5)) : 0, precision);
    }
    if (!name.equals("cpu")) {
      throw new IllegalArgumentException("device: name=" + name + "; need cpu, cuda or cuda:N");
    }
    if (precision != Precision.FLOAT32) {
      throw new IllegalArgumentException(
          "device: name=cpu, precision=" + precision + "; the processor multiplies in FLOAT32");
    }
    return cpu();
  }

  /**
   * The GPUs that {@link #cuda} can open, each with its name, memory, compute capability, and the
   * versions of driver and libraries; or what is missing, and where it was looked for.
   *
   * @return lines to be shown
   */
  public static List<String> cudaReport() {
    return CudaDevice.report();
  }

  /**
   * What this is and runs on, in one line.
   *
   * @return such as {@code cpu (OpenBLAS 0.3.31 Zen, bundled, 2 threads, kernels avx2)}
   */
  public abstract String name();

  /**
   * Elementwise kernels.
   *
   * @return the kernels
   */
  public abstract Pointwise pointwise();

  /**
   * Kernels on the columns of a matrix: broadcasts, sums, gathers, softmax.
   *
   * @return the kernels
   */
  public abstract Columns columns();

  /**
   * Memory that lives until nothing refers to it any more: for models and kept states.
   *
   * @param floats words, from 1 to 2⁵⁶
   * @return a zeroed buffer aligned to 64 bytes
   * @throws IllegalArgumentException if it is another number of words; the device stays usable
   * @throws DeviceException if there is not that much memory; the message says how much there is
   * @throws IllegalStateException if this device is closed
   */
  public abstract Buffer allocate(long floats);

  /**
   * Makes further use an error, and ends the threads that this device started; a second call does
   * nothing.
   *
   * @throws DeviceException if work fails on a GPU that nobody has waited for; everything is given
   *     back
   */
  @Override
  public final void close() {
    if (holders.getAndUpdate(count -> Math.max(0, count - 1)) == 1) {
      release();
    }
  }

  /** One more will close this open device: the last of them ends it. */
  final void share() {
    checkOpen();
    holders.incrementAndGet();
  }

  /**
   * Refuses work after {@link #close}.
   *
   * @throws IllegalStateException if this device is closed
   */
  public final void checkOpen() {
    if (holders.get() == 0) {
      throw new IllegalStateException(
          "device: " + name() + " is closed; open it before and close it after all that uses it");
    }
  }

  /** Refuses work after {@link #close}, and a buffer that is too short or of another device. */
  final void accept(String where, Buffer buffer, long words) {
    checkOpen();
    if (buffer.device() != this) {
      throw new IllegalArgumentException(
          "%s: the buffer is on %s, the kernel on %s; copy it with read() and write()"
              .formatted(where, buffer.device(), this));
    }
    buffer.checkLength(where, words);
  }

  @Override
  public final String toString() {
    return name();
  }

  // What a kind of device does, and what it alone may do.

  /** Gives everything back. Called once, when the last holder has closed this device. */
  protected abstract void release();

  /**
   * A part of memory of this device.
   *
   * @param whole the segment of a buffer
   * @param offset its first word in the whole
   * @param length words
   * @return a segment that lives as long as the whole
   */
  protected abstract MemorySegment slice(MemorySegment whole, long offset, long length);

  /**
   * Copies values to the start of a buffer of this device, which is long enough.
   *
   * @param buffer written to
   * @param values copied from
   * @param from the first value
   * @param length values
   */
  protected abstract void write(Buffer buffer, float[] values, int from, int length);

  /**
   * Copies indexes to the start of a buffer of this device, which is long enough.
   *
   * @param buffer written to
   * @param indexes all copied
   */
  protected abstract void writeIndexes(Buffer buffer, int[] indexes);

  /**
   * Copies the start of a buffer of this device, which is long enough, when all work is done.
   *
   * @param buffer read from
   * @param values copied to
   * @param from the first place
   * @param length values
   */
  protected abstract void read(Buffer buffer, float[] values, int from, int length);

  /**
   * A buffer over memory of this device.
   *
   * @param segment its address, as native calls take it
   * @param floats words
   * @param keeper kept reachable with every buffer over the memory
   * @param isLasting whether the memory outlives a tape, so that {@link #carry} is kept with it
   * @return the buffer
   */
  protected final Buffer buffer(
      MemorySegment segment, long floats, Object keeper, boolean isLasting) {
    return new Buffer(this, segment, floats, keeper, isLasting);
  }

  /**
   * Whether sums in a buffer grow from tape to tape, so that roundings would add up.
   *
   * @param sum of this device
   * @return whether the memory outlives a tape
   */
  protected static final boolean isLasting(Buffer sum) {
    return sum.isLasting();
  }

  /**
   * What the sums in a buffer lost to rounding.
   *
   * @param sum of this device
   * @return as long as the sum, and as lasting
   */
  protected static final Buffer carry(Buffer sum) {
    return sum.carry();
  }

  /**
   * The public edge of elementwise kernels.
   *
   * @param kernels which check nothing
   * @return kernels that check every argument, then call these
   */
  protected final Pointwise checked(Pointwise kernels) {
    return new CheckedPointwise(this, kernels);
  }

  /**
   * The public edge of kernels on columns.
   *
   * @param kernels which check nothing but indexes
   * @return kernels that check every argument, then call these
   */
  protected final Columns checked(Columns kernels) {
    return new CheckedColumns(this, kernels);
  }
}

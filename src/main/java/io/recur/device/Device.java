package io.recur.device;

import io.recur.device.cpu.CpuDevice;
import io.recur.device.cuda.CudaDevice;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A place where memory lives and kernels run.
 *
 * <p>Operations of users may call the kernels of {@link #pointwise} and {@link #columns}, which
 * check their arguments. Any platform thread may call every method; two threads must not write the
 * same buffer.
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

  /** The number of holders that have not closed this device yet. */
  private final AtomicInteger holders = new AtomicInteger(1);

  private final long opened = System.nanoTime();

  /** For the two kinds of devices. */
  protected Device() {}

  /**
   * Opens the processor, with one thread per core that this JVM may use, at most 1 024.
   *
   * @return a device, which the caller closes
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says where Recur looked
   */
  public static Device cpu() {
    return cpu(Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS));
  }

  /**
   * Opens the processor with a number of threads: the caller's own and those that the device
   * starts. This is the only setting of threads; OpenBLAS follows it. Calls of several threads at
   * the same time run on their callers' threads alone, so forks on one thread each use one core
   * each. The same seed, machine and number of threads give the same bits.
   *
   * <p>Without C kernels for this platform, only matrix products use several threads, and the
   * number applies to all devices of the process.
   *
   * <p>{@link #close} ends these threads after the call that they work for.
   *
   * @param threads 1 to 1 024
   * @return a device, which the caller closes
   * @throws IllegalArgumentException if the number is outside these bounds
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says where Recur looked
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
   * Loads the libraries of the processor, as the first {@link #cpu()} of a process does otherwise.
   * Finding, checking and linking them takes some tenths of a second. A program that has something
   * else to do meanwhile calls this on another thread; {@link #cpu()} then waits for it.
   *
   * @throws DeviceException if OpenBLAS cannot be loaded; {@link #cpu()} tries again
   */
  public static void load() {
    CpuDevice.load();
  }

  /**
   * Opens an NVIDIA GPU, with true float32 products.
   *
   * @param ordinal the GPU's number, from 0
   * @return a device, which the caller closes
   * @throws DeviceException if there is no driver, no NVRTC, no cuBLAS, one of them is too old or
   *     does not work, there is no such GPU, it is below compute capability 8.0, or other programs
   *     hold its memory; the message names the facts and the remedy
   */
  public static Device cuda(int ordinal) {
    return cuda(ordinal, Precision.FLOAT32);
  }

  /**
   * Opens an NVIDIA GPU. Nothing falls back to the processor. Recur looks for NVIDIA's libraries in
   * this order: what the system property {@code io.recur.cuda} names; what the environment variable
   * {@code RECUR_CUDA} names; the system's folders, for CUDA 13, then 12; the folders of NVIDIA's
   * Python packages; the CUDA toolkit's folder. A name is that of a file with all symbols, or of a
   * folder with NVIDIA's libraries.
   *
   * <p>Calls return before the work is done; {@link Buffer#read} waits for it. The property {@code
   * io.recur.cuda.check=true} makes each call wait, so that an error names the call that failed;
   * {@code io.recur.cuda.graphs=false} launches each operation by itself. The next read throws for
   * an index that names no column, see {@link Columns}: an {@link IndexOutOfBoundsException} names
   * operation, index and range, and the device stays usable.
   *
   * @param ordinal the GPU's number, from 0
   * @param precision the precision of matrix products
   * @return a device, which the caller closes
   * @throws DeviceException if there is no driver, no NVRTC, no cuBLAS, one of them is too old or
   *     does not work, there is no such GPU, it is below compute capability 8.0, or other programs
   *     hold its memory; the message names the facts and the remedy
   */
  public static Device cuda(int ordinal, Precision precision) {
    return new CudaDevice(ordinal, precision);
  }

  /**
   * Opens a device by its name.
   *
   * @param name {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}
   * @return a device, which the caller closes
   * @throws IllegalArgumentException if there is no such name
   * @throws DeviceException if the device cannot be opened
   */
  public static Device of(String name) {
    return of(name, Precision.FLOAT32);
  }

  /**
   * Opens a device by its name.
   *
   * @param name {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}
   * @param precision the precision of a GPU's matrix products; the processor has only float32
   * @return a device, which the caller closes
   * @throws IllegalArgumentException if there is no such name, or if the processor shall have
   *     another precision than float32
   * @throws DeviceException if the device cannot be opened
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
   * Lists the GPUs that {@link #cuda} can open, each with its name, memory, compute capability, and
   * the versions of driver and libraries. Where something is missing, the lines say what, and where
   * Recur looked for it.
   *
   * @return lines for the user
   */
  public static List<String> cudaReport() {
    return CudaDevice.report();
  }

  /**
   * Describes this device and its libraries in one line.
   *
   * @return such as {@code cpu (OpenBLAS 0.3.31 Zen, bundled, 2 threads, kernels avx2)}
   */
  public abstract String name();

  /**
   * This device's name in a message that names another one too: devices with one name are told
   * apart by the order in which they were opened.
   *
   * @param other the other device
   * @return the name, and {@code opened first} or {@code opened later} where it is the other's too
   */
  public final String nameBeside(Device other) {
    boolean isAlike = other != this && name().equals(other.name());
    return isAlike
        ? name() + (opened < other.opened ? ", opened first" : ", opened later")
        : name();
  }

  /** {@return the elementwise kernels} */
  public abstract Pointwise pointwise();

  /** {@return the kernels on the columns of a matrix: broadcasts, sums, gathers, softmax} */
  public abstract Columns columns();

  /**
   * Allocates memory that lives as long as it is reachable: for models and kept states.
   *
   * @param floats the number of words, from 1 to 2⁵⁶
   * @return a zeroed buffer aligned to 64 bytes
   * @throws IllegalArgumentException if the number is outside these bounds; the device stays usable
   * @throws DeviceException if there is not enough memory; the message says how much there is
   * @throws IllegalStateException if this device is closed
   */
  public abstract Buffer allocate(long floats);

  /**
   * Closes this device and ends the threads that it started. Any further use throws. A second call
   * does nothing.
   *
   * @throws DeviceException if work fails on a GPU that nobody has waited for; everything is
   *     released
   */
  @Override
  public final void close() {
    if (holders.getAndUpdate(count -> Math.max(0, count - 1)) == 1) {
      release();
    }
  }

  /** Adds a holder of this open device. The last holder's close ends it. */
  final void share() {
    checkOpen();
    holders.incrementAndGet();
  }

  /**
   * Throws after {@link #close}.
   *
   * @throws IllegalStateException if this device is closed
   */
  public final void checkOpen() {
    if (holders.get() == 0) {
      throw new IllegalStateException(
          "device: " + name() + " is closed; open it before and close it after all that uses it");
    }
  }

  /** Throws after {@link #close}, and for a buffer that is too short or of another device. */
  final void accept(String where, Buffer buffer, long words) {
    checkOpen();
    if (buffer.device() != this) {
      throw new IllegalArgumentException(
          "%s: the buffer is on %s, the kernel on %s; copy it with read() and write()"
              .formatted(where, buffer.device().nameBeside(this), nameBeside(buffer.device())));
    }
    buffer.checkLength(where, words);
  }

  @Override
  public final String toString() {
    return name();
  }

  // What a kind of device does, and what it alone may do.

  /** Releases everything. Called once, when the last holder has closed this device. */
  protected abstract void release();

  /**
   * Cuts a part of memory of this device.
   *
   * @param whole the segment of a buffer
   * @param offset the first word in the whole
   * @param length the number of words
   * @return a segment that lives as long as the whole
   */
  protected abstract MemorySegment slice(MemorySegment whole, long offset, long length);

  /**
   * Copies values to the start of a buffer of this device, which is long enough.
   *
   * @param buffer the target
   * @param values the source
   * @param from the first value
   * @param length the number of values
   */
  protected abstract void write(Buffer buffer, float[] values, int from, int length);

  /**
   * Copies indexes to the start of a buffer of this device, which is long enough.
   *
   * @param buffer the target
   * @param indexes the source
   * @param length the number of indexes, the first ones
   */
  protected abstract void writeIndexes(Buffer buffer, int[] indexes, int length);

  /**
   * Waits for all work, then copies the start of a buffer of this device, which is long enough.
   *
   * @param buffer the source
   * @param values the target
   * @param from the first index in the target
   * @param length the number of values
   */
  protected abstract void read(Buffer buffer, float[] values, int from, int length);

  /**
   * Makes a buffer over memory of this device.
   *
   * @param segment the address, as native calls take it
   * @param floats the number of words
   * @param keeper an object that stays reachable as long as a buffer of the memory
   * @param isLasting whether the memory outlives a tape, so that {@link #carry} is kept with it
   * @return the buffer
   */
  protected final Buffer buffer(
      MemorySegment segment, long floats, Object keeper, boolean isLasting) {
    return new Buffer(this, segment, floats, keeper, isLasting);
  }

  /**
   * Tells whether sums in a buffer grow from tape to tape, so that roundings would add up.
   *
   * @param sum a buffer of this device
   * @return whether the memory outlives a tape
   */
  protected static final boolean isLasting(Buffer sum) {
    return sum.isLasting();
  }

  /**
   * Returns what the sums in a buffer lost to rounding.
   *
   * @param sum a buffer of this device
   * @return a buffer of the same length and lifetime
   */
  protected static final Buffer carry(Buffer sum) {
    return sum.carry();
  }

  /**
   * Puts the public edge before elementwise kernels.
   *
   * @param kernels kernels that rely on their callers' checks
   * @return kernels that check every argument, then call these
   */
  protected final Pointwise checked(Pointwise kernels) {
    return new CheckedPointwise(this, kernels);
  }

  /**
   * Puts the public edge before kernels on columns.
   *
   * @param kernels kernels that check only the indexes in buffers
   * @return kernels that check every argument, then call these
   */
  protected final Columns checked(Columns kernels) {
    return new CheckedColumns(this, kernels);
  }
}

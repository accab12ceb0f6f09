package io.recur.device;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A place where memory lives and kernels run.
 *
 * <p>Kernels are grouped by what they do: {@link #blas}, {@link #pointwise}, {@link #columns},
 * {@link #gates}, {@link #bands}, {@link #updates}. Their arguments are checked by those who call
 * them; they check nothing themselves. All methods may be called from any platform thread; two
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
public abstract sealed class Device implements AutoCloseable permits CpuDevice {
  private final AtomicBoolean open = new AtomicBoolean(true);

  /** For the devices in this package. */
  Device() {}

  /**
   * The processor, with as many threads as this JVM may use cores.
   *
   * @return a device to be closed by the caller
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says what was looked for
   */
  public static Device cpu() {
    return cpu(Runtime.getRuntime().availableProcessors());
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
   * @param threads 1 or more
   * @return a device to be closed by the caller
   * @throws DeviceException if OpenBLAS cannot be loaded; the message says what was looked for
   */
  public static Device cpu(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("cpu: threads=" + threads + "; need 1 or more");
    }
    return new CpuDevice(Kernels.preferred(), threads);
  }

  /**
   * What this is and runs on, in one line.
   *
   * @return such as {@code cpu (OpenBLAS 0.3.31 Zen, bundled, 2 threads, kernels avx2)}
   */
  public abstract String name();

  /**
   * Matrix products.
   *
   * @return the kernels
   */
  public abstract Blas blas();

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
   * The gates of the recurrent cells.
   *
   * @return the kernels
   */
  public abstract Gates gates();

  /**
   * Whole sequences of the recurrent cells in one call.
   *
   * @return the kernels, or null where the cells are to be run step by step
   */
  public abstract @Nullable Recurrences recurrences();

  /**
   * Products with diagonal and tridiagonal matrices.
   *
   * @return the kernels
   */
  public abstract Bands bands();

  /**
   * The optimisers' passes over parameters, and clipping.
   *
   * @return the kernels
   */
  public abstract Updates updates();

  /**
   * Memory that lives until nothing refers to it any more: for models and kept states.
   *
   * @param floats words, more than zero
   * @return a zeroed buffer aligned to 64 bytes
   */
  public final Buffer allocate(long floats) {
    checkOpen();
    return collected().allocate(this, floats);
  }

  /**
   * A slab whose memory is given back by {@link Slab#close}.
   *
   * @return an empty slab
   */
  public final Slab slab() {
    checkOpen();
    return new Slab(this, closeable());
  }

  /** Makes further use an error; a second call does nothing. */
  @Override
  public final void close() {
    if (open.compareAndSet(true, false)) {
      release();
    }
  }

  /**
   * Refuses work after {@link #close}.
   *
   * @throws IllegalStateException if this device is closed
   */
  public final void checkOpen() {
    if (!open.get()) {
      throw new IllegalStateException(
          "device: " + name() + " is closed; open it before and close it after all that uses it");
    }
  }

  @Override
  public final String toString() {
    return name();
  }

  abstract void release();

  abstract Owner collected();

  abstract Owner closeable();

  abstract Buffer slice(Buffer buffer, long offset, long length);

  abstract void write(Buffer buffer, float[] values, int from, int length);

  abstract void writeIndexes(Buffer buffer, int[] indexes);

  abstract void read(Buffer buffer, float[] values, int from, int length);

  /** Who gives memory and takes it back. */
  interface Owner {
    Buffer allocate(Device device, long floats);

    void close();
  }
}

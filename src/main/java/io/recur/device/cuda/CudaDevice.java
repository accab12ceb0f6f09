package io.recur.device.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Pointwise;
import io.recur.device.Precision;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.KernelGroups;
import io.recur.device.memory.DeviceMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** An NVIDIA GPU: cuBLAS for matrix products, our own kernels for everything else. */
public final class CudaDevice extends Device implements KernelDevice {
  private final String name;
  private final Queue queue;
  private final DeviceMemory memory;
  private final KernelGroups groups;
  private final Pointwise pointwise;
  private final Columns columns;

  /**
   * Opens an NVIDIA GPU, see {@link Device#cuda(int, Precision)}.
   *
   * @param ordinal the GPU's number, from 0
   * @param precision the precision of matrix products
   * @throws DeviceException if the GPU cannot be opened
   */
  public CudaDevice(int ordinal, Precision precision) {
    Libraries libraries;
    Card card;
    try {
      libraries = Libraries.load();
      card = Card.of(ordinal);
      card.refuseOld();
      queue = new Queue(this::checkOpen, new Context(card), libraries, precision);
    } catch (LinkageError e) {
      throw new DeviceException(
          "cuda: %s; NVIDIA's libraries are older than they say, or not NVIDIA's: name others with"
                  .formatted(e.getMessage())
              + " -Dio.recur.cuda=FOLDER",
          e);
    }
    name =
        "cuda:%d (%s, driver %s, NVRTC %s, cuBLAS %s, %s)"
            .formatted(
                ordinal,
                card.description(),
                Libraries.version(libraries.driverVersion()),
                Libraries.version(libraries.compilerVersion()),
                queue.blas().version(),
                precision.name().toLowerCase(Locale.ROOT));
    memory = new DeviceMemory(this, queue.memory(), this::buffer);
    Scratch scratch = new Scratch(this, queue);
    pointwise = checked(new PointwiseKernels(queue, scratch));
    columns = checked(new ColumnKernels(queue, scratch));
    groups =
        new KernelGroups(
            new CublasProducts(queue),
            new ArithmeticKernels(queue),
            new BandKernels(queue, scratch),
            new ReductionKernels(queue),
            new UpdateKernels(queue, scratch),
            new ProgramKernels(this, queue));
  }

  /**
   * Opens each card to see whether it works, see {@link Device#cudaReport}.
   *
   * @return lines for the user
   */
  public static List<String> report() {
    List<String> lines = new ArrayList<>();
    try {
      Libraries libraries = Libraries.load();
      for (Card card : Card.all()) {
        lines.add(line(card));
      }
      lines.add("NVRTC: " + libraries.compiler());
      lines.add("cuBLAS: " + libraries.blas());
    } catch (DeviceException e) {
      lines.add(e.getMessage());
    }
    return lines;
  }

  private static String line(Card card) {
    try (CudaDevice device = new CudaDevice(card.ordinal(), Precision.FLOAT32)) {
      return device.name();
    } catch (DeviceException e) {
      return "cuda:%d (%s) cannot be used: %s"
          .formatted(card.ordinal(), card.description(), e.getMessage());
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long waitedNanos() {
    return queue.waitedNanos();
  }

  /** {@return the queue into which all kernels record} */
  Queue queue() {
    return queue;
  }

  @Override
  public KernelGroups groups() {
    return groups;
  }

  @Override
  public Pointwise pointwise() {
    return pointwise;
  }

  @Override
  public Columns columns() {
    return columns;
  }

  @Override
  public DeviceMemory memory() {
    return memory;
  }

  @Override
  public boolean keepsCarry(Buffer sum) {
    return isLasting(sum);
  }

  @Override
  public Buffer carryOf(Buffer sum) {
    return carry(sum);
  }

  @Override
  public Buffer allocate(long floats) {
    return memory.allocate(floats);
  }

  @Override
  protected void release() {
    int open = queue.memory().openOwners();
    queue.close();
    if (open > 0 && queue.checks()) {
      throw new IllegalStateException(
          "device: %s was closed before %d of its slabs or tapes; close it after all that uses it"
              .formatted(name, open));
    }
  }

  /** {@return a segment of length zero, as all of this device, with the lifetime of the whole} */
  @Override
  protected MemorySegment slice(MemorySegment whole, long offset, long length) {
    long bytes = offset * Float.BYTES;
    return whole.reinterpret(bytes).asSlice(bytes, 0);
  }

  @Override
  protected void write(Buffer buffer, float[] values, int from, int length) {
    queue.write(values, JAVA_FLOAT, from, length, buffer);
  }

  @Override
  protected void writeIndexes(Buffer buffer, int[] indexes, int length) {
    queue.write(indexes, JAVA_INT, 0, length, buffer);
  }

  @Override
  protected void read(Buffer buffer, float[] values, int from, int length) {
    queue.read(buffer, values, from, length);
  }
}

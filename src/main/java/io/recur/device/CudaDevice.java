package io.recur.device;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.kernels.Bands;
import io.recur.device.kernels.Blas;
import io.recur.device.kernels.Gates;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Recurrences;
import io.recur.device.kernels.Slab;
import io.recur.device.kernels.Slots;
import io.recur.device.kernels.Updates;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A GPU of NVIDIA's: cuBLAS for matrix products, kernels of our own for the rest. */
final class CudaDevice extends Device implements KernelDevice {
  private final String name;
  private final CudaQueue queue;
  private final Blas blas;
  private final Pointwise pointwise;
  private final Columns columns;
  private final Gates gates;
  private final Bands bands;
  private final Updates updates;

  CudaDevice(int ordinal, Precision precision) {
    CudaLibraries libraries;
    CudaCard card;
    try {
      libraries = CudaLibraries.load();
      card = CudaCard.of(ordinal);
      card.refuseOld();
      queue = new CudaQueue(this, new CudaContext(card), libraries, precision);
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
                CudaLibraries.version(libraries.driverVersion()),
                CudaLibraries.version(libraries.compilerVersion()),
                queue.blas().version(),
                precision.name().toLowerCase(Locale.ROOT));
    blas = new CudaBlas(queue);
    CudaScratch scratch = new CudaScratch(this, queue);
    pointwise = new CheckedPointwise(this, new CudaPointwise(queue, scratch));
    columns = new CheckedColumns(this, new CudaColumns(queue, scratch));
    gates = new CudaGates(queue);
    bands = new CudaBands(queue, scratch);
    updates = new CudaUpdates(queue, scratch);
  }

  /** The lines of {@link Device#cudaReport}: each card is opened, to see that it can be. */
  static List<String> report() {
    List<String> lines = new ArrayList<>();
    try {
      CudaLibraries libraries = CudaLibraries.load();
      for (CudaCard card : CudaCard.all()) {
        lines.add(line(card));
      }
      lines.add("NVRTC: " + libraries.compiler());
      lines.add("cuBLAS: " + libraries.blas());
    } catch (DeviceException e) {
      lines.add(e.getMessage());
    }
    return lines;
  }

  private static String line(CudaCard card) {
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

  /** The time that the host has spent in waiting for the device, since it was opened. */
  long waitedNanos() {
    return queue.waitedNanos();
  }

  /** What all groups record into. */
  CudaQueue queue() {
    return queue;
  }

  @Override
  public @Nullable Recurrences recurrences() {
    return null;
  }

  @Override
  public Blas blas() {
    return blas;
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
  public Gates gates() {
    return gates;
  }

  @Override
  public Bands bands() {
    return bands;
  }

  @Override
  public Updates updates() {
    return updates;
  }

  @Override
  public Slab slab() {
    return newSlab();
  }

  @Override
  public Slots slots(long floats) {
    return table(floats);
  }

  @Override
  void release() {
    int open = queue.memory().openOwners();
    queue.close();
    if (open > 0 && queue.checks()) {
      throw new IllegalStateException(
          "device: %s was closed before %d of its slabs or tapes; close it after all that uses it"
              .formatted(name, open));
    }
  }

  @Override
  Pressure pressure() {
    return queue.memory().pressure();
  }

  @Override
  Owner collected(boolean counts) {
    return queue.memory().collected(counts);
  }

  @Override
  Owner closeable() {
    return queue.memory().closeable();
  }

  @Override
  Buffer slice(Buffer buffer, long offset, long length) {
    return queue.memory().slice(buffer, offset, length);
  }

  @Override
  void write(Buffer buffer, float[] values, int from, int length) {
    queue.write(values, JAVA_FLOAT, from, length, buffer);
  }

  @Override
  void writeIndexes(Buffer buffer, int[] indexes) {
    queue.write(indexes, JAVA_INT, 0, indexes.length, buffer);
  }

  @Override
  void read(Buffer buffer, float[] values, int from, int length) {
    queue.read(buffer, values, from, length);
  }
}

package io.recur.device;

import io.recur.bindings.openblas.cblas_h;
import io.recur.device.Kernels.InstructionSet;
import io.recur.device.kernels.Bands;
import io.recur.device.kernels.Blas;
import io.recur.device.kernels.Gates;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Recurrences;
import io.recur.device.kernels.Slab;
import io.recur.device.kernels.Slots;
import io.recur.device.kernels.Updates;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/** The processor: OpenBLAS for matrix products, C kernels or vectorised Java loops for the rest. */
final class CpuDevice extends Device implements KernelDevice {
  private final OpenBlas library = OpenBlas.load();
  private final @Nullable Kernels kernels;
  private final int threads;
  private final ThreadLocal<Lanes> lanes = ThreadLocal.withInitial(Lanes::new);
  private final Blas blas;
  private final @Nullable Recurrences recurrences;
  private final Pointwise pointwise;
  private final Columns columns;
  private final Gates gates;
  private final Bands bands = new CpuBands(lanes);
  private final Updates updates;

  CpuDevice(InstructionSet set, int threads) {
    this.threads = threads;
    this.kernels = Kernels.open(set, threads);
    if (Kernels.preferred() == InstructionSet.JAVA) {
      cblas_h.openblas_set_num_threads(threads); // nobody else shares out its products
    }
    this.blas = kernels == null ? new CpuBlas() : new NativeBlas(kernels, new CpuBlas());
    this.recurrences = kernels == null ? null : new NativeRecurrences(this, kernels);
    Pointwise passes = kernels == null ? new CpuPointwise(lanes) : new NativePointwise(kernels);
    Columns byColumn = kernels == null ? new CpuColumns(lanes) : new NativeColumns(kernels);
    this.pointwise = new CheckedPointwise(this, passes);
    this.columns = new CheckedColumns(this, byColumn);
    this.gates = new CpuGates(lanes, pointwise, columns);
    this.updates =
        kernels == null ? new CpuUpdates(lanes, passes) : new NativeUpdates(kernels, passes);
  }

  @Override
  public String name() {
    return kernels == null
        ? "cpu (%s, %d threads, kernels java)".formatted(library.description(), library.threads())
        : "cpu (%s, %d threads, kernels %s)"
            .formatted(library.description(), threads, kernels.set());
  }

  @Override
  public @Nullable Recurrences recurrences() {
    return recurrences;
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
    lanes.remove();
    if (kernels != null) {
      kernels.rest();
    }
  }

  @Override
  Pressure pressure() {
    return CpuMemory.PRESSURE;
  }

  @Override
  Owner collected(boolean counts) {
    return new CpuMemory(new Lifetime(), counts);
  }

  @Override
  Owner closeable() {
    return new CpuMemory(new Lifetime(() -> {}), true);
  }

  @Override
  Buffer slice(Buffer buffer, long offset, long length) {
    MemorySegment part = buffer.segment().asSlice(offset * Float.BYTES, length * Float.BYTES);
    return new Buffer(this, part, length, buffer.writes());
  }

  @Override
  void write(Buffer buffer, float[] values, int from, int length) {
    try {
      MemorySegment.copy(values, from, buffer.target(), ValueLayout.JAVA_FLOAT, 0, length);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }

  @Override
  void writeIndexes(Buffer buffer, int[] indexes) {
    try {
      MemorySegment.copy(indexes, 0, buffer.target(), ValueLayout.JAVA_INT, 0, indexes.length);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }

  @Override
  void read(Buffer buffer, float[] values, int from, int length) {
    try {
      MemorySegment.copy(buffer.segment(), ValueLayout.JAVA_FLOAT, 0, values, from, length);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }
}

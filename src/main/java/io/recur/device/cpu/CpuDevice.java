package io.recur.device.cpu;

import io.recur.bindings.openblas.cblas_h;
import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Pointwise;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.KernelGroups;
import io.recur.device.memory.Allocator;
import io.recur.device.memory.DeviceMemory;
import io.recur.device.memory.Lifetime;
import io.recur.device.memory.Pressure;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/** The processor: OpenBLAS for matrix products, C kernels or vectorised Java loops for the rest. */
public final class CpuDevice extends Device implements KernelDevice {
  private final OpenBlas library = OpenBlas.load();
  private final DeviceMemory memory = new DeviceMemory(this, new HostSource(), this::buffer);
  private final @Nullable Kernels kernels;
  private final int threads;
  private final ThreadLocal<Workspace> workspaces = ThreadLocal.withInitial(Workspace::new);
  private final KernelGroups groups;
  private final Pointwise pointwise;
  private final Columns columns;

  /** The host's memory. All CPU devices count it together. */
  private static final class HostSource implements DeviceMemory.Source {
    @Override
    public Pressure pressure() {
      return HostMemory.PRESSURE;
    }

    @Override
    public Allocator collected(boolean counts) {
      return new HostMemory(new Lifetime(), counts);
    }

    @Override
    public Allocator closeable() {
      return new HostMemory(new Lifetime(() -> {}), true);
    }
  }

  /**
   * Opens the processor with the best kernels, or with those that a property names.
   *
   * @param threads 1 or more
   * @throws DeviceException if OpenBLAS or the named kernels cannot be loaded
   */
  public CpuDevice(int threads) {
    this(Kernels.preferred(), threads);
  }

  /**
   * Opens the processor with certain kernels.
   *
   * @param set one of {@link Kernels#present}
   * @param threads 1 or more
   * @throws DeviceException if OpenBLAS cannot be loaded
   */
  public CpuDevice(InstructionSet set, int threads) {
    this.threads = threads;
    this.kernels = Kernels.open(set, threads);
    if (Kernels.preferred() == InstructionSet.JAVA) {
      cblas_h.openblas_set_num_threads(threads); // no team shares out its products
    }
    Pointwise passes =
        kernels == null ? new JavaPointwise(workspaces) : new NativePointwise(kernels);
    Columns byColumn = kernels == null ? new JavaColumns(workspaces) : new NativeColumns(kernels);
    this.pointwise = checked(passes);
    this.columns = checked(byColumn);
    this.groups = kernels == null ? inJava(passes) : inC(kernels, passes);
  }

  /** Loads OpenBLAS and the C kernels, see {@link Device#load}. */
  public static void load() {
    Kernels.preferred();
    OpenBlas.load();
  }

  private KernelGroups inJava(Pointwise passes) {
    return new KernelGroups(
        new OpenBlasProducts(),
        new JavaArithmetic(workspaces),
        new JavaBands(workspaces),
        new JavaReductions(workspaces),
        new JavaUpdates(workspaces, passes),
        new JavaPrograms(this, workspaces));
  }

  /** Bands, which no program needs, are in Java here too. */
  private KernelGroups inC(Kernels kernels, Pointwise passes) {
    return new KernelGroups(
        new SharedProducts(kernels, new OpenBlasProducts()),
        new NativeArithmetic(kernels),
        new JavaBands(workspaces),
        new NativeReductions(kernels),
        new NativeUpdates(kernels, passes),
        new NativePrograms(this, kernels));
  }

  @Override
  public String name() {
    return kernels == null
        ? "cpu (%s, %d threads, kernels java)".formatted(library.description(), library.threads())
        : "cpu (%s, %d threads, kernels %s)"
            .formatted(library.description(), threads, kernels.set());
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

  /** Makes no slices: a loop over many parts of memory leaves no garbage. */
  @Override
  public void move(Buffer from, long first, Buffer to, long at, long words) {
    try {
      MemorySegment.copy(
          from.segment(), first * Float.BYTES, to.target(), at * Float.BYTES, words * Float.BYTES);
    } catch (IllegalStateException e) {
      throw Workspace.closed(Workspace.closed(e, from), to);
    }
    Reference.reachabilityFence(from);
    Reference.reachabilityFence(to);
  }

  @Override
  public Buffer allocate(long floats) {
    return memory.allocate(floats);
  }

  @Override
  protected void release() {
    workspaces.remove();
    if (kernels != null) {
      kernels.rest();
    }
  }

  @Override
  protected MemorySegment slice(MemorySegment whole, long offset, long length) {
    return whole.asSlice(offset * Float.BYTES, length * Float.BYTES);
  }

  @Override
  protected void write(Buffer buffer, float[] values, int from, int length) {
    try {
      MemorySegment.copy(values, from, buffer.target(), ValueLayout.JAVA_FLOAT, 0, length);
    } catch (IllegalStateException e) {
      throw Workspace.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }

  @Override
  protected void writeIndexes(Buffer buffer, int[] indexes, int length) {
    try {
      MemorySegment.copy(indexes, 0, buffer.target(), ValueLayout.JAVA_INT, 0, length);
    } catch (IllegalStateException e) {
      throw Workspace.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }

  @Override
  protected void read(Buffer buffer, float[] values, int from, int length) {
    try {
      MemorySegment.copy(buffer.segment(), ValueLayout.JAVA_FLOAT, 0, values, from, length);
    } catch (IllegalStateException e) {
      throw Workspace.closed(e, buffer);
    }
    Reference.reachabilityFence(buffer);
  }
}

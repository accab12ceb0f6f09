package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_backward;
import static io.recur.bindings.kernels.recur_h.recur_dtiles;
import static io.recur.bindings.kernels.recur_h.recur_forward;
import static io.recur.bindings.kernels.recur_h.recur_pack;
import static io.recur.bindings.kernels.recur_h.recur_packed;
import static io.recur.bindings.kernels.recur_h.recur_tiles;

import io.recur.bindings.kernels.recur_sequence;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Indexes;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Packed;
import io.recur.device.kernels.Recurrences;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Whole sequences in C, see {@code native/recur.h}. */
final class NativeRecurrences implements Recurrences {
  private final Device device;
  private final Kernels kernels;

  NativeRecurrences(Device device, Kernels kernels) {
    this.device = device;
    this.kernels = kernels;
  }

  /** A struct of the C contract in memory of the caller's. */
  private static final class Described implements Sequence {
    private MemorySegment struct = MemorySegment.NULL;

    /** What the addresses in the struct keep nobody from freeing. */
    private final @Nullable Buffer[] arrays = new Buffer[Array.values().length];

    @Override
    public Sequence begin(
        Buffer memory, Cell cell, Elementwise function, int in, int units, int batch, int time) {
      Arrays.fill(arrays, null);
      struct = memory.target().fill((byte) 0);
      recur_sequence.cell(struct, cell.ordinal());
      recur_sequence.function(struct, function.ordinal());
      recur_sequence.in(struct, in);
      recur_sequence.units(struct, units);
      recur_sequence.batch(struct, batch);
      recur_sequence.time(struct, time);
      recur_sequence.steps(struct, time);
      recur_sequence.dsteps(struct, time);
      return this;
    }

    /** The struct, whose indexes may have been written to since: C would follow any of them. */
    private MemorySegment checked(String where) {
      Buffer index = arrays[Array.INDEX.ordinal()];
      if (index != null) {
        long columns = recur_sequence.batch(struct) * recur_sequence.time(struct);
        Indexes.check(where, index, columns, recur_sequence.in(struct));
      }
      return struct;
    }

    @Override
    public Sequence steps(int steps) {
      recur_sequence.steps(struct, steps);
      return this;
    }

    @Override
    public Sequence gradientSteps(int steps) {
      recur_sequence.dsteps(struct, steps);
      return this;
    }

    @Override
    public Sequence with(Array array, @Nullable Buffer buffer) {
      MemorySegment to = buffer == null ? MemorySegment.NULL : buffer.segment();
      arrays[array.ordinal()] = buffer;
      MemorySegment carry =
          buffer != null && grows(array)
              ? KernelDevice.of(buffer.device()).carryOf(buffer).target()
              : MemorySegment.NULL;
      switch (array) {
        case WI -> recur_sequence.wi(struct, to);
        case WH -> recur_sequence.wh(struct, to);
        case WC -> recur_sequence.wc(struct, to);
        case WHT -> recur_sequence.wht(struct, to);
        case WCT -> recur_sequence.wct(struct, to);
        case B -> recur_sequence.b(struct, to);
        case BH -> recur_sequence.bh(struct, to);
        case X -> recur_sequence.x(struct, to);
        case TABLE -> recur_sequence.table(struct, to);
        case INDEX -> recur_sequence.index(struct, to);
        case SUMS -> recur_sequence.sums(struct, to);
        case TILES -> recur_sequence.tiles(struct, to);
        case Q -> recur_sequence.q(struct, to);
        case H -> recur_sequence.h(struct, to);
        case C -> recur_sequence.c(struct, to);
        case DY -> recur_sequence.dy(struct, to);
        case DH -> recur_sequence.dh(struct, to);
        case DC -> recur_sequence.dc(struct, to);
        case DGATES -> recur_sequence.dgates(struct, to);
        case DRECURRENT -> recur_sequence.drecurrent(struct, to);
        case DTILES -> recur_sequence.dtiles(struct, to);
        case DWI -> {
          recur_sequence.dwi(struct, to);
          recur_sequence.table_carry(struct, carry);
        }
        case DWH -> recur_sequence.dwh(struct, to);
        case DWC -> recur_sequence.dwc(struct, to);
        case DB -> {
          recur_sequence.db(struct, to);
          recur_sequence.b_carry(struct, carry);
        }
        case DBH -> {
          recur_sequence.dbh(struct, to);
          recur_sequence.bh_carry(struct, carry);
        }
      }
      return this;
    }

    /** Whether an array is a sum of columns; the gradient of a table is, one class at a time. */
    private boolean grows(Array array) {
      return switch (array) {
        case DB, DBH -> true;
        case DWI -> arrays[Array.TABLE.ordinal()] != null;
        default -> false;
      };
    }
  }

  @Override
  public Sequence sequence() {
    return new Described();
  }

  @Override
  public long tiles(Sequence sequence) {
    return recur_tiles(kernels.context(), ((Described) sequence).struct);
  }

  @Override
  public long dtiles(Sequence sequence) {
    return recur_dtiles(kernels.context(), ((Described) sequence).struct);
  }

  @Override
  public void forward(Sequence sequence) {
    recur_forward(kernels.context(), ((Described) sequence).checked("sequence"));
    Reference.reachabilityFence(sequence);
  }

  @Override
  public void backward(Sequence sequence) {
    recur_backward(kernels.context(), ((Described) sequence).checked("sequence backward"));
    Reference.reachabilityFence(sequence);
  }

  @Override
  public Packed pack(Buffer weights, int gates, int units, int terms, boolean transposed) {
    int stacked = gates * units;
    int panels = transposed ? 1 : gates;
    int rows = transposed ? terms : units;
    int columns = transposed ? stacked : terms;
    int row = transposed ? stacked : 1;
    int column = transposed ? 1 : stacked;
    Buffer packed = device.allocate(recur_packed(kernels.context(), panels, rows, columns));
    return new NativePacked(
        weights,
        packed,
        (from, to) ->
            recur_pack(
                kernels.context(),
                panels,
                rows,
                columns,
                from.segment(),
                row,
                column,
                to.target()));
  }
}

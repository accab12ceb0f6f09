package io.recur.device.cpu;

import io.recur.bindings.kernels.recur_gradient;
import io.recur.bindings.kernels.recur_hidden;
import io.recur.bindings.kernels.recur_instruction;
import io.recur.bindings.kernels.recur_kept;
import io.recur.bindings.kernels.recur_multiplication;
import io.recur.bindings.kernels.recur_pass;
import io.recur.bindings.kernels.recur_phase;
import io.recur.bindings.kernels.recur_place;
import io.recur.bindings.kernels.recur_program;
import io.recur.bindings.kernels.recur_reduction;
import io.recur.bindings.kernels.recur_section;
import io.recur.bindings.kernels.recur_weights;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Reduction;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Writes the tables of a program into memory of a device, as {@code native/recur.h} has them. */
final class ProgramTables {
  /** What alignment may cost, and a table of no entries. */
  private static final long GAP = 64;

  private final Tables its;
  private final SegmentAllocator memory;
  private final MemorySegment to;

  private ProgramTables(Tables its, SegmentAllocator memory) {
    this.its = its;
    this.memory = memory;
    this.to = memory.allocate(recur_program.layout());
  }

  /** {@return memory that begins with a {@code recur_program} and holds all that this points to} */
  static Buffer write(Device device, Tables its) {
    Buffer buffer = device.allocate(floats(its));
    new ProgramTables(its, SegmentAllocator.slicingAllocator(buffer.target())).write();
    return buffer;
  }

  private static long floats(Tables its) {
    CellProgram program = its.program();
    long bytes =
        recur_program.sizeof()
            + size(its.codes, recur_instruction.layout())
            + size(its.multiplications, recur_multiplication.layout())
            + size(its.places, recur_place.layout())
            + size(its.sections, recur_section.layout())
            + size(its.phases, recur_phase.layout())
            + size(its.passes, recur_pass.layout())
            + size(program.weights(), recur_weights.layout())
            + size(program.reductions(), recur_reduction.layout())
            + size(its.kept, recur_kept.layout())
            + size(its.gradients, recur_gradient.layout())
            + size(its.hidden, recur_hidden.layout())
            + its.tiles.size() * (long) Integer.BYTES
            + 4 * GAP;
    return (bytes + Float.BYTES - 1) / Float.BYTES;
  }

  private static long size(List<?> entries, MemoryLayout layout) {
    return entries.size() * layout.byteSize() + GAP;
  }

  private void write() {
    CellProgram program = its.program();
    set(recur_program.instructions$offset(), table(its.codes, recur_instruction.layout()));
    set(recur_program.products$offset(), table(its.multiplications, recur_multiplication.layout()));
    MemorySegment tiles = memory.allocate(ValueLayout.JAVA_INT, its.tiles.size());
    for (int i = 0; i < its.tiles.size(); i++) {
      tiles.setAtIndex(ValueLayout.JAVA_INT, i, its.tiles.get(i));
    }
    set(recur_program.tiles$offset(), tiles);
    set(recur_program.places$offset(), table(its.places, recur_place.layout()));
    set(recur_program.sections$offset(), table(its.sections, recur_section.layout()));
    set(recur_program.phases$offset(), table(its.phases, recur_phase.layout()));
    set(recur_program.passes$offset(), table(its.passes, recur_pass.layout()));
    set(recur_program.weights$offset(), table(parts(program), recur_weights.layout()));
    set(recur_program.reductions$offset(), table(reductions(), recur_reduction.layout()));
    set(recur_program.kept$offset(), table(its.kept, recur_kept.layout()));
    set(recur_program.gradients$offset(), table(its.gradients, recur_gradient.layout()));
    recur_program.weight_gradients(to, its.weightGradients());
    recur_program.reduction_count(to, program.reductions().size());
    recur_program.draws(to, program.draws());
    recur_program.arrays(to, program.arrays().size());
    recur_program.hidden(to, its.hidden.size());
    set(recur_program.hidden_arrays$offset(), table(its.hidden, recur_hidden.layout()));
    recur_program.most_tiles(to, its.mostTiles);
    recur_program.most_places(to, its.mostPlaces);
    recur_program.most_terms(to, its.mostTerms());
  }

  /** Lets the program point to a table: by a long, as a handle for addresses is slow to make. */
  private void set(long offset, MemorySegment table) {
    to.set(ValueLayout.JAVA_LONG, offset, table.address());
  }

  private MemorySegment table(List<? extends Row> entries, MemoryLayout layout) {
    MemorySegment table = memory.allocate(layout, entries.size());
    for (int i = 0; i < entries.size(); i++) {
      entries.get(i).write(table.asSlice(i * layout.byteSize(), layout));
    }
    return table;
  }

  // The entries of which the program knows other records.

  private static List<Part> parts(CellProgram program) {
    List<Part> parts = new ArrayList<>();
    for (CellProgram.Weights weights : program.weights()) {
      parts.add(new Part(weights));
    }
    return parts;
  }

  private record Part(CellProgram.Weights its) implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_weights.matrix(to, its.matrix());
      recur_weights.row(to, its.row());
      recur_weights.rows(to, its.rows());
      recur_weights.column(to, its.column());
      recur_weights.columns(to, its.columns());
    }
  }

  private List<Reduced> reductions() {
    List<Reduced> reductions = new ArrayList<>();
    for (CellProgram.RowReduction reduction : its.program().reductions()) {
      reductions.add(new Reduced(reduction, its.moments.has(reductions.size())));
    }
    return reductions;
  }

  private record Reduced(CellProgram.RowReduction its, boolean isOfVariance) implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_reduction.kind(to, isOfVariance ? Reduction.values().length : its.kind().ordinal());
      recur_reduction.rows(to, its.rows());
    }
  }
}

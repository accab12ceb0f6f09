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
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.BiConsumer;

/** Writes the tables of a program into memory of a device, as {@code native/recur.h} has them. */
final class ProgramTables {
  /** What alignment may cost, and a table of no entries. */
  private static final long GAP = 64;

  private final Tables its;
  private final SegmentAllocator memory;

  private ProgramTables(Tables its, SegmentAllocator memory) {
    this.its = its;
    this.memory = memory;
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
    MemorySegment to = memory.allocate(recur_program.layout());
    MemorySegment codes = memory.allocate(recur_instruction.layout(), its.codes.size());
    for (int i = 0; i < its.codes.size(); i++) {
      its.codes.get(i).write(recur_instruction.asSlice(codes, i));
    }
    recur_program.instructions(to, codes);
    recur_program.products(
        to, table(its.multiplications, recur_multiplication.layout(), ProgramTables::write));
    recur_program.tiles(
        to,
        memory.allocateFrom(
            ValueLayout.JAVA_INT, its.tiles.stream().mapToInt(Integer::intValue).toArray()));
    recur_program.places(to, table(its.places, recur_place.layout(), ProgramTables::write));
    recur_program.sections(to, table(its.sections, recur_section.layout(), ProgramTables::write));
    recur_program.phases(to, table(its.phases, recur_phase.layout(), ProgramTables::write));
    recur_program.passes(to, table(its.passes, recur_pass.layout(), ProgramTables::write));
    recur_program.weights(
        to, table(program.weights(), recur_weights.layout(), ProgramTables::write));
    recur_program.reductions(
        to, table(program.reductions(), recur_reduction.layout(), ProgramTables::write));
    recur_program.kept(to, table(its.kept, recur_kept.layout(), ProgramTables::write));
    recur_program.gradients(to, table(its.gradients, recur_gradient.layout(), this::write));
    recur_program.weight_gradients(to, its.weightGradients());
    recur_program.kept_rows(to, its.keptRows());
    recur_program.gradient_count(to, its.gradients.size());
    recur_program.reduction_count(to, program.reductions().size());
    recur_program.draws(to, program.draws());
    recur_program.arrays(to, program.arrays().size());
    recur_program.hidden(to, its.hidden.size());
    recur_program.hidden_arrays(to, table(its.hidden, recur_hidden.layout(), ProgramTables::write));
    recur_program.most_tiles(to, its.mostTiles);
    recur_program.most_places(to, its.mostPlaces);
    recur_program.most_terms(to, its.mostTerms());
  }

  private <T> MemorySegment table(
      List<T> entries, MemoryLayout layout, BiConsumer<T, MemorySegment> write) {
    MemorySegment table = memory.allocate(layout, entries.size());
    for (int i = 0; i < entries.size(); i++) {
      write.accept(entries.get(i), table.asSlice(i * layout.byteSize(), layout));
    }
    return table;
  }

  private static void write(Tables.Multiplication from, MemorySegment to) {
    recur_multiplication.packed(to, from.packed());
    recur_multiplication.panels(to, from.panels());
    recur_multiplication.terms(to, from.terms());
    recur_multiplication.operand(to, from.operand());
    recur_multiplication.lag(to, from.lag());
    recur_multiplication.skips_first(to, from.skipsFirst() ? 1 : 0);
    recur_multiplication.first(to, from.first());
  }

  private static void write(Tables.Place from, MemorySegment to) {
    recur_place.is_panel(to, from.isPanel() ? 1 : 0);
    recur_place.number(to, from.number());
    recur_place.lag(to, from.lag());
  }

  private static void write(Tables.Hidden from, MemorySegment to) {
    recur_hidden.rows(to, from.rows());
    recur_hidden.same(to, from.same());
  }

  private static void write(Tables.Section from, MemorySegment to) {
    recur_section.rows(to, from.rows());
    recur_section.first(to, from.first());
    recur_section.before(to, from.groups()[0]);
    recur_section.recurrent(to, from.groups()[1]);
    recur_section.after(to, from.groups()[2]);
    recur_section.first_place(to, from.firstPlace());
    recur_section.places(to, from.places());
    recur_section.is_free(to, from.isFree() ? 1 : 0);
  }

  private static void write(Tables.Phase from, MemorySegment to) {
    recur_phase.first(to, from.first());
    recur_phase.sections(to, from.sections());
  }

  private static void write(Tables.Pass from, MemorySegment to) {
    recur_pass.begin(to, from.begin());
    recur_pass.begins(to, from.begins());
    recur_pass.first(to, from.first());
    recur_pass.phases(to, from.phases());
    recur_pass.end(to, from.end());
    recur_pass.ends(to, from.ends());
    recur_pass.is_free(to, from.isFree() ? 1 : 0);
    recur_pass.cuts(to, from.cuts() ? 1 : 0);
    recur_pass.is_far(to, from.isFar() ? 1 : 0);
    recur_pass.work(to, from.work());
  }

  private static void write(CellProgram.Weights from, MemorySegment to) {
    recur_weights.matrix(to, from.matrix());
    recur_weights.row(to, from.row());
    recur_weights.rows(to, from.rows());
    recur_weights.column(to, from.column());
    recur_weights.columns(to, from.columns());
  }

  private static void write(CellProgram.RowReduction from, MemorySegment to) {
    recur_reduction.kind(to, from.kind().ordinal());
    recur_reduction.rows(to, from.rows());
  }

  private static void write(Tables.Kept from, MemorySegment to) {
    recur_kept.rows(to, from.rows());
    recur_kept.before(to, from.before());
  }

  private void write(Tables.Gradient from, MemorySegment to) {
    recur_gradient.kept(to, from.kept());
    recur_gradient.parameter(to, from.parameter());
    recur_gradient.row(to, from.row());
    recur_gradient.column(to, from.column());
    recur_gradient.operand(to, from.operand());
    recur_gradient.lag(to, from.lag());
    recur_gradient.is_shared(to, its.shared(from));
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;

/** Makes the tables of a program: section by section, pass by pass. */
final class Assembly {
  private final CellProgram program;
  private final Tables tables;

  /**
   * Assembles a program.
   *
   * @param width rows of a panel
   * @return its tables
   */
  static Tables of(CellProgram program, int width) {
    return new Assembly(program, width).tables;
  }

  private Assembly(CellProgram program, int width) {
    this.program = program;
    this.tables = new Tables(program, width);
    CellProgram.Pass forward = program.forward();
    tables.passes.add(assemble(List.of(), forward.phases(), List.of(), forward.end(), false));
    FewColumns few = new FewColumns(program, tables);
    tables.passes.add(
        few.isSplit()
            ? assemble(few.begin(), few.phases(), few.late(), forward.end(), false)
            : new Tables.Pass(0, 0, 0, 0, 0, 0, false, false, false, 0));
    CellProgram.Pass backward = program.backward();
    tables.passes.add(assemble(List.of(), backward.phases(), List.of(), backward.end(), true));
    tables.gradients.sort(
        Comparator.comparingInt(Tables.Gradient::operand).thenComparingInt(Tables.Gradient::lag));
  }

  private Tables.Pass assemble(
      List<CellProgram.Phase> begin,
      List<CellProgram.Phase> phases,
      List<CellProgram.Phase> late,
      List<CellProgram.Phase> end,
      boolean keeps) {
    boolean isFree = Freedom.of(phases);
    int begins = add(begin, true, false);
    int first = add(phases, isFree, keeps);
    int ends = add(late, true, false);
    add(end, false, false);
    long floats = 0;
    long work = 0;
    for (CellProgram.Phase phase : phases) {
      for (CellProgram.Section section : phase.sections()) {
        work += 2L * section.rows() * section.instructions().size();
      }
    }
    boolean scatters = false;
    for (Instruction instruction : CellProgram.Pass.instructions(phases)) {
      if (instruction instanceof Instruction.Product p) {
        CellProgram.Weights w = program.weights().get(p.weights());
        floats += (long) w.rows() * w.columns();
      }
      scatters |= instruction instanceof Instruction.Scatter;
    }
    work = (work + floats) / Math.max(1, phases.size());
    return new Tables.Pass(
        begins,
        begin.size(),
        first,
        phases.size(),
        ends,
        late.size() + end.size(),
        isFree,
        !scatters,
        floats > 1 << 19,
        work);
  }

  /** Adds phases and returns the number of the first. */
  private int add(List<CellProgram.Phase> all, boolean isFree, boolean keeps) {
    int first = tables.phases.size();
    List<Tables.Phase> added = new ArrayList<>();
    for (CellProgram.Phase phase : all) {
      int firstSection = tables.sections.size();
      for (CellProgram.Section section : phase.sections()) {
        add(section, isFree, keeps);
      }
      added.add(new Tables.Phase(firstSection, phase.sections().size()));
    }
    tables.phases.addAll(added);
    return first;
  }

  private void add(CellProgram.Section whole, boolean isFree, boolean keeps) {
    CellProgram.Section section = tables.moments.left(whole);
    IntPredicate isSummed = array -> keeps && !isFree && tables.isOfVectors(array);
    SectionOrder ordered = new SectionOrder(section, Freedom.recurrent(section), isFree, isSummed);
    SectionAssembly its = new SectionAssembly(tables, section, ordered, keeps, isSummed);
    int first = tables.codes.size();
    int[] groups = new int[its.groups.size()];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = its.groups.get(i).size();
      tables.codes.addAll(its.groups.get(i));
    }
    tables.sections.add(
        new Tables.Section(
            section.rows(), first, groups, tables.places.size(), its.places().size(), isFree));
    tables.places.addAll(its.places());
    tables.mostTiles = Math.max(tables.mostTiles, its.tiles());
    tables.mostPlaces = Math.max(tables.mostPlaces, its.places().size());
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

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
    add(new Steps(List.of(), forward.phases(), List.of()), forward.end(), null);
    FewColumns few = new FewColumns(program, tables);
    Steps split = new Steps(few.begin(), few.phases(), few.late());
    add(few.isSplit() ? split : Steps.NONE, forward.end(), null);
    CellProgram.Pass backward = program.backward();
    GradientPanels panels = new GradientPanels(program, tables);
    add(new Steps(List.of(), backward.phases(), List.of()), backward.end(), panels);
    LateGradients late = new LateGradients(program, tables);
    split = new Steps(late.late, late.phases, List.of());
    GradientPanels others = new GradientPanels(program, tables);
    add(late.late.isEmpty() ? Steps.NONE : split, backward.end(), others);
  }

  /**
   * The phases of a step, those of several steps at once aside from it, and those of all steps
   * after the last one.
   */
  private record Steps(
      List<CellProgram.Phase> aside, List<CellProgram.Phase> phases, List<CellProgram.Phase> late) {
    static final Steps NONE = new Steps(List.of(), List.of(), List.of());
  }

  /** Adds a pass. A backward one has panels for its gradients. */
  private void add(Steps steps, List<CellProgram.Phase> end, @Nullable GradientPanels panels) {
    List<CellProgram.Phase> phases = steps.phases;
    boolean isFree = Freedom.of(phases);
    int aside = add(steps.aside, true, panels);
    int first = add(phases, isFree, panels);
    int after = add(steps.late, true, null);
    add(phases.isEmpty() ? List.of() : end, false, null);
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
    for (Instruction instruction : CellProgram.Pass.instructions(steps.aside)) {
      scatters |= instruction instanceof Instruction.Scatter;
    }
    work = (work + floats) / Math.max(1, phases.size());
    int gradient = tables.gradients.size();
    tables.passes.add(
        new Tables.Pass(
            aside,
            steps.aside.size(),
            first,
            phases.size(),
            after,
            steps.late.size() + end.size(),
            isFree,
            !scatters,
            floats > 1 << 19,
            work,
            gradient,
            panels == null ? 0 : panels.write(),
            panels == null ? 0 : panels.rows()));
  }

  /** Adds phases and returns the number of the first. */
  private int add(List<CellProgram.Phase> all, boolean isFree, @Nullable GradientPanels panels) {
    int first = tables.phases.size();
    List<Tables.Phase> added = new ArrayList<>();
    for (CellProgram.Phase phase : all) {
      int firstSection = tables.sections.size();
      for (CellProgram.Section section : phase.sections()) {
        add(section, isFree, panels);
      }
      added.add(new Tables.Phase(firstSection, phase.sections().size()));
    }
    tables.phases.addAll(added);
    return first;
  }

  private void add(CellProgram.Section whole, boolean isFree, @Nullable GradientPanels panels) {
    CellProgram.Section section = tables.moments.left(whole);
    IntPredicate isSummed = array -> panels != null && !isFree && tables.isOfVectors(array);
    SectionOrder ordered = new SectionOrder(section, Freedom.recurrent(section), isFree, isSummed);
    SectionAssembly its = new SectionAssembly(tables, section, ordered, panels, isSummed);
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

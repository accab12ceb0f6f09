package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass for steps of few columns: products with inputs are computed before the first
 * step, those of several steps at once, and wait in hidden arrays.
 */
final class FewColumns {
  private final CellProgram program;
  private final Tables tables;
  private final List<CellProgram.Section> begin = new ArrayList<>();
  private final List<CellProgram.Phase> phases = new ArrayList<>();

  /** Splits a pass; hidden arrays are added to the tables. */
  FewColumns(CellProgram program, Tables tables) {
    this.program = program;
    this.tables = tables;
    for (CellProgram.Phase phase : program.forward().phases()) {
      List<CellProgram.Section> sections = new ArrayList<>();
      for (CellProgram.Section section : phase.sections()) {
        sections.add(split(section));
      }
      phases.add(new CellProgram.Phase(sections));
    }
  }

  /** {@return the phase before the first step; null where there is no product with an input} */
  CellProgram.@Nullable Phase begin() {
    return begin.isEmpty() ? null : new CellProgram.Phase(begin);
  }

  /** {@return the steps after it} */
  CellProgram.Pass forward() {
    return new CellProgram.Pass(phases, program.forward().end());
  }

  private boolean isEarly(Instruction instruction, Set<Integer> early) {
    return instruction instanceof Instruction.LoadVector
        || instruction instanceof Instruction.LoadScalar
        || instruction instanceof Instruction.Constant
        || instruction instanceof Instruction.Product product
            && program.arrays().get(product.operand()).isInput()
            && !product.skipsFirst()
            && (product.sum() == Instruction.NONE || early.contains(product.sum()));
  }

  private CellProgram.Section split(CellProgram.Section section) {
    Set<Integer> early = new HashSet<>();
    Map<Integer, Instruction.Product> products = new HashMap<>();
    Set<Integer> wanted = new HashSet<>(); // products that something later reads
    List<Instruction> before = new ArrayList<>();
    for (Instruction instruction : section.instructions()) {
      if (isEarly(instruction, early)) {
        before.add(instruction);
        early.add(instruction.to());
        if (instruction instanceof Instruction.Product p) {
          products.put(p.to(), p);
        }
      } else {
        wanted.addAll(instruction.reads());
      }
    }
    wanted.retainAll(products.keySet());
    if (wanted.isEmpty()) {
      return section;
    }
    List<Instruction> after = new ArrayList<>();
    for (Instruction instruction : section.instructions()) {
      if (!(instruction instanceof Instruction.Product p) || !products.containsKey(p.to())) {
        after.add(instruction);
      } else if (wanted.contains(p.to())) {
        int hidden = tables.hide(section.rows());
        before.add(new Instruction.Store(p.to(), hidden, 0, 0));
        after.add(new Instruction.Load(p.to(), hidden, 0, 0));
      }
    }
    begin.add(new CellProgram.Section(section.rows(), before));
    return new CellProgram.Section(section.rows(), after);
  }
}

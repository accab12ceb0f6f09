package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The panels in which a backward pass keeps gradients, and what these are added to. */
final class GradientPanels {
  private final CellProgram program;
  private final Tables tables;
  private final int firstPanel;
  private final List<Tables.Kept> kept = new ArrayList<>();
  private final List<Tables.Gradient> gradients = new ArrayList<>();
  private long keptRows;

  GradientPanels(CellProgram program, Tables tables) {
    this.program = program;
    this.tables = tables;
    this.firstPanel = tables.kept.size();
  }

  /** The rows of all panels. */
  long rows() {
    return keptRows;
  }

  /** Adds all to the tables, once the pass is assembled. Returns how many gradients there are. */
  int write() {
    gradients.sort(
        Comparator.comparingInt(Tables.Gradient::operand).thenComparingInt(Tables.Gradient::lag));
    tables.kept.addAll(kept);
    for (Tables.Gradient gradient : gradients) {
      tables.gradients.add(gradient.shared(shared(gradient)));
    }
    return gradients.size();
  }

  /** Adds a panel of gradients. */
  int keep(int rows) {
    kept.add(new Tables.Kept(rows, keptRows));
    keptRows += tables.padded(rows);
    return firstPanel + kept.size() - 1;
  }

  /** What follows from a panel that holds rows of an array, or their sums over some steps. */
  void gradients(int panel, int array, int row, boolean isSummed) {
    for (CellProgram.WeightGradient its : program.weightGradients()) {
      if (its.array() == array) {
        CellProgram.Weights w = program.weights().get(its.weights());
        gradients.add(
            new Tables.Gradient(
                panel, w.matrix(), w.row() + row, w.column(), its.operand(), its.lag(), 0));
      }
    }
    for (CellProgram.VectorGradient its : program.vectorGradients()) {
      if (its.array() == array) {
        int operand = isSummed ? -2 : -1;
        gradients.add(new Tables.Gradient(panel, its.vector(), its.row() + row, 0, operand, 0, 0));
      }
    }
  }

  /**
   * What reaches the same values as a gradient, directly or by way of others, and forbids parts to
   * share all of these as they please: 1 for panels of other rows, 2 for those of the same rows in
   * other columns alone, 0 for none.
   */
  private int shared(Tables.Gradient its) {
    List<Tables.Gradient> all = new ArrayList<>(List.of(its));
    for (int i = 0; i < all.size(); i++) {
      for (Tables.Gradient other : gradients) {
        if (overlap(all.get(i), other) && !all.contains(other)) {
          all.add(other);
        }
      }
    }
    boolean isSame = true;
    for (Tables.Gradient other : all) {
      if (other.row() != its.row() || rows(other) != rows(its)) {
        return 1;
      }
      isSame &= other.column() == its.column() && columns(other) == columns(its);
    }
    return isSame ? 0 : 2;
  }

  private boolean overlap(Tables.Gradient one, Tables.Gradient other) {
    return other.parameter() == one.parameter()
        && (other.operand() < 0) == (one.operand() < 0)
        && other.row() < one.row() + rows(one)
        && one.row() < other.row() + rows(other)
        && other.column() < one.column() + columns(one)
        && one.column() < other.column() + columns(other);
  }

  private int rows(Tables.Gradient its) {
    return kept.get(its.kept() - firstPanel).rows();
  }

  private int columns(Tables.Gradient its) {
    return its.operand() < 0 ? 1 : tables.arrays.get(its.operand()).rows();
  }
}

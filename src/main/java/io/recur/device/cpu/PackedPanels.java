package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_pack;
import static io.recur.bindings.kernels.recur_h.recur_packed;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.memory.Slices;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Weights of products with the same operand, packed side by side, for each set of matrices that the
 * program runs with.
 */
final class PackedPanels {
  /** More models than share a program at a time; another one's copy is shared by its runs alone. */
  private static final int MOST = 8;

  private final Device device;
  private final Kernels kernels;
  private final List<CellProgram.Weights> parts = new ArrayList<>();
  private final List<CellProgram.Matrix> sizes = new ArrayList<>();
  private final boolean transposed;
  private final int rows;
  private final int terms;
  private final Deque<Copy> copies = new ArrayDeque<>();

  PackedPanels(
      Device device, Kernels kernels, CellProgram program, Tables.Panels panels, Tables its) {
    this.device = device;
    this.kernels = kernels;
    for (int weights : panels.weights()) {
      CellProgram.Weights part = program.weights().get(weights);
      parts.add(part);
      sizes.add(program.matrices().get(part.matrix()));
    }
    this.transposed = panels.transposed();
    this.rows = its.rowsOf(panels);
    this.terms = its.termsOf(panels);
  }

  /**
   * Finds the copy of some matrices, or makes one.
   *
   * @param matrices of the program, those of this product's weights not null
   */
  synchronized Copy of(Buffer[] matrices) {
    for (Copy copy : copies) {
      if (copy.isOf(matrices)) {
        return copy;
      }
    }
    if (copies.size() == MOST) {
      copies.removeFirst();
    }
    Copy copy = new Copy(matrices);
    copies.addLast(copy);
    return copy;
  }

  /** A packed copy, which follows its matrices. Threads may share it. */
  final class Copy {
    private final Buffer[] sources = new Buffer[parts.size()];
    private final Buffer packed =
        device.allocate(recur_packed(kernels.context(), parts.size(), rows, terms));

    /** A version before any. */
    private volatile long version = -1;

    /** The weights of each part, from its first value on. */
    private final Slices[] weights = new Slices[parts.size()];

    private Copy(Buffer[] matrices) {
      for (int i = 0; i < sources.length; i++) {
        sources[i] = matrices[parts.get(i).matrix()];
        weights[i] = new Slices();
      }
    }

    boolean isOf(Buffer[] matrices) {
      for (int i = 0; i < sources.length; i++) {
        Buffer its = matrices[parts.get(i).matrix()];
        if (its != sources[i] && !its.isAt(sources[i])) {
          return false;
        }
      }
      return true;
    }

    MemorySegment current() {
      if (version != now()) {
        refresh();
      }
      return packed.segment();
    }

    /** Grows with each write to a matrix. */
    private long now() {
      long sum = 0;
      for (Buffer source : sources) {
        sum += source.version();
      }
      return sum;
    }

    private synchronized void refresh() {
      long now = now();
      if (version == now) {
        return;
      }
      for (int panel = 0; panel < sources.length; panel++) {
        CellProgram.Weights part = parts.get(panel);
        int stacked = sizes.get(panel).rows();
        recur_pack(
            kernels.context(),
            sources.length,
            panel,
            rows,
            terms,
            weights(panel).segment(),
            transposed ? stacked : 1,
            transposed ? 1 : stacked,
            packed.target());
      }
      version = now;
    }

    private Buffer weights(int gate) {
      CellProgram.Weights part = parts.get(gate);
      long first = (long) part.column() * sizes.get(gate).rows() + part.row();
      long words = sources[gate].floats() - first;
      return weights[gate].of(sources[gate], first, words, words).at(0);
    }
  }
}

package io.recur.device.cpu;

import io.recur.bindings.kernels.recur_array;
import io.recur.bindings.kernels.recur_parameter;
import io.recur.bindings.kernels.recur_run;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.Instruction;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** What the runs of a program share, and where the tables of a run begin in its description. */
final class RunTables {
  final Kernels kernels;
  final CellProgram program;
  final Buffer tables;
  final List<PackedPanels> packed;

  /** Whether the gradient of a matrix grows class by class. */
  final boolean[] scatters;

  /** For each array whether the backward pass reads it. */
  final boolean[] reads;

  /** For each array the rows that its memory has: tiles are whole. */
  final long[] rows;

  /** For each matrix the columns that classes may name; 0 where none do. */
  final int[] classes;

  /** Where the tables of a run begin in its description, in bytes. */
  final long arrays = recur_run.sizeof();

  final long vectors;
  final long matrices;
  final long panels;
  final long end;

  RunTables(Device device, Kernels kernels, Tables its) {
    this.kernels = kernels;
    this.program = its.program();
    this.tables = ProgramTables.write(device, its);
    this.packed = new ArrayList<>();
    for (Tables.Panels panels : its.packed) {
      packed.add(new PackedPanels(device, kernels, program, panels, its));
    }
    this.scatters = new boolean[program.matrices().size()];
    this.classes = new int[program.matrices().size()];
    findClasses(program.forward());
    findClasses(program.backward());
    this.rows = new long[program.arrays().size()];
    for (int i = 0; i < rows.length; i++) {
      CellProgram.Array array = program.arrays().get(i);
      rows[i] = array.layout() == Layout.TILES ? its.padded(array.rows()) : array.rows();
    }
    this.reads = CellProgram.Pass.reads(allPhases(program.backward()), rows.length);
    vectors = arrays + its.arrays.size() * recur_array.sizeof();
    matrices = vectors + program.vectors().size() * recur_parameter.sizeof();
    panels = matrices + program.matrices().size() * recur_parameter.sizeof();
    end = panels + packed.size() * ValueLayout.ADDRESS.byteSize();
  }

  private void findClasses(CellProgram.Pass pass) {
    for (Instruction instruction : pass.instructions()) {
      if (instruction instanceof Instruction.Gather i) {
        limitClasses(program.weights().get(i.weights()));
      } else if (instruction instanceof Instruction.Scatter i) {
        limitClasses(program.weights().get(i.weights()));
        scatters[program.weights().get(i.weights()).matrix()] = true;
      }
    }
  }

  private static List<CellProgram.Phase> allPhases(CellProgram.Pass pass) {
    List<CellProgram.Phase> all = new ArrayList<>(pass.phases());
    all.addAll(pass.end());
    return all;
  }

  private void limitClasses(CellProgram.Weights weights) {
    int known = classes[weights.matrix()];
    classes[weights.matrix()] = known == 0 ? weights.columns() : Math.min(known, weights.columns());
  }
}

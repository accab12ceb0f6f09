package io.recur.compile;

import io.recur.compile.Tables.Entry;
import io.recur.device.ReferencePrograms;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import java.util.Arrays;
import java.util.List;

/** Runs a compiled program in double precision, with the memory that a compiled run gives it. */
final class ProgramSteps {
  private final Compiler.Compiled cell;
  private final int batch;
  private final int time;
  final ReferencePrograms run;

  ProgramSteps(Compiler.Compiled cell, int batch, double[][] states, double[][] x) {
    this.cell = cell;
    this.batch = batch;
    this.time = x.length;
    int draws = cell.program().draws();
    run = new ReferencePrograms(cell.program(), batch, time, new int[0], new long[draws * time]);
    for (int i = 0; i < cell.arrays().size(); i++) {
      Entry entry = cell.arrays().get(i);
      int steps =
          switch (entry.purpose()) {
            case INPUT, OUTPUT, OPERAND, KEPT, OUTPUT_GRADIENT, GRADIENT, INPUT_GRADIENT -> time;
            case STATE -> time + 1;
            case CARRY -> 2;
            case WAITING, PASSING, STATE_GRADIENT -> 1;
          };
      run.arrays[i] = new double[steps][entry.array().rows() * batch];
      for (double[] step : run.arrays[i]) {
        Arrays.fill(step, Double.NaN);
      }
      switch (entry.purpose()) {
        case INPUT -> run.arrays[i] = x;
        case STATE -> run.arrays[i][0] = states[entry.part()].clone();
        default -> {}
      }
    }
  }

  void parameters(double[][] all, List<Integer> matrices, List<Integer> vectors) {
    for (int i = 0; i < matrices.size(); i++) {
      run.matrices[i] = all[matrices.get(i)];
      run.matrixGradients[i] = new double[all[matrices.get(i)].length];
    }
    for (int i = 0; i < vectors.size(); i++) {
      run.vectors[i] = all[vectors.get(i)];
      run.vectorGradients[i] = new double[all[vectors.get(i)].length];
    }
  }

  double[] output(int t) {
    boolean isState = cell.arrays().get(cell.output()).purpose() == Tables.Purpose.STATE;
    return run.arrays[cell.output()][isState ? t + 1 : t];
  }

  double[] state(int part) {
    return run.arrays[cell.states()[part]][time];
  }

  /** Runs backward from the gradients of all outputs and of the last states. */
  void backward(double[][] dy, double[][] dstates) {
    double[][] given = array(Tables.Purpose.OUTPUT_GRADIENT, 0);
    for (int t = 0; t < time; t++) {
      given[t] = dy[t].clone();
    }
    for (int part = 0; part < cell.carries().size(); part++) {
      List<Integer> carries = cell.carries().get(part);
      boolean isOutput = cell.states()[part] == cell.output();
      if (isOutput) {
        for (int j = 0; j < dstates[part].length; j++) {
          given[time - 1][j] += dstates[part][j];
        }
      }
      for (int k = 0; k < carries.size(); k++) {
        double[] slot = run.arrays[carries.get(k)][time % 2];
        Arrays.fill(slot, 0);
        if (k == 0 && !isOutput) {
          System.arraycopy(dstates[part], 0, slot, 0, slot.length);
        }
      }
    }
    run.backward();
  }

  /** The steps of the one array with this purpose, for a part of the state or for the cell. */
  private double[][] array(Tables.Purpose purpose, int part) {
    for (int i = 0; i < cell.arrays().size(); i++) {
      Entry entry = cell.arrays().get(i);
      if (entry.purpose() == purpose && entry.part() == part) {
        return run.arrays[i];
      }
    }
    throw new IllegalStateException("no array: %s of part %d".formatted(purpose, part));
  }

  double[] stateGradient(int part) {
    return array(Tables.Purpose.STATE_GRADIENT, part)[0];
  }

  double[] inputGradient(int t) {
    int in = cell.arrays().get(cell.input()).array().rows();
    double[] sum = new double[in * batch];
    for (int i = 0; i < cell.arrays().size(); i++) {
      if (cell.arrays().get(i).purpose() == Tables.Purpose.INPUT_GRADIENT) {
        for (int k = 0; k < sum.length; k++) {
          sum[k] += run.arrays[i][t][k];
        }
      }
    }
    for (WeightGradient product : cell.inputProducts()) {
      Weights w = cell.weights(product);
      double[] values = run.matrices[w.matrix()];
      int ld = cell.program().matrices().get(w.matrix()).rows();
      double[] d = run.arrays[product.array()][t];
      for (int j = 0; j < batch; j++) {
        for (int k = 0; k < in; k++) {
          for (int i = 0; i < w.rows(); i++) {
            sum[j * in + k] += values[(w.column() + k) * ld + w.row() + i] * d[j * w.rows() + i];
          }
        }
      }
    }
    return sum;
  }
}

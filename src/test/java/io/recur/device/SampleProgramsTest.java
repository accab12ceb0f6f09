package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.ProgramSketch.Role;
import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** That the backward passes of the samples are derivatives, by differences in double precision. */
@Tag(Devices.CPU)
class SampleProgramsTest {
  private static final int BATCH = 2;
  private static final int TIME = 3;

  private final Random random = new Random(3);

  private double[] values(int n, double scale) {
    return random.doubles(n, -scale, scale).toArray();
  }

  private static int first(Sample sample, Role role) {
    return sample.roles().indexOf(role);
  }

  private ReferencePrograms described(Sample sample) {
    CellProgram program = sample.program();
    int[] index = random.ints((long) BATCH * TIME, 0, Math.max(1, sample.classes())).toArray();
    long[] seeds = random.longs((long) program.draws() * TIME).toArray();
    ReferencePrograms its = new ReferencePrograms(program, BATCH, TIME, index, seeds);
    for (int i = 0; i < its.arrays.length; i++) {
      Role role = sample.roles().get(i);
      int size = program.arrays().get(i).rows() * BATCH;
      its.arrays[i] = new double[role.steps(TIME, TIME)][size];
      for (int t = 0; t < role.given(TIME); t++) {
        its.arrays[i][t] = role == Role.CARRIED ? new double[size] : values(size, 1);
      }
    }
    for (int i = 0; i < its.vectors.length; i++) {
      its.vectors[i] = values(program.vectors().get(i), 1);
      its.vectorGradients[i] = new double[its.vectors[i].length];
    }
    for (int i = 0; i < its.matrices.length; i++) {
      CellProgram.Matrix size = program.matrices().get(i);
      its.matrices[i] = values(size.rows() * size.columns(), 0.8);
      its.matrixGradients[i] = new double[its.matrices[i].length];
    }
    return its;
  }

  /** What dy is the gradient of. */
  private static double loss(Sample sample, ReferencePrograms its) {
    its.forward();
    double[][] h = its.arrays[first(sample, Role.STATES)];
    double[][] dy = its.arrays[first(sample, Role.DY)];
    double loss = 0;
    for (int t = 0; t < TIME; t++) {
      for (int k = 0; k < dy[t].length; k++) {
        loss += dy[t][k] * h[t + 1][k];
      }
    }
    return loss;
  }

  private static void check(
      String what, Sample sample, ReferencePrograms its, double[] values, double[] gradient) {
    for (int k = 0; k < values.length; k++) {
      double value = values[k];
      double h = 1e-5;
      values[k] = value + h;
      double more = loss(sample, its);
      values[k] = value - h;
      double less = loss(sample, its);
      values[k] = value;
      // the third derivative times h²/6, and what the difference cancels
      assertEquals((more - less) / (2 * h), gradient[k], 1e-7, what + " value " + k);
    }
  }

  /** Whether forward reads a vector; another one holds a gradient of no value. */
  private static boolean isRead(Sample sample, int vector) {
    return sample.program().forward().phases().stream()
        .flatMap(phase -> phase.sections().stream())
        .flatMap(section -> section.instructions().stream())
        .anyMatch(
            i ->
                i instanceof Instruction.LoadVector load && load.vector() == vector
                    || i instanceof Instruction.LoadScalar one && one.vector() == vector);
  }

  @Test
  void gradientsEqualDifferences() {
    List<Sample> all = SamplePrograms.all(2, 3);
    for (Sample sample : all) {
      if (!sample.roles().contains(Role.DY)) {
        continue;
      }
      ReferencePrograms its = described(sample);
      its.forward();
      its.backward();
      for (int i = 0; i < its.vectors.length; i++) {
        if (isRead(sample, i)) {
          check(sample + " vector " + i, sample, its, its.vectors[i], its.vectorGradients[i]);
        }
      }
      for (int i = 0; i < its.matrices.length; i++) {
        check(sample + " matrix " + i, sample, its, its.matrices[i], its.matrixGradients[i]);
      }
    }
  }
}

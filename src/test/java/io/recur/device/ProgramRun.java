package io.recur.device;

import io.recur.Near;
import io.recur.Reference;
import io.recur.device.ProgramSketch.Role;
import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Programs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One run of a sample on a device, in guarded memory, and in double precision. */
final class ProgramRun {
  /**
   * Sums of up to 4·257 products of numbers around 1, through up to 5 steps, and quotients: each
   * rounding is 6e-8 of the largest term. Each further 40 steps add as much.
   */
  private static final double TOLERANCE = 2e-5;

  private final Sample sample;
  private final CellProgram program;
  private final Programs.Compiled compiled;
  private final int batch;
  private final int time;
  private final int gradientSteps;
  private final Guarded memory;
  private final Random random;
  private final ReferencePrograms reference;
  private final Programs.Execution execution;
  private final Buffer description;
  private final Guarded.Piece[] arrays;
  private final Guarded.Piece[] vectors;
  private final Guarded.@Nullable Piece[] vectorGradients;
  private final Guarded.Piece[] matrices;
  private final Guarded.@Nullable Piece[] matrixGradients;

  /**
   * Describes the run.
   *
   * @param isFrugal whether arrays of gradients get only the steps that the device asks for
   * @param isFrozen whether no gradient of weights and vectors is wanted
   */
  ProgramRun(
      Device device,
      Programs.Compiled compiled,
      Sample sample,
      int batch,
      int time,
      boolean isFrugal,
      boolean isFrozen) {
    this.sample = sample;
    this.program = sample.program();
    this.compiled = compiled;
    this.batch = batch;
    this.time = time;
    this.gradientSteps = isFrugal ? compiled.gradientSteps(batch, time) : time;
    this.memory = new Guarded(device, 5);
    this.random = new Random(31L * batch + time);
    int[] index = classes(sample.classes());
    long[] seeds = random.longs((long) program.draws() * time).toArray();
    reference = new ReferencePrograms(program, batch, time, index, seeds);
    arrays = new Guarded.Piece[program.arrays().size()];
    vectors = new Guarded.Piece[program.vectors().size()];
    vectorGradients = new Guarded.Piece[vectors.length];
    matrices = new Guarded.Piece[program.matrices().size()];
    matrixGradients = new Guarded.Piece[matrices.length];
    takeMemory(isFrozen);
    description = memory.aligned(Math.toIntExact(compiled.descriptionFloats())).buffer();
    execution = compiled.execution();
    describe(index, seeds);
  }

  static Programs.Compiled compile(Device device, Sample sample) {
    return KernelDevice.of(device).programs().compile(sample.program());
  }

  private int[] classes(int bound) {
    int[] index = new int[bound == 0 ? 0 : batch * time];
    for (int i = 0; i < index.length; i++) {
      index[i] = random.nextInt(bound);
    }
    return index;
  }

  /** Values between −2 and 2, none where a function has a kink. */
  private float[] values(int n, float scale) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = scale * (random.nextInt(2048) - 1023.5f) / 512;
    }
    return values;
  }

  private void takeMemory(boolean isFrozen) {
    for (int i = 0; i < arrays.length; i++) {
      takeArray(i, program.arrays().get(i), sample.roles().get(i));
    }
    for (int i = 0; i < vectors.length; i++) {
      int length = program.vectors().get(i);
      vectors[i] = memory.input(values(length, 0.5f));
      reference.vectors[i] = vectors[i].start();
      vectorGradients[i] = isFrozen ? null : memory.inOut(length);
      reference.vectorGradients[i] = isFrozen ? new double[length] : vectorGradients[i].start();
    }
    for (int i = 0; i < matrices.length; i++) {
      CellProgram.Matrix size = program.matrices().get(i);
      int length = size.rows() * size.columns();
      matrices[i] = memory.input(values(length, (float) Math.sqrt(0.5 / size.columns())));
      reference.matrices[i] = matrices[i].start();
      matrixGradients[i] = isFrozen ? null : memory.inOut(length);
      reference.matrixGradients[i] = isFrozen ? new double[length] : matrixGradients[i].start();
    }
  }

  private void takeArray(int number, CellProgram.Array its, Role role) {
    int size = its.rows() * batch;
    int all = role.steps(time, time);
    float[] start = new float[all * size];
    Arrays.fill(start, Float.NaN);
    int given = role.given(time) * size;
    System.arraycopy(values(given, 0.5f), 0, start, 0, given);
    if (role == Role.ENDED) {
      Arrays.fill(start, time * size, start.length, 0);
    }
    double[][] steps = new double[all][size];
    for (int k = 0; k < start.length; k++) {
      steps[k / size][k % size] = start[k];
    }
    reference.arrays[number] = steps;
    int here = role.steps(time, gradientSteps);
    if (its.layout() == Layout.TILES) {
      arrays[number] = memory.aligned(Math.toIntExact(compiled.floats(number, batch, here)));
    } else {
      float[] values = Arrays.copyOf(start, here * size);
      arrays[number] =
          role == Role.INPUT || role == Role.DY ? memory.input(values) : memory.inOut(values);
    }
  }

  private void describe(int[] index, long[] seeds) {
    execution.begin(description, batch, time);
    for (int i = 0; i < arrays.length; i++) {
      int steps = sample.roles().get(i).steps(time, gradientSteps);
      execution.array(i, arrays[i].buffer(), steps);
    }
    for (int i = 0; i < vectors.length; i++) {
      Guarded.Piece gradient = vectorGradients[i];
      execution.vector(i, vectors[i].buffer(), gradient == null ? null : gradient.buffer());
    }
    for (int i = 0; i < matrices.length; i++) {
      Guarded.Piece gradient = matrixGradients[i];
      execution.matrix(i, matrices[i].buffer(), gradient == null ? null : gradient.buffer());
    }
    if (index.length > 0) {
      float[] bits = new float[index.length];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = Float.intBitsToFloat(index[i]);
      }
      execution.index(memory.input(bits).buffer());
    }
    execution.seeds(seeds);
  }

  private @Nullable Buffer scratch(long floats) {
    return floats == 0 ? null : memory.aligned(Math.toIntExact(floats)).buffer();
  }

  /** Runs both passes on the device. */
  ProgramRun run() {
    execution.forward(scratch(compiled.forwardScratch(batch, time)));
    execution.backward(scratch(compiled.backwardScratch(batch, time)));
    memory.check();
    return this;
  }

  /** Runs both passes on one column of another run; this one has no other. */
  void runColumn(ProgramRun whole, int column) {
    for (int i = 0; i < arrays.length; i++) {
      if (program.arrays().get(i).layout() == Layout.MATRIX) {
        arrays[i].buffer().write(whole.column(whole.arrays[i].start(), i, column));
      }
    }
    for (int i = 0; i < vectors.length; i++) {
      vectors[i].buffer().write(whole.vectors[i].read());
    }
    for (int i = 0; i < matrices.length; i++) {
      matrices[i].buffer().write(whole.matrices[i].read());
    }
    if (sample.classes() > 0) {
      int[] index = new int[time];
      Arrays.setAll(index, t -> whole.reference.index[t * whole.batch + column]);
      Buffer classes = memory.aligned(time).buffer();
      classes.writeIndexes(index);
      execution.index(classes);
    }
    execution.forward(scratch(compiled.forwardScratch(batch, time)));
    execution.backward(scratch(compiled.backwardScratch(batch, time)));
  }

  /** A column of an array's matrices, one step after the other. */
  private float[] column(double[] values, int array, int column) {
    int rows = program.arrays().get(array).rows();
    float[] its = new float[values.length / batch];
    for (int k = 0; k < its.length; k++) {
      its[k] = (float) values[(k / rows * batch + column) * rows + k % rows];
    }
    return its;
  }

  /** What was computed of a column, in arrays that do not hold gradients of the batch. */
  List<float[]> resultsOf(int column) {
    List<float[]> results = new ArrayList<>();
    for (int i = 0; i < arrays.length; i++) {
      if (program.arrays().get(i).layout() == Layout.MATRIX) {
        results.add(column(Reference.doubles(arrays[i].read()), i, column));
      }
    }
    return results;
  }

  private double tolerance() {
    return TOLERANCE * (1 + time / 40);
  }

  /** Compares all that was computed with double precision. */
  void check(String where) {
    reference.forward();
    reference.backward();
    String what = "%s %s B=%d T=%d ".formatted(where, sample, batch, time);
    for (int i = 0; i < arrays.length; i++) {
      if (program.arrays().get(i).layout() == Layout.MATRIX && isWritten(i)) {
        int steps = sample.roles().get(i).steps(time, gradientSteps);
        double[] expected =
            Arrays.stream(reference.arrays[i])
                .limit(steps)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        Near.check(what + "array " + i, expected, arrays[i].read(), tolerance());
      }
    }
    for (int i = 0; i < vectors.length; i++) {
      check(what + "gradient of vector " + i, reference.vectorGradients[i], vectorGradients[i]);
    }
    for (int i = 0; i < matrices.length; i++) {
      check(what + "gradient of matrix " + i, reference.matrixGradients[i], matrixGradients[i]);
    }
  }

  /** Whether a device must write an array: one of gradients of vectors may be added up unseen. */
  private boolean isWritten(int array) {
    return compiled.readsGradients(array)
        || program.vectorGradients().stream().noneMatch(g -> g.array() == array)
        || program.weightGradients().stream().anyMatch(g -> g.array() == array);
  }

  private void check(String what, double[] expected, Guarded.@Nullable Piece actual) {
    if (actual != null) {
      Near.near(what, expected, actual.read(), tolerance());
    }
  }

  /** All that was written, as bits. */
  List<float[]> results() {
    List<float[]> results = new ArrayList<>();
    for (int i = 0; i < arrays.length; i++) {
      results.add(arrays[i].read());
    }
    for (Guarded.Piece piece : vectorGradients) {
      results.add(piece == null ? new float[0] : piece.read());
    }
    for (Guarded.Piece piece : matrixGradients) {
      results.add(piece == null ? new float[0] : piece.read());
    }
    return results;
  }

  /** Step t of an array of matrices, column after column. */
  float[] matrix(int array, int t) {
    int size = program.arrays().get(array).rows() * batch;
    return Arrays.copyOfRange(arrays[array].read(), t * size, (t + 1) * size);
  }
}

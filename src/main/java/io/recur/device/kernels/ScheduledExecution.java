package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram.VectorGradient;
import io.recur.device.kernels.ProductSchedule.Pass;
import io.recur.device.kernels.ProductSchedule.Phase;
import io.recur.device.kernels.ProductSchedule.Scatter;
import io.recur.device.memory.Slices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link ProductSchedule}: products and sums over columns by the device's kernels, sections
 * by a subclass. Runs of the same sizes in the same memory make no objects.
 *
 * <pre>{@code
 * Programs.Compiled compiled = kernels.programs().compile(program);
 * Programs.Execution execution = compiled.execution();    // a ScheduledExecution on a GPU
 * }</pre>
 */
public abstract class ScheduledExecution implements Programs.Execution {
  private final ProductSchedule schedule;
  private final Places places;
  private final Device device;
  private final @Nullable Buffer[] vectors;
  private final @Nullable Buffer[] vectorGradients;
  private final @Nullable Buffer[] matrices;
  private final @Nullable Buffer[] matrixGradients;
  private final StepProducts products;
  private final List<StepProducts.Sum> sums = new ArrayList<>();

  /** The parts of gradients, by the number of the vector gradient or scatter. */
  private final List<Slices> vectorParts;

  private final List<Slices> matrixParts;
  private @Nullable Buffer index;
  private final long[] none = {};
  private long[] seeds = none;

  /**
   * Makes an empty execution.
   *
   * @param schedule what is executed
   * @param device the device of all memory
   */
  protected ScheduledExecution(ProductSchedule schedule, Device device) {
    CellProgram program = schedule.program();
    this.schedule = schedule;
    this.device = device;
    this.places = new Places(schedule);
    this.vectors = new Buffer[program.vectors().size()];
    this.vectorGradients = new Buffer[vectors.length];
    this.matrices = new Buffer[program.matrices().size()];
    this.matrixGradients = new Buffer[matrices.length];
    this.products = new StepProducts(schedule, places, device, matrices);
    this.vectorParts = program.vectorGradients().stream().map(_ -> new Slices()).toList();
    this.matrixParts = schedule.backward().scatters().stream().map(_ -> new Slices()).toList();
    program.weightGradients().forEach(g -> sums.add(products.new Sum(g, matrixGradients)));
  }

  /**
   * Executes the sections of a phase at a step.
   *
   * @param phase of the schedule, with sections
   * @param t the step
   */
  protected abstract void sections(Phase phase, int t);

  /**
   * Checks the classes of all steps.
   *
   * @param index B×T int32
   * @param classes each is below it
   */
  protected abstract void check(Buffer index, int classes);

  /**
   * Begins a pass, before its first kernel.
   *
   * @param pass the pass
   * @param scratch its scratch memory
   */
  protected void begin(Pass pass, @Nullable Buffer scratch) {}

  @Override
  public final Programs.Execution begin(@Nullable Buffer description, int batch, int time) {
    places.begin(batch, time);
    Arrays.fill(vectorGradients, null);
    Arrays.fill(matrixGradients, null);
    index = null;
    seeds = none;
    products.columnsAlone(false);
    return this;
  }

  @Override
  public final boolean columnsAlone(boolean wanted) {
    products.columnsAlone(wanted);
    return wanted;
  }

  @Override
  public final Programs.Execution array(
      int number, @Nullable Buffer buffer, long first, int steps) {
    places.array(number, buffer, first, steps);
    return this;
  }

  @Override
  public final Programs.Execution vector(int number, Buffer values, @Nullable Buffer gradient) {
    vectors[number] = values;
    vectorGradients[number] = gradient;
    return this;
  }

  @Override
  public final Programs.Execution matrix(int number, Buffer values, @Nullable Buffer gradient) {
    matrices[number] = values;
    matrixGradients[number] = gradient;
    return this;
  }

  @Override
  public final Programs.Execution index(@Nullable Buffer classes) {
    index = classes;
    return this;
  }

  @Override
  public final Programs.Execution seeds(long[] seeds) {
    this.seeds = seeds;
    return this;
  }

  /** {@return where the arrays are} */
  public final Places places() {
    return places;
  }

  /**
   * Returns a vector's values.
   *
   * @param number the vector
   * @return its values
   */
  public final Buffer vector(int number) {
    return vectors[number];
  }

  /**
   * Returns a matrix's values.
   *
   * @param number the matrix
   * @return its values
   */
  public final Buffer matrix(int number) {
    return matrices[number];
  }

  /** {@return the classes, or null} */
  public final @Nullable Buffer index() {
    return index;
  }

  /** {@return the seeds, draws × T} */
  public final long[] seeds() {
    return seeds;
  }

  @Override
  public final void forward(@Nullable Buffer scratch) {
    run(schedule.forward(), scratch, 0, 1);
  }

  @Override
  public final void backward(@Nullable Buffer scratch) {
    run(schedule.backward(), scratch, places.time() - 1, -1);
    for (int i = 0; i < sums.size(); i++) {
      sums.get(i).add();
    }
    List<VectorGradient> gradients = schedule.program().vectorGradients();
    for (int i = 0; i < gradients.size(); i++) {
      add(gradients.get(i), vectorParts.get(i));
    }
  }

  private void run(Pass pass, @Nullable Buffer scratch, int first, int direction) {
    Buffer classes = index;
    if (pass.classes() != Integer.MAX_VALUE && classes != null) {
      check(classes, pass.classes());
    }
    places.spaces(pass, scratch);
    for (int i = 0; i < pass.scatters().size(); i++) {
      prepare(pass.scatters().get(i));
    }
    begin(pass, scratch);
    products.all(pass.hoisted());
    int end = first + direction * places.time();
    for (int t = first; t != end; t += direction) {
      execute(pass.phases(), t, t == first);
    }
    execute(pass.end(), end, false);
    products.sunk(pass.phases());
    for (int i = 0; i < pass.scatters().size(); i++) {
      add(pass.scatters().get(i), matrixParts.get(i));
    }
  }

  private void execute(List<Phase> phases, int t, boolean isFirst) {
    for (int i = 0; i < phases.size(); i++) {
      Phase phase = phases.get(i);
      products.step(phase.calls(), t, isFirst);
      if (!phase.sections().isEmpty()) {
        sections(phase, t);
      }
    }
  }

  private void prepare(Scatter scatter) {
    if (matrixGradients[scatter.matrix()] == null) {
      places.without(scatter.array());
    } else if (!scatter.isWhole()) {
      device.pointwise().fill(0, products.whole(scatter.array()), words(scatter.array()));
    }
  }

  private long words(int array) {
    return places.size(array) * places.time();
  }

  private void add(Scatter scatter, Slices its) {
    Buffer gradient = matrixGradients[scatter.matrix()];
    if (gradient != null) {
      int rows = places.rows(scatter.array());
      long words = (long) scatter.columns() * rows;
      Buffer part = its.of(gradient, (long) scatter.column() * rows, words, words).at(0);
      int all = places.batch() * places.time();
      device.columns().scatterAdd(rows, all, products.whole(scatter.array()), index, part);
    }
  }

  private void add(VectorGradient sum, Slices its) {
    Buffer gradient = vectorGradients[sum.vector()];
    if (gradient != null) {
      int rows = places.rows(sum.array());
      int all = places.batch() * places.time();
      Buffer part = its.of(gradient, sum.row(), rows, rows).at(0);
      device.columns().addSum(rows, all, products.whole(sum.array()), part);
    }
  }
}

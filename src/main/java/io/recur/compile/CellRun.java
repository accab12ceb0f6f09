package io.recur.compile;

import io.recur.compile.Compiler.Compiled;
import io.recur.device.Buffer;
import io.recur.device.kernels.Blas;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Programs;
import io.recur.device.kernels.Programs.Execution;
import io.recur.device.memory.Slices;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What runs of a compiled cell have in common, over sequences of one length and of several: the
 * cell, its parameters, and the products that give x its gradient.
 */
abstract class CellRun implements Op, CompiledCell.Result {
  Compiled cell;
  Execution execution;
  OpContext context;
  List<? extends Tensor> before;
  Tensor x;

  /** The weights that are read: parameters, or what is left of them. */
  Tensor[] matrices = {};

  Tensor[] vectors = {};
  boolean columnsAlone;

  /** Whether a gradient reaches x, the state or a weight; without one nothing is recorded. */
  boolean takesGradient;

  /** The shapes of the parts of the state, kept while the batch is the same. */
  @Nullable Shape[] shapes = {};

  /** The memory of each array, forward and backward. */
  @Nullable Buffer[] buffers = {};

  private @Nullable CompiledCell owner;
  private Tensor[] drawn = {};
  private Tensor[] computed = {};

  /** Per vector the invariant that it stands for; −1 for none. */
  private int[] invariants = {};

  private Slices[] products = {};

  /** Prepares for a cell. Returns whether the last run of this object was not one of it. */
  final boolean adopt(CompiledCell its) {
    if (owner == its) {
      return false;
    }
    owner = its;
    cell = its.compiled;
    execution = its.program.execution();
    buffers = new Buffer[cell.arrays().size()];
    matrices = new Tensor[cell.matrices().size()];
    vectors = new Tensor[cell.vectors().size()];
    shapes = new Shape[cell.states().length];
    drawn = new Tensor[cell.drops().weights().size()];
    computed = its.invariants.room();
    invariants = cell.vectors().stream().mapToInt(its.invariants::number).toArray();
    products = slices(cell.inputProducts().size());
    return true;
  }

  final void shapeStates(int batch) {
    for (int i = 0; i < shapes.length; i++) {
      Shape known = shapes[i];
      if (known == null || known.batch() != batch) {
        shapes[i] = Shape.of(rows(cell.states()[i]), batch);
      }
    }
  }

  static Slices[] slices(int count) {
    Slices[] slices = new Slices[count];
    for (int i = 0; i < count; i++) {
      slices[i] = new Slices();
    }
    return slices;
  }

  final Programs.Compiled program() {
    return Objects.requireNonNull(owner).program;
  }

  final @Nullable Buffer scratch(long floats) {
    return floats == 0 ? null : context.scratch(floats);
  }

  final @Nullable Buffer backwardScratch(long floats) {
    return floats == 0 ? null : context.backwardScratch(floats);
  }

  final Buffer buffer(int array) {
    Buffer buffer = buffers[array];
    if (buffer == null) {
      throw new IllegalStateException("compiled cell: array " + array + " has no memory");
    }
    return buffer;
  }

  /** The values of a column of an array. */
  final int rows(int array) {
    return cell.arrays().get(array).array().rows();
  }

  /**
   * Finds the weights that this run reads. Drawing some and computing what follows from others are
   * operations of their own, so the context accepts the inputs again.
   */
  final void readWeights() {
    Tape tape = context.tape();
    Invariants its = Objects.requireNonNull(owner).invariants;
    cell.drops().draw(tape, drawn);
    Drops.read(cell.drops().matrices(), drawn, cell.matrices(), matrices);
    Drops.read(cell.drops().vectors(), drawn, cell.vectors(), vectors);
    if (tape.isRecording()) {
      its.compute(tape, computed);
      for (int i = 0; i < vectors.length; i++) {
        vectors[i] = invariants[i] < 0 ? vectors[i] : its.result(invariants[i], computed);
      }
    } else {
      its.update();
    }
    if (drawn.length > 0 || !its.isEmpty()) {
      acceptInputs();
    }
  }

  private void acceptInputs() {
    accept(x);
    for (int i = 0; i < before.size(); i++) {
      accept(before.get(i));
    }
    for (int i = 0; i < matrices.length; i++) {
      accept(matrices[i]);
    }
    for (int i = 0; i < vectors.length; i++) {
      accept(vectors[i]);
    }
  }

  private void accept(Tensor input) {
    context.accept("compiled cell", input);
  }

  final void nameParameters(boolean withGradients) {
    for (int i = 0; i < matrices.length; i++) {
      execution.matrix(i, matrices[i].value(), gradient(matrices[i], withGradients));
    }
    for (int i = 0; i < vectors.length; i++) {
      execution.vector(i, vectors[i].value(), gradient(vectors[i], withGradients));
    }
  }

  private static @Nullable Buffer gradient(Tensor weight, boolean wanted) {
    return wanted && weight.isDifferentiable() ? weight.accumulator() : null;
  }

  /** Whether a gradient reaches x, a part of the state or a weight. */
  final boolean reachesGradient() {
    boolean reaches = x.isDifferentiable();
    for (int i = 0; i < before.size(); i++) {
      reaches |= before.get(i).isDifferentiable();
    }
    for (int i = 0; i < matrices.length; i++) {
      reaches |= matrices[i].isDifferentiable();
    }
    for (int i = 0; i < vectors.length; i++) {
      reaches |= vectors[i].isDifferentiable();
    }
    return reaches;
  }

  /** Whether a product that gives x its gradient reads an array of gradients. */
  final boolean givesInput(int array) {
    boolean isRead = false;
    for (int i = 0; i < cell.inputProducts().size(); i++) {
      isRead |= cell.inputProducts().get(i).array() == array;
    }
    return isRead && x.isDifferentiable();
  }

  /** {@code dX += Wᵀ·dSums} of all columns, whose gradients follow each other. */
  final void addInputProducts(int columns) {
    if (x.isDifferentiable()) {
      for (int i = 0; i < products.length; i++) {
        addInputProduct(cell.inputProducts().get(i), products[i], columns);
      }
    }
  }

  private void addInputProduct(WeightGradient product, Slices part, int n) {
    Weights weights = cell.weights(product);
    Tensor matrix = matrices[weights.matrix()];
    int height = matrix.shape().rows();
    long first = weights.row() + (long) weights.column() * height;
    long span = (weights.columns() - 1L) * height + weights.rows();
    Buffer w = part.of(matrix.value(), first, span, span).at(0);
    Blas blas = KernelDevice.of(context.device()).blas();
    Buffer d = buffer(product.array());
    Buffer dx = x.accumulator();
    int m = weights.columns();
    int k = weights.rows();
    if (columnsAlone) {
      blas.multiplyColumns(true, m, n, k, w, height, d, k, 1, dx, m);
    } else {
      blas.multiply(true, false, m, n, k, 1, w, height, d, k, 1, dx, m);
    }
  }
}

package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Recurrences;
import io.recur.device.kernels.Recurrences.Array;
import io.recur.device.kernels.Recurrences.Sequence;
import io.recur.device.memory.Slices;
import io.recur.grad.OneHot;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A whole sequence of a built-in cell as one recorded operation: one input product for all T steps,
 * then the steps, and backward the steps in reverse, then each weight gradient as one product.
 *
 * <p>States lie one after the other, the initial one first, so that the states before each step are
 * one matrix: {@code h₀ h₁ … h_T}, each H×B.
 */
abstract class Sweep<C extends StackedCell> implements Op {
  C cell;
  OpContext context;
  Device device;
  KernelDevice kernels;
  Tensor x;
  State before;
  int units;
  int batch;
  int time;

  /**
   * What the slope needs. Step by step kH×B×T, a piece a step, at first Wi·x and then the gates; in
   * an order of the kernels' own where they run the whole sequence.
   */
  final Slices gates = new Slices();

  /** The states, the initial one first. */
  final Slices h = new Slices();

  /** The states but the initial one, in one piece. */
  private final Slices outputs = new Slices();

  Tensor y;

  /** The gradients of gates and of y, while a backward runs. */
  final Slices dgates = new Slices();

  final Slices dy = new Slices();

  /** The device's kernels for whole sequences, and this one described to them; or none. */
  private @Nullable Recurrences recurrences;

  private @Nullable Sequence sequence;

  /** Step by step, what a step adds to its sums: b, unless the gather has added it. */
  @Nullable Buffer bias;

  /** From this batch on, a forward without a backward keeps one step's gates; kernels take 8. */
  private static final int LEAST_OF_ONE_STEP = 16;

  /**
   * Whether the kernels keep the gradients of this pass in an order of their own, to make those of
   * the weights from them.
   */
  private boolean keepsTiles;

  // Taken from the tape. A loop takes the same at every step, so nothing is allocated again.

  /** Runs all steps on the context's tape. The caller has checked that cell, state and x fit. */
  final Step run(OpContext context, C cell, State before, Tensor x) {
    Shape shape = x.shape();
    this.context = context;
    this.cell = cell;
    this.device = context.device();
    this.kernels = KernelDevice.of(device);
    this.before = before;
    this.x = x;
    this.units = cell.units;
    this.batch = shape.batch();
    this.time = shape.time();
    this.recurrences = cell.isDense() ? kernels.recurrences() : null;
    if (recurrences != null) {
      describe(recurrences);
    } else {
      gates.of(context.scratch(cell.gates * size() * time), cell.gates * size());
    }
    states(h, before.h(), time);
    long all = size() * time;
    Shape like = shape.rank() == 1 ? Shape.of(shape.rows(), 1) : shape;
    y = context.output(like, units, outputs.of(h.whole(), size(), all, all).at(0), true);
    prepare();
    if (recurrences != null) {
      forward(recurrences, sequence);
    } else {
      forward();
    }
    return finish(shape.rank() == 3 ? y.time(time - 1) : y);
  }

  /** Values of one state. */
  final long size() {
    return (long) units * batch;
  }

  /** Takes memory for a state and some later ones that begins with the given one. */
  final void states(Slices states, Tensor first, int later) {
    states.of(context.scratch(size() * (later + 1)), size());
    device.pointwise().copy(first.value(), states.at(0), size());
  }

  /** Takes what else the forward pass of a cell needs. */
  void prepare() {}

  /** Records the operation; hLast is the state after the last step. */
  Step finish(Tensor hLast) {
    context.record(this, y);
    return Step.step(hLast, y);
  }

  @Override
  public void backward() {
    Buffer dh = context.backwardScratch(size());
    keepsTiles = recurrences != null && cell.wi.isDense() && time > 1;
    long steps = gradientSteps();
    dgates.of(context.backwardScratch(cell.gates * size() * steps), cell.gates * size());
    dy.of(y.gradient(), size());
    device.pointwise().fill(0, dh, size());
    prepareBackward();
    if (recurrences != null) {
      backward(recurrences, sequence, dh);
    } else {
      backward(dh);
    }
    if (!keepsTiles) {
      addRecurrentGradient(dgates.whole());
    }
    if (x.isDifferentiable()) {
      int rows = cell.gates * units;
      cell.wi.multiplyTransposed(
          kernels, isWhole(), dgates.whole(), rows, batch * time, 1, x.accumulator());
    }
    addTo(before.h(), dh);
  }

  /** Takes what else the backward pass of a cell needs. */
  void prepareBackward() {}

  /** Hands a gradient on to a part of the state before the first step. */
  final void addTo(Tensor part, Buffer gradient) {
    if (part.isDifferentiable()) {
      device.pointwise().addScaled(1, gradient, part.accumulator(), size());
    }
  }

  // All steps in one call.

  /** Steps whose gradients of gates are kept as a matrix: all where somebody multiplies with it. */
  final int gradientSteps() {
    return keepsTiles && !x.isDifferentiable() ? 2 : time;
  }

  /** The gradient of a parameter's values, or null where it is not trained. */
  static @Nullable Buffer gradient(Parameter parameter) {
    return parameter.isTrainable() ? parameter.accumulator() : null;
  }

  /**
   * Whether the bits of a column must not depend on the batch in products that do not run in that
   * call: while no backward follows. In training that would be slower on the kernels in Java.
   */
  final boolean alone() {
    return !context.tape().isRecording();
  }

  /** Whether the device runs the whole sequence in one call. */
  final boolean isWhole() {
    return recurrences != null;
  }

  private void describe(Recurrences recurrences) {
    sequence = sequence == null ? recurrences.sequence() : sequence;
    Buffer memory = context.scratch(Recurrences.DESCRIPTION_FLOATS);
    int in = cell.wi.columns();
    sequence.begin(memory, cell.kind(), cell.function(), in, units, batch, time);
    if (!context.tape().isRecording() && batch >= LEAST_OF_ONE_STEP) {
      sequence.steps(1); // no backward will read the others
    }
    Buffer tiles = context.scratch(recurrences.tiles(sequence));
    gates.of(tiles, tiles.floats());
  }

  /** Recurrent weights as the kernels for whole sequences read them. */
  final Buffer packed(Matrix weights, int gates, boolean transposed) {
    return weights.packed(recurrences, gates, transposed).current();
  }

  private void forward(Recurrences recurrences, Sequence sequence) {
    sequence
        .with(Array.WH, packed(cell.wh, cell.wh.rows() / units, false))
        .with(Array.B, cell.b.value())
        .with(Array.TILES, gates.whole())
        .with(Array.H, h.whole());
    if (cell.wi.gathers(x) && x instanceof OneHot hot) {
      sequence.with(Array.TABLE, cell.wi.values().value()).with(Array.INDEX, hot.index());
    } else if (cell.wi.isDense()) {
      sequence.with(Array.WI, packed(cell.wi, cell.gates, false)).with(Array.X, x.value());
    } else {
      Buffer sums = context.scratch(cell.gates * size() * time);
      cell.wi.multiplyInput(kernels, alone(), x, cell.b.value(), sums);
      sequence.with(Array.SUMS, sums);
    }
    name(sequence);
    recurrences.forward(sequence);
  }

  /** Names the arrays that only this cell has. */
  void name(Sequence sequence) {}

  private void backward(Recurrences recurrences, Sequence sequence, Buffer dh) {
    sequence
        .with(Array.WHT, packed(cell.wh, cell.wh.rows() / units, true))
        .with(Array.DY, dy.whole())
        .with(Array.DH, dh)
        .with(Array.DGATES, dgates.whole())
        .with(Array.DB, gradient(cell.b))
        .gradientSteps(gradientSteps());
    if (keepsTiles) {
      sequence
          .with(Array.DTILES, context.backwardScratch(recurrences.dtiles(sequence)))
          .with(Array.DWI, gradient(cell.wi.values()))
          .with(Array.DWH, gradient(cell.wh.values()));
    } else {
      sequence.with(Array.DTILES, null);
    }
    nameBackward(sequence);
    recurrences.backward(sequence);
    if (keepsTiles) {
      return;
    }
    if (cell.wi.gathers(x) && x instanceof OneHot hot) {
      cell.wi.scatter(dgates.whole(), hot.index(), batch * time);
    } else {
      cell.wi.addInputGradient(kernels, dgates.whole(), x);
    }
  }

  /** Names the arrays that only this cell has, for backward. */
  void nameBackward(Sequence sequence) {}

  // Step by step.

  private void forward() {
    if (cell.wi.gathers(x) && x instanceof OneHot hot) {
      bias = null;
      cell.wi.gather(hot.index(), batch * time, cell.b.value(), gates.whole());
    } else {
      bias = cell.b.value();
      int rows = cell.gates * units;
      cell.wi.multiply(kernels, alone(), x.value(), batch * time, 0, gates.whole(), rows);
    }
    for (int t = 0; t < time; t++) {
      step(gates.at(t), t);
    }
  }

  /** Step t, from state t to state t + 1. */
  abstract void step(Buffer gates, int t);

  /** All steps in reverse; dh in: zeros; out: the gradient of the state before the first. */
  private void backward(Buffer dh) {
    for (int t = time - 1; t >= 0; t--) {
      slope(t, dy.at(t), dh, dgates.at(t));
    }
    if (cell.wi.gathers(x) && x instanceof OneHot hot) {
      cell.wi.scatter(dgates.whole(), hot.index(), batch * time);
    } else {
      cell.wi.addInputGradient(kernels, dgates.whole(), x);
    }
    if (cell.b.isTrainable()) {
      int rows = cell.gates * units;
      device.columns().addSum(rows, batch * time, dgates.whole(), cell.b.accumulator());
    }
  }

  /**
   * The derivative of step t: fills dgates and leaves in dh the gradient of state t.
   *
   * @param t the step
   * @param dy from the output of step t
   * @param dh in: from step t + 1
   * @param dgates gradient of Wi·x + b
   */
  abstract void slope(int t, Buffer dy, Buffer dh, Buffer dgates);

  /** Adds the gradients of the recurrent weights, once for all steps. */
  void addRecurrentGradient(Buffer dgates) {
    cell.wh.addGradient(kernels, dgates, cell.wh.rows(), h.whole(), batch * time);
  }
}

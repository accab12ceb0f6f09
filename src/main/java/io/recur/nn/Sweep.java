package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Sequences;
import io.recur.device.Sequences.Array;
import io.recur.device.Sequences.Sequence;
import io.recur.grad.OneHot;
import io.recur.grad.Op;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A whole sequence of a built-in cell as one recorded operation: one input product for all T steps,
 * then the steps, and backward the steps in reverse, then each weight gradient as one product.
 *
 * <p>States lie one after the other, the initial one first, so that the states before each step are
 * one matrix: {@code h₀ h₁ … h_T}, each H×B.
 */
abstract class Sweep<C extends StackedCell> implements Op {
  final C cell;
  final Tape tape;
  final Device device;
  final Tensor x;
  final State before;
  final int units;
  final int batch;
  final int time;

  /** In: Wi·x + b for all steps; out: what the cell's slope needs. kH×B×T. */
  final Buffer gates;

  final Buffer h;
  final Tensor y;

  /** The device's kernels for whole sequences, and this one described to them; or null. */
  private final @Nullable Sequences sequences;

  private final @Nullable Sequence sequence;

  Sweep(C cell, State before, Tensor x) {
    cell.check(before, x);
    this.cell = cell;
    this.before = before;
    this.x = x;
    List<Tensor> inputs = new ArrayList<>(before.parts());
    inputs.add(x);
    inputs.addAll(cell.parameters());
    this.tape = Tape.of(cell.label(), inputs.toArray(Tensor[]::new));
    this.device = tape.device();
    this.units = cell.units;
    this.batch = x.shape().batch();
    this.time = x.shape().time();
    this.gates = tape.scratch((long) cell.gates * units * batch * time);
    this.h = states(before.h());
    Shape shape = x.shape().rank() == 3 ? Shape.of(units, batch, time) : Shape.of(units, batch);
    this.y = tape.output(shape, h.slice(size(), size() * time), true);
    this.sequences = cell.isDense() ? device.sequences() : null;
    this.sequence =
        sequences == null
            ? null
            : sequences.sequence(
                tape.scratch(Sequences.DESCRIPTION_FLOATS),
                cell.kind(),
                cell.function(),
                cell.wi.columns(),
                units,
                batch,
                time);
  }

  /** Whether the device runs the whole sequence in one call. */
  final boolean isFused() {
    return sequences != null;
  }

  /** Recurrent weights as the kernels for whole sequences read them. */
  final Buffer packed(Matrix weights, int gates, boolean transposed) {
    return weights.packed(sequences, gates, transposed).current();
  }

  /** Names the arrays that only this cell has. */
  void describe(Sequence sequence) {}

  /** Names the arrays that only this cell has, for backward. */
  void describeBackward(Sequence sequence) {}

  /** Values of one state. */
  final long size() {
    return (long) units * batch;
  }

  /** Memory for T + 1 states that begins with the given one. */
  final Buffer states(Tensor first) {
    Buffer all = tape.scratch(size() * (time + 1));
    device.pointwise().copy(first.value(), all, size());
    return all;
  }

  /** The state number t of such memory. */
  final Buffer at(Buffer states, int t) {
    return states.slice(size() * t, size());
  }

  /** Step t of stacked gates, {@code kH×B}. */
  final Buffer gatesAt(Buffer stacked, int t) {
    long length = cell.gates * size();
    return stacked.slice(length * t, length);
  }

  final Step run() {
    if (sequence != null) {
      runFused(sequences, sequence);
    } else {
      runSteps();
    }
    return finish(time == 1 && y.shape().rank() == 2 ? y : y.time(time - 1));
  }

  private void runFused(Sequences sequences, Sequence sequence) {
    sequence
        .with(Array.WH, packed(cell.wh, cell.wh.rows() / units, false))
        .with(Array.B, cell.b.value())
        .with(Array.GATES, gates)
        .with(Array.H, h);
    if (x instanceof OneHot hot && cell.wi.isDense()) {
      sequence.with(Array.TABLE, cell.wi.values().value()).with(Array.INDEX, hot.index());
    } else if (cell.wi.isDense()) {
      sequence.with(Array.WI, packed(cell.wi, cell.gates, false)).with(Array.X, x.value());
    } else {
      cell.wi.multiplyInput(x, cell.b.value(), gates);
    }
    describe(sequence);
    sequences.forward(sequence);
    Reference.reachabilityFence(cell); // its memory lives as long as it does
  }

  private void runSteps() {
    boolean gathers = cell.wi.gathers(x);
    if (!gathers) {
      cell.wi.multiplyInput(x, cell.b.value(), gates);
    }
    for (int t = 0; t < time; t++) {
      Buffer here = gatesAt(gates, t);
      if (gathers) {
        cell.wi.multiplyInput(x.time(t), cell.b.value(), here); // still in the cache for the step
      }
      step(here, t);
    }
  }

  /** Records the operation; hLast is the state after the last step. */
  Step finish(Tensor hLast) {
    tape.record(this, y);
    return Step.step(hLast, y);
  }

  /** Step t, from state t to state t + 1. */
  abstract void step(Buffer gates, int t);

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
    cell.wh.addGradient(dgates, cell.wh.rows(), h, batch * time);
  }

  @Override
  public void backward() {
    int rows = cell.gates * units;
    int columns = batch * time;
    Buffer dgates = tape.backwardScratch((long) rows * columns);
    Buffer dh = tape.backwardScratch(size());
    Buffer dy = y.gradient();
    device.pointwise().fill(0, dh, size());
    if (sequence != null) {
      backwardFused(sequences, sequence, dy, dh, dgates);
    } else {
      backwardSteps(dy, dh, dgates);
    }
    addRecurrentGradient(dgates);
    if (x.isDifferentiable()) {
      cell.wi.multiplyTransposed(dgates, rows, columns, 1, x.accumulator());
    }
    addTo(before.h(), dh);
  }

  private void backwardFused(
      Sequences sequences, Sequence sequence, Buffer dy, Buffer dh, Buffer dgates) {
    sequence
        .with(Array.WHT, packed(cell.wh, cell.wh.rows() / units, true))
        .with(Array.DY, dy)
        .with(Array.DH, dh)
        .with(Array.DGATES, dgates)
        .with(Array.DB, cell.b.isTrainable() ? cell.b.accumulator() : null);
    describeBackward(sequence);
    sequences.backward(sequence);
    cell.wi.addInputGradient(dgates, x);
    Reference.reachabilityFence(cell);
  }

  private void backwardSteps(Buffer dy, Buffer dh, Buffer dgates) {
    int rows = cell.gates * units;
    boolean gathers = cell.wi.gathers(x);
    for (int t = time - 1; t >= 0; t--) {
      Buffer here = gatesAt(dgates, t);
      slope(t, at(dy, t), dh, here);
      if (gathers) {
        cell.wi.addInputGradient(here, x.time(t));
      }
      if (cell.b.isTrainable()) {
        device.columns().addSum(rows, batch, here, cell.b.accumulator());
      }
    }
    if (!gathers) {
      cell.wi.addInputGradient(dgates, x);
    }
  }

  /** Hands a gradient on to a part of the state before the first step. */
  final void addTo(Tensor part, Buffer gradient) {
    if (part.isDifferentiable()) {
      device.pointwise().addScaled(1, gradient, part.accumulator(), size());
    }
  }
}

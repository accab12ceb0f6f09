package io.recur.compile;

import io.recur.compile.Tables.Entry;
import io.recur.compile.Tables.Purpose;
import io.recur.device.Buffer;
import io.recur.device.memory.Slices;
import io.recur.grad.OneHot;
import io.recur.grad.OpContext;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A whole sequence of a compiled cell as one recorded operation. */
final class CompiledRun extends CellRun {
  private Tensor y;
  private int batch;
  private int time;

  /** Scratch of the forward pass, known while cell, batch and time are the same. */
  private long forwardFloats;

  /** The parts of the state after the last step that are not the last output. */
  private final List<@Nullable Tensor> after = new ArrayList<>();

  /** All parts of the state after the last step. */
  private Tensor[] parts = {};

  private List<Tensor> states = List.of();

  /** The tensors that a run records: y, then those of {@link #after}. */
  private Tensor[] outputsOfRun = {};

  /** Of each array, the slices that hold one step each. */
  private Slices[] cuts = {};

  private final Slices outputs = new Slices();
  private long[] seeds = {};

  CompiledCell.Result run(
      OpContext context, CompiledCell owner, List<? extends Tensor> states, Tensor x) {
    begin(owner, x.shape());
    this.context = context;
    this.before = states;
    this.x = x;
    execution.begin(scratch(owner.program.descriptionFloats()), batch, time);
    columnsAlone = execution.columnsAlone(!context.tape().isRecording());
    takeMemory();
    readWeights();
    takesGradient = reachesGradient();
    nameParameters(false);
    draw();
    execution.forward(scratch(forwardFloats));
    return finish();
  }

  private void begin(CompiledCell owner, Shape shape) {
    boolean isOther = adopt(owner);
    if (isOther) {
      this.cuts = slices(buffers.length);
      this.parts = new Tensor[cell.states().length];
      after.clear();
      int others = 0;
      for (int array : cell.states()) {
        after.add(null);
        others += array != cell.output() ? 1 : 0;
      }
      this.outputsOfRun = new Tensor[1 + others];
    }
    if (isOther || batch != shape.batch() || time != shape.time()) {
      batch = 0; // known again once the device has answered
      forwardFloats = owner.program.forwardScratch(shape.batch(), shape.time());
      batch = shape.batch();
      time = shape.time();
    }
    shapeStates(batch);
  }

  // Memory.

  private void takeMemory() {
    boolean records = context.tape().isRecording();
    for (int i = 0; i < buffers.length; i++) {
      Entry entry = cell.arrays().get(i);
      switch (entry.purpose()) {
        case INPUT -> name(i, cell.readsInput() ? x.value() : null, time);
        case STATE -> nameState(i, entry);
        case OUTPUT -> take(i, time);
        case OPERAND, KEPT, WAITING -> {
          boolean isKept = records && entry.purpose() != Purpose.WAITING;
          if (isKept || cell.forwardReads()[i]) {
            take(i, isKept ? time : 1);
          } else {
            name(i, null, 1);
          }
        }
        default -> buffers[i] = null;
      }
    }
    execution.index(x instanceof OneHot hot ? hot.index() : null);
  }

  private void nameState(int array, Entry entry) {
    take(array, time + 1);
    Buffer first = cut(array, 0);
    Tensor part = before.get(entry.part());
    context.device().pointwise().copy(part.value(), first, floats(entry));
  }

  /** Returns the number of values of one step of an array. */
  private long floats(Entry entry) {
    return (long) entry.array().rows() * batch;
  }

  /** Returns the matrix of one step of an array. */
  private Buffer cut(int array, int step) {
    long floats = floats(cell.arrays().get(array));
    return cuts[array].of(buffer(array), floats).at(step);
  }

  private void take(int array, int steps) {
    name(array, context.scratch(program().floats(array, batch, steps)), steps);
  }

  /** Takes memory for the gradients of some steps; for 0 steps it takes none. */
  private void takeBackward(int array, int steps) {
    long floats = program().floats(array, batch, steps);
    name(array, steps == 0 ? null : context.backwardScratch(floats), Math.max(1, steps));
  }

  private void name(int array, @Nullable Buffer buffer, int steps) {
    buffers[array] = buffer;
    execution.array(array, buffer, steps);
  }

  private void draw() {
    int count = cell.program().draws() * time;
    if (count > 0) {
      seeds = seeds.length == count ? seeds : new long[count];
      for (int i = 0; i < count; i++) {
        seeds[i] = context.draw();
      }
      execution.seeds(seeds);
    }
  }

  // Results.

  private CompiledCell.Result finish() {
    Shape shape = x.shape();
    int rows = rows(cell.output());
    Shape like = shape.rank() == 1 ? Shape.of(shape.rows(), 1) : shape;
    y = context.output(like, rows, outputs(rows), takesGradient);
    outputsOfRun[0] = y;
    int count = 1;
    for (int i = 0; i < cell.states().length; i++) {
      int array = cell.states()[i];
      Tensor last = null;
      if (array != cell.output()) {
        last = context.output(shapes[i], shapes[i].rows(), cut(array, time), takesGradient);
        outputsOfRun[count++] = last;
      }
      after.set(i, last);
    }
    context.recordAll(this, outputsOfRun);
    states = states(shape);
    return this;
  }

  @Override
  public List<Tensor> states() {
    return states;
  }

  @Override
  public Tensor y() {
    return y;
  }

  /**
   * Returns the parts of the state after the last step. A list of one or two elements has no array.
   */
  private List<Tensor> states(Shape shape) {
    if (after.size() == 1) {
      return List.of(state(0, shape));
    }
    if (after.size() == 2) {
      return List.of(state(0, shape), state(1, shape));
    }
    for (int i = 0; i < parts.length; i++) {
      parts[i] = state(i, shape);
    }
    return List.of(parts);
  }

  private Tensor state(int part, Shape shape) {
    Tensor last = after.get(part);
    return last != null ? last : shape.rank() == 3 ? y.time(time - 1) : y;
  }

  /**
   * Returns the memory of all outputs. Where the outputs are states, it skips the initial state.
   */
  private Buffer outputs(int rows) {
    long step = (long) rows * batch;
    boolean isState = cell.arrays().get(cell.output()).purpose() == Purpose.STATE;
    return outputs.of(buffer(cell.output()), isState ? step : 0, step * time, step * time).at(0);
  }

  // Backward.

  @Override
  public void backward() {
    for (int i = 0; i < buffers.length; i++) {
      takeGradient(i, cell.arrays().get(i));
    }
    beginCarries();
    nameParameters(true);
    execution.backward(backwardScratch(program().backwardScratch(batch, time)));
    for (int i = 0; i < buffers.length; i++) {
      giveGradient(i, cell.arrays().get(i));
    }
    addInputProducts(batch * time);
  }

  private void takeGradient(int array, Entry entry) {
    switch (entry.purpose()) {
      case OUTPUT_GRADIENT -> name(array, y.gradient(), time);
      case GRADIENT -> takeBackward(array, gradientSteps(array));
      case CARRY -> takeBackward(array, 2);
      case PASSING, STATE_GRADIENT -> takeBackward(array, 1);
      case INPUT_GRADIENT -> takeBackward(array, x.isDifferentiable() ? time : 0);
      default -> {}
    }
  }

  private int gradientSteps(int array) {
    if (givesInput(array)) {
      return time;
    }
    return program().readsGradients(array) ? program().gradientSteps(batch, time) : 0;
  }

  /**
   * Begins the carries. The first of a part begins with the gradient of the last state, all others
   * with 0. A part that is the last output has its gradient in that of y.
   */
  private void beginCarries() {
    for (int i = 0; i < cell.carries().size(); i++) {
      List<Integer> arrays = cell.carries().get(i);
      for (int k = 0; k < arrays.size(); k++) {
        Tensor last = after.get(i);
        Buffer slot = cut(arrays.get(k), time % 2);
        long floats = floats(cell.arrays().get(arrays.get(k)));
        if (k == 0 && last != null) {
          context.device().pointwise().copy(last.gradient(), slot, floats);
        } else {
          context.device().pointwise().fill(0, slot, floats);
        }
      }
    }
  }

  private void giveGradient(int array, Entry entry) {
    if (entry.purpose() == Purpose.STATE_GRADIENT) {
      Tensor part = before.get(entry.part());
      if (part.isDifferentiable()) {
        Buffer gradient = buffer(array);
        context.device().pointwise().addScaled(1, gradient, part.accumulator(), floats(entry));
      }
    } else if (entry.purpose() == Purpose.INPUT_GRADIENT && x.isDifferentiable()) {
      long floats = floats(entry) * time;
      context.device().pointwise().addScaled(1, buffer(array), x.accumulator(), floats);
    }
  }
}

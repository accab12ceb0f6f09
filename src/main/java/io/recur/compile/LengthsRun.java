package io.recur.compile;

import io.recur.compile.Tables.Entry;
import io.recur.compile.Tables.Purpose;
import io.recur.device.Buffer;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Cuts;
import io.recur.device.memory.Slab;
import io.recur.grad.OneHot;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sequences of different lengths as one recorded operation: the program runs each stretch of steps
 * that the same sequences have, in its part of memory for all of them. Parts are named by where
 * they begin, so that lengths that never come again make no objects either.
 *
 * <p>The state between two stretches is in the tensors of the last state: a stretch reads and
 * writes their first columns, and those of the sequences that have ended stay. The gradients of
 * these tensors go back through the stretches in the same way.
 */
final class LengthsRun extends CellRun {
  private Padded lengths;

  private KernelDevice device;

  private int batch; // all sequences, also those of no step
  private int widest; // those of the first stretch
  private boolean records;
  private Tensor y;

  /** What a run records: y, then the parts of the state after each sequence's last step. */
  private Tensor[] outputs = {};

  private List<Tensor> states = List.of();

  /** The gradients of the parts of the state while a pass walks back. */
  private Buffer[] gradients = {};

  /** Where each array's part for the present stretch begins. */
  private long[] firsts = {};

  private final Cuts classes = new Cuts();
  private @Nullable Buffer description;

  // The present stretch: its sequences, its steps, and the columns before it.
  private int width;
  private int time;
  private int start;

  /** Runs all stretches. The states are in the order of these: the longest sequence first. */
  CompiledCell.Result run(
      OpContext context, CompiledCell owner, List<? extends Tensor> states, Padded x) {
    this.context = context;
    device = KernelDevice.of(context.device());
    before = states;
    lengths = x;
    this.x = x.valid();
    batch = x.shape().batch();
    widest = x.stretchBatch(0);
    records = context.tape().isRecording();
    begin(owner);
    readWeights();
    takesGradient = reachesGradient();
    takeOutputs();
    takeMemory();
    description = scratch(program().descriptionFloats());
    Buffer scratch = scratch(most(() -> program().forwardScratch(width, time)));
    for (int i = 0; i < x.stretchCount(); i++) {
      enter(i);
      nameForward(i);
      carryForward(true);
      nameParameters(false);
      execution.forward(scratch);
      carryForward(false);
      leave();
    }
    context.recordAll(this, outputs);
    this.states = listOf(outputs);
    return this;
  }

  private void begin(CompiledCell owner) {
    if (adopt(owner)) {
      int parts = cell.states().length;
      outputs = new Tensor[1 + parts];
      gradients = new Buffer[parts];
      firsts = new long[buffers.length];
    }
    Arrays.fill(firsts, 0);
    start = 0;
    shapeStates(batch);
  }

  /** The parts, without y. */
  private static List<Tensor> listOf(Tensor... outputs) {
    return outputs.length == 3
        ? List.of(outputs[1], outputs[2])
        : List.of(outputs).subList(1, outputs.length);
  }

  @Override
  public List<Tensor> states() {
    return states;
  }

  /** Rows × valid steps. */
  @Override
  public Tensor y() {
    return y;
  }

  // Memory.

  private void takeOutputs() {
    y = context.output(x.shape(), rows(cell.output()), takesGradient);
    outputs[0] = y;
    for (int i = 0; i < shapes.length; i++) {
      Tensor last = context.output(shapes[i], takesGradient);
      device.move(before.get(i).value(), 0, last.value(), 0, shapes[i].count());
      outputs[i + 1] = last;
    }
  }

  private void takeMemory() {
    for (int i = 0; i < buffers.length; i++) {
      buffers[i] =
          switch (cell.arrays().get(i).purpose()) {
            case INPUT -> cell.readsInput() ? x.value() : null;
            case OUTPUT -> y.value();
            case STATE -> context.scratch(floats(i));
            case OPERAND, KEPT, WAITING ->
                isPerStretch(i) && records || cell.forwardReads()[i]
                    ? context.scratch(floats(i))
                    : null;
            default -> null;
          };
    }
  }

  /**
   * What an array takes: the sum over the stretches where a backward pass reads it, or the most.
   */
  private long floats(int array) {
    long all = 0;
    for (int i = 0; i < lengths.stretchCount(); i++) {
      enter(i);
      long now = floatsNow(array);
      all = records && isPerStretch(array) ? all + now : Math.max(all, now);
    }
    return all;
  }

  /** What an array takes for the present stretch, in whole lines of a cache. */
  private long floatsNow(int array) {
    return Slab.padded(program().floats(array, width, steps(array)));
  }

  /** The matrices of the present stretch that an array of a forward pass has. */
  private int steps(int array) {
    Purpose purpose = cell.arrays().get(array).purpose();
    return purpose == Purpose.STATE ? time + 1 : records && isPerStretch(array) ? time : 1;
  }

  /** The most that a stretch takes, of which the sizes are the present ones meanwhile. */
  private long most(LongSupplier words) {
    long most = 0;
    for (int i = 0; i < lengths.stretchCount(); i++) {
      enter(i);
      most = Math.max(most, words.getAsLong());
    }
    return most;
  }

  // Stretches.

  /** Takes the sizes of a stretch. */
  private void enter(int stretch) {
    width = lengths.stretchBatch(stretch);
    time = lengths.stretchTime(stretch);
  }

  /** Moves on behind the present stretch. */
  private void leave() {
    start += width * time;
    for (int i = 0; records && i < firsts.length; i++) {
      firsts[i] += isPerStretch(i) ? floatsNow(i) : 0;
    }
  }

  /** Moves back to before the present stretch. */
  private void goBack() {
    start -= width * time;
    for (int i = 0; i < firsts.length; i++) {
      firsts[i] -= isPerStretch(i) ? floatsNow(i) : 0;
    }
  }

  /** Whether an array has a part of its own for each stretch, for a backward pass. */
  private boolean isPerStretch(int array) {
    return switch (cell.arrays().get(array).purpose()) {
      case STATE, OPERAND, KEPT -> true;
      default -> false;
    };
  }

  /** Names the memory of what a forward pass reads and writes. */
  private void nameForward(int stretch) {
    execution.begin(description, width, time);
    columnsAlone = execution.columnsAlone(!records);
    for (int i = 0; i < buffers.length; i++) {
      switch (cell.arrays().get(i).purpose()) {
        case INPUT, OUTPUT -> nameColumns(i);
        case STATE, OPERAND, KEPT, WAITING -> execution.array(i, buffers[i], firsts[i], steps(i));
        default -> {}
      }
    }
    if (x instanceof OneHot hot) {
      execution.index(classes.at(hot.index(), stretch, start, (long) width * time));
    }
  }

  /** Names the columns of the present stretch in an array that has all of them side by side. */
  private void nameColumns(int array) {
    execution.array(array, buffers[array], (long) start * rows(array), time);
  }

  /** Copies the state to the first step of a stretch, or from its last one, with its outputs. */
  private void carryForward(boolean begins) {
    for (int i = 0; i < shapes.length; i++) {
      int array = cell.states()[i];
      Buffer steps = buffer(array);
      Buffer state = outputs[i + 1].value();
      long words = (long) rows(array) * width;
      if (begins) {
        device.move(state, 0, steps, firsts[array], words);
      } else {
        device.move(steps, firsts[array] + time * words, state, 0, words);
      }
    }
    int array = cell.output();
    if (!begins && cell.arrays().get(array).purpose() == Purpose.STATE) {
      long words = (long) rows(array) * width;
      long at = (long) start * rows(array);
      device.move(buffer(array), firsts[array] + words, y.value(), at, time * words);
    }
  }

  // Backward.

  @Override
  public void backward() {
    takeGradients();
    Buffer scratch = backwardScratch(most(() -> program().backwardScratch(width, time)));
    for (int i = lengths.stretchCount() - 1; i >= 0; i--) {
      enter(i);
      goBack();
      nameForward(i);
      nameBackward();
      carryBack();
      nameParameters(true);
      execution.backward(scratch);
    }
    giveGradients();
    for (int i = 0; i < lengths.stretchCount(); i++) { // for a second pass
      enter(i);
      leave();
    }
  }

  private void takeGradients() {
    for (int i = 0; i < gradients.length; i++) {
      Buffer gradient = context.backwardScratch(shapes[i].count());
      device.move(outputs[i + 1].gradient(), 0, gradient, 0, shapes[i].count());
      gradients[i] = gradient;
    }
    for (int i = 0; i < buffers.length; i++) {
      Entry entry = cell.arrays().get(i);
      switch (entry.purpose()) {
        case OUTPUT_GRADIENT -> buffers[i] = outputGradient();
        case GRADIENT -> buffers[i] = backwardScratch(gradientFloats(i));
        case CARRY -> buffers[i] = backwardScratch(program().floats(i, widest, 2));
        case PASSING -> buffers[i] = backwardScratch(program().floats(i, widest, 1));
        case STATE_GRADIENT -> buffers[i] = gradients[entry.part()];
        case INPUT_GRADIENT ->
            buffers[i] = backwardScratch(x.isDifferentiable() ? columnFloats(i) : 0);
        default -> {}
      }
    }
  }

  /** A copy, where gradients of states are to be added to it. */
  private Buffer outputGradient() {
    if (cell.carries().stream().noneMatch(List::isEmpty)) {
      return y.gradient();
    }
    int count = y.shape().count();
    Buffer copy = context.backwardScratch(count);
    device.move(y.gradient(), 0, copy, 0, count);
    return copy;
  }

  /** The values of an array that has all columns side by side. */
  private long columnFloats(int array) {
    return (long) rows(array) * lengths.steps();
  }

  private long gradientFloats(int array) {
    if (givesInput(array)) {
      return columnFloats(array);
    }
    return program().readsGradients(array)
        ? most(() -> program().floats(array, width, program().gradientSteps(width, time)))
        : 0;
  }

  /** Names the memory of what a backward pass alone reads and writes. */
  private void nameBackward() {
    for (int i = 0; i < buffers.length; i++) {
      switch (cell.arrays().get(i).purpose()) {
        case OUTPUT_GRADIENT, INPUT_GRADIENT -> nameColumns(i);
        case GRADIENT -> {
          if (givesInput(i)) {
            nameColumns(i);
          } else {
            execution.array(i, buffers[i], program().gradientSteps(width, time));
          }
        }
        case CARRY -> execution.array(i, buffers[i], 2);
        case PASSING, STATE_GRADIENT -> execution.array(i, buffers[i], 1);
        default -> {}
      }
    }
  }

  /**
   * The gradient of the state after a stretch: that of the next one, or of the last state. A part
   * without a carry is the output, whose gradient takes it.
   */
  private void carryBack() {
    for (int i = 0; i < cell.carries().size(); i++) {
      List<Integer> arrays = cell.carries().get(i);
      if (arrays.isEmpty()) {
        addToOutput(gradients[i], (long) rows(cell.states()[i]) * width);
      }
      for (int k = 0; k < arrays.size(); k++) {
        Buffer slots = buffer(arrays.get(k));
        long words = (long) rows(arrays.get(k)) * width;
        if (k == 0) {
          device.move(gradients[i], 0, slots, time % 2 * words, words);
        } else {
          context.device().pointwise().fill(0, slots, 2 * words);
        }
      }
    }
  }

  /** Adds to the gradient of the last outputs of the present stretch. */
  private void addToOutput(Buffer gradient, long words) {
    for (int i = 0; i < buffers.length; i++) {
      if (cell.arrays().get(i).purpose() == Purpose.OUTPUT_GRADIENT) {
        long end = (long) (start + width * time) * rows(i);
        context
            .device()
            .pointwise()
            .addScaled(1, gradient, buffer(i).slice(end - words, words), words);
      }
    }
  }

  private void giveGradients() {
    for (int i = 0; i < gradients.length; i++) {
      Tensor part = before.get(i);
      if (part.isDifferentiable()) {
        int count = shapes[i].count();
        context.device().pointwise().addScaled(1, gradients[i], part.accumulator(), count);
      }
    }
    for (int i = 0; x.isDifferentiable() && i < buffers.length; i++) {
      if (cell.arrays().get(i).purpose() == Purpose.INPUT_GRADIENT) {
        long count = columnFloats(i);
        context.device().pointwise().addScaled(1, buffer(i), x.accumulator(), count);
      }
    }
    addInputProducts(lengths.steps());
  }
}

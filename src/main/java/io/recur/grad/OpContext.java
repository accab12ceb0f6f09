package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.device.kernels.KernelDevice;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the author of an {@link Op} uses: it checks the inputs, gives memory on their tape and
 * records the operation. Users of operations do not need it.
 *
 * <p>A context holds its {@link Tape} for the calling thread from {@code of} to {@link #close}, so
 * that no other thread clears the tape between two calls of one operation. Its methods are called
 * by that thread within that time, or within {@link Op#backward}, during which the tape is held as
 * well.
 *
 * <p>A tape has one context, so that an operation allocates none. Operations may call each other,
 * each between its {@code of} and {@code close}; one that has called others takes its inputs with
 * {@link #accept} after that. An operation that leaves no garbage in a loop is a class whose
 * objects the tape uses again, with all fields set each time:
 *
 * <pre>{@code
 * final class Negated implements Op {
 *   private Tensor x;
 *   private Tensor y;
 *
 *   Tensor of(OpContext context, Tensor x) {
 *     this.x = x;
 *     this.y = context.output(x.shape(), x.isDifferentiable());
 *     context.device().pointwise().scale(-1, x.value(), y.value(), x.shape().count());
 *     return context.record(this, y);
 *   }
 *
 *   public void backward() {
 *     x.device().pointwise().addScaled(-1, y.gradient(), x.accumulator(), x.shape().count());
 *   }
 * }
 * try (OpContext context = OpContext.of("negated", x)) {
 *   Tensor minus = context.reuse(Negated.class, Negated::new).of(context, x);
 * }
 * }</pre>
 */
public final class OpContext implements AutoCloseable {
  private final Tape tape;
  private final Values values;
  private final Recording recorded;

  /** That of the last padded batch: lengths often come again. */
  private @Nullable Packing packing;

  /** The tape's device, with the kernels that only this library calls. */
  final KernelDevice kernels;

  OpContext(Tape tape, KernelDevice kernels, Values values, Recording recorded) {
    this.tape = tape;
    this.kernels = kernels;
    this.values = values;
    this.recorded = recorded;
  }

  /**
   * Begins an operation with these inputs.
   *
   * @param where the operation's name, for errors
   * @param inputs its inputs; parameters and constants are on no tape
   * @return the context of the tape that the others are on, to be closed by the caller
   * @throws IllegalStateException if none is on a tape, or two are on different tapes or devices,
   *     or one was made before its tape was cleared, or another thread is inside the tape
   */
  public static OpContext of(String where, Tensor... inputs) {
    Tape tape = null;
    for (Tensor input : inputs) {
      tape = tape == null ? input.tape() : tape;
    }
    OpContext context = on(where, tape);
    context.begin(where);
    try {
      for (Tensor input : inputs) {
        context.accept(where, input);
      }
      return context;
    } catch (RuntimeException e) {
      context.close();
      throw e;
    }
  }

  /**
   * {@link #of(String, Tensor...)} for one input.
   *
   * @param where the operation's name, for errors
   * @param input its input
   * @return the context of its tape, to be closed by the caller
   */
  public static OpContext of(String where, Tensor input) {
    return on(where, input.tape()).beginWith(where, input, input);
  }

  /**
   * {@link #of(String, Tensor...)} for two inputs.
   *
   * @param where the operation's name, for errors
   * @param a an input
   * @param b an input
   * @return the context of the tape of those that are on one, to be closed by the caller
   */
  public static OpContext of(String where, Tensor a, Tensor b) {
    return on(where, a.tape() != null ? a.tape() : b.tape()).beginWith(where, a, b);
  }

  /**
   * Begins an operation on a given tape: its input may be a parameter, which is on none.
   *
   * @param tape where the operation is recorded
   * @param where the operation's name, for errors
   * @param input its input; {@link #accept} takes further ones
   * @return the context of the tape, to be closed by the caller
   * @throws IllegalStateException if the input is on another tape or device, or was made before the
   *     tape was cleared, or another thread is inside the tape
   */
  public static OpContext of(Tape tape, String where, Tensor input) {
    return tape.context.beginWith(where, input, input);
  }

  private static OpContext on(String where, @Nullable Tape tape) {
    if (tape == null) {
      throw new IllegalStateException(
          where + ": none of its tensors is on a tape; lift one with tape.use(parameter)");
    }
    return tape.context;
  }

  private void begin(String where) {
    tape.mark.enter();
    recorded.next();
    Trace trace = tape.trace();
    if (trace != null) {
      trace.begin(where);
    }
  }

  /** Begins with one input or two; where one is refused, the tape is left to others. */
  private OpContext beginWith(String where, Tensor a, Tensor b) {
    begin(where);
    try {
      accept(where, a);
      if (b != a) {
        accept(where, b);
      }
      return this;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void checkInside() {
    if (!tape.mark.isInside()) {
      throw new IllegalStateException(
          "operation: its context is not open on this thread; call it within"
              + " try (OpContext context = OpContext.of(…))");
    }
  }

  /**
   * Takes a further input. Refuses one of another tape or device, whose gradient would be lost, and
   * one that was made before the tape was cleared.
   *
   * @param where the operation's name, for errors
   * @param input an input of the operation
   * @throws IllegalStateException if the input is refused
   */
  public void accept(String where, Tensor input) {
    checkInside();
    Values.accept(tape, where, input);
    tape.dropped.refuse(where, input);
    if (tape.isRecording()
        && input.tape() == null
        && input.data.root.tensor instanceof Parameter parameter) {
      recorded.note(parameter); // backward is refused once it was written
    }
  }

  /** {@return the tape on which the operation is recorded; the calling thread holds it} */
  public Tape tape() {
    return tape;
  }

  /** {@return the device of the tape} */
  public Device device() {
    return tape.device();
  }

  /**
   * An object of an operation, to be recorded with new inputs and outputs: the one that was asked
   * for at this place before the last {@link Tape#clear} if it is of this class, so that a loop
   * allocates none. See the example of {@link OpContext}.
   *
   * @param <T> the operation
   * @param kind its class
   * @param maker makes one where there is none
   * @return an operation whose fields are those of the last time: set them all
   */
  public <T extends Op> T reuse(Class<T> kind, Supplier<T> maker) {
    checkInside();
    return recorded.reuse(kind, maker);
  }

  /**
   * Memory for an output, with unspecified content.
   *
   * @param shape of the output
   * @param differentiable whether a gradient must reach an input
   * @return a tensor, differentiable if asked for and the tape records
   */
  public Tensor output(Shape shape, boolean differentiable) {
    return output(shape, shape.rows(), differentiable);
  }

  /**
   * Memory for an output of as many columns as another tensor, with unspecified content.
   *
   * @param like the shape of the other
   * @param rows of the output
   * @param differentiable whether a gradient must reach an input
   * @return a tensor, differentiable if asked for and the tape records
   */
  public Tensor output(Shape like, int rows, boolean differentiable) {
    checkInside();
    tape.checkOpen();
    Tensor tensor = values.tensor(tape, like.rank(), rows, like.batch(), like.time());
    tensor.data.differentiable = differentiable && tape.isRecording();
    return tensor;
  }

  /** Memory for an output of columns, without a shape on the heap. */
  Tensor output(int rank, int rows, int batch, boolean differentiable) {
    checkInside();
    tape.checkOpen();
    Tensor tensor = values.tensor(tape, rank, rows, batch, 1);
    tensor.data.differentiable = differentiable && tape.isRecording();
    return tensor;
  }

  /** Memory for an output with another length in one dimension; of time alone it has none. */
  Tensor output(Shape like, Dimension d, int length, boolean differentiable) {
    checkInside();
    tape.checkOpen();
    Tensor tensor =
        values.tensor(
            tape,
            d == Dimension.TIME ? Math.min(2, like.rank()) : like.rank(),
            d == Dimension.ROWS ? length : like.rows(),
            d == Dimension.COLUMNS ? length : like.batch(),
            d == Dimension.TIME ? length : like.time());
    tensor.data.differentiable = differentiable && tape.isRecording();
    return tensor;
  }

  /**
   * An output of as many columns as another tensor, in memory that was taken as {@link #scratch}.
   *
   * @param like the shape of the other
   * @param rows of the output
   * @param value as many values
   * @param differentiable whether a gradient must reach an input
   * @return a tensor, differentiable if asked for and the tape records
   * @throws ShapeException if the buffer has fewer values
   * @throws IllegalStateException if the buffer is on another device
   */
  public Tensor output(Shape like, int rows, Buffer value, boolean differentiable) {
    checkInside();
    tape.checkOpen();
    if (value.device() != tape.device()) {
      throw new IllegalStateException(
          "output: the buffer is on %s and the tape on %s; take it with scratch(floats)"
              .formatted(
                  value.device().nameBeside(tape.device()),
                  tape.device().nameBeside(value.device())));
    }
    TensorData data = values.data(tape, like.rank(), rows, like.batch(), like.time());
    Tensor.checkLength("output", data.shape, value);
    data.value = value;
    data.differentiable = differentiable && tape.isRecording();
    return new Tensor(data);
  }

  /** Where the valid steps of sequences are: as in the last call where its lengths come again. */
  Packing packing(Shape shape, int... lengths) {
    Packing known = packing;
    if (known == null || !known.isOf(shape, lengths)) {
      known = Packing.of(shape, lengths).inPlaceOf(known);
      packing = known;
    }
    return known;
  }

  /** {@return the seed of the next random operation, see {@link Tape#seed}} */
  public long draw() {
    checkInside();
    return tape.draws.next();
  }

  /**
   * Memory without a gradient that lasts until {@link Tape#clear}.
   *
   * @param floats words, 1 or more
   * @return a buffer with unspecified content
   * @throws IllegalArgumentException if it is another number of words
   */
  public Buffer scratch(long floats) {
    checkInside();
    tape.checkOpen();
    return values.take(floats);
  }

  /**
   * Memory that lasts until the next backward pass begins: what an {@link Op#backward} needs.
   *
   * @param floats words, 1 or more
   * @return a buffer with unspecified content
   * @throws IllegalArgumentException if it is another number of words
   */
  public Buffer backwardScratch(long floats) {
    checkInside();
    tape.checkOpen();
    return recorded.scratch(floats);
  }

  /**
   * Records an operation with one output, if that is differentiable.
   *
   * @param op the operation
   * @param output its output
   * @return the output
   */
  public Tensor record(Op op, Tensor output) {
    checkInside();
    recorded.add(op, output);
    trace(op);
    return output;
  }

  /**
   * Records an operation with several outputs, if one is differentiable.
   *
   * @param op the operation; its backward runs when a gradient reached any of the outputs
   * @param all its outputs
   */
  public void recordAll(Op op, Tensor... all) {
    checkInside();
    recorded.addAll(op, all);
    trace(op);
  }

  private void trace(Op op) {
    Trace trace = tape.trace();
    if (trace != null) {
      op.trace(trace);
    }
  }

  /**
   * Ends the operation: leaves the tape to other threads.
   *
   * @throws IllegalStateException if the calling thread did not begin one
   */
  @Override
  public void close() {
    tape.mark.close();
  }
}

package io.recur.grad;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.device.kernels.KernelDevice;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Records operations in the order in which they run and walks them backward.
 *
 * <p>The tape owns the memory of every tensor made on it, in slabs that are rewound, never freed,
 * by {@link #clear}: a loop of forward, {@link #backward}, {@code clear} allocates no native memory
 * once it has run. The tape also uses again what it knows of its tensors and operations where the
 * next step has the same at the same places. All that is left on the Java heap is the {@link
 * Tensor} objects themselves, 16 bytes each: those of an earlier step are refused for ever.
 * Backward is a walk over an array; its depth is no limit. Gradients of parameters add up over
 * backward passes until they are zeroed; all others start at zero in each pass.
 *
 * <p>A tape is used by one thread at a time: a second thread that comes while the first is inside
 * gets an {@link IllegalStateException} that names both. Threads may use it one after the other.
 *
 * <pre>{@code
 * try (Device device = Device.cpu(); Tape tape = Tape.on(device)) {
 *   Parameter w = Parameter.of(Shape.of(1, 2), 3, 4).on(device);
 *   Tensor y = w.matmul(tape.input(new float[] {1, 2}));   // 11
 *   tape.backward(y);
 *   w.gradientArray();                                     // 1, 2
 *   tape.clear();
 * }
 * }</pre>
 */
public final class Tape implements AutoCloseable {
  private final Device device;

  /** The same device, with the kernels that only this library calls. */
  final KernelDevice kernels;

  final Values values;
  private final Residents residents = new Residents();
  final Recording recorded;
  final Draws draws = new Draws();
  private final OneThread mark =
      new OneThread(
          "tape", "give each thread a tape of its own (Tape.on(device)) and a fork (model.fork())");

  /** Room for one value on its way to the heap. */
  final float[] one = new float[1];

  private boolean recording;

  /** Written by the thread that closes, which may be another one than computes. */
  private volatile boolean open = true;

  private Tape(Device device, boolean recording) {
    this.device = device;
    this.kernels = KernelDevice.of(device);
    this.recording = recording;
    this.values = new Values(kernels.slab());
    this.recorded = new Recording(kernels.slab());
  }

  /**
   * A tape that records.
   *
   * @param device where its tensors live
   * @return a tape to be closed by the caller
   */
  public static Tape on(Device device) {
    return new Tape(device, true);
  }

  /**
   * A tape for inference: it records nothing, takes no gradients, and dropout lets all pass.
   *
   * @param device where its tensors live
   * @return a tape to be closed by the caller
   */
  public static Tape inference(Device device) {
    return new Tape(device, false);
  }

  /**
   * The device of this tape's tensors.
   *
   * @return the device
   */
  public Device device() {
    return device;
  }

  /**
   * Whether operations are recorded now.
   *
   * @return false for inference and inside {@link #withoutGradient}
   */
  public boolean isRecording() {
    return recording;
  }

  /**
   * Runs something that is not recorded; its results are constants for what comes after. A Recur
   * that runs in it keeps its state without history, as after truncate.
   *
   * @param <T> the result
   * @param body what to run
   * @return what it returned
   */
  public <T> T withoutGradient(Supplier<T> body) {
    try (var _ = enter()) {
      boolean before = recording;
      recording = false;
      try {
        return body.get();
      } finally {
        recording = before;
      }
    }
  }

  /**
   * Sets the seed of what is random on this tape (dropout). The n-th draw after it depends on the
   * seed and n alone.
   *
   * @param seed any number
   */
  public void seed(long seed) {
    try (var _ = enter()) {
      draws.seed(seed);
    }
  }

  // Inputs.

  /**
   * An input vector.
   *
   * @param x its values, copied
   * @return a vector that takes no gradient
   */
  public Tensor input(float... x) {
    try (var _ = enter()) {
      checkOpen();
      Tensor tensor = values.next(this, 1, x.length, 1, 1);
      tensor.value().write(x);
      return tensor;
    }
  }

  /**
   * An input of any shape.
   *
   * @param shape features × batch × time
   * @param x its values, first dimension contiguous, copied
   * @return a tensor that takes no gradient
   */
  public Tensor input(Shape shape, float... x) {
    try (var _ = enter()) {
      checkOpen();
      return values.input(this, shape, x);
    }
  }

  /**
   * An input for which {@link Tensor#gradient} is wanted after a backward pass.
   *
   * @param shape features × batch × time
   * @param x its values, copied
   * @return a tensor that takes a gradient, unless this tape records nothing
   */
  public Tensor variable(Shape shape, float... x) {
    try (var _ = enter()) {
      Tensor tensor = input(shape, x);
      tensor.node.differentiable = recording;
      return tensor;
    }
  }

  /**
   * One-hot columns, kept as indexes: column j is 1 at {@code index[j]} and 0 elsewhere.
   *
   * @param shape classes × batch × time, or classes × batch, or classes alone for one column
   * @param index one index a column, each 0 ≤ index &lt; classes, copied
   * @return an input that takes no gradient and multiplies as a gather
   */
  public OneHot oneHot(Shape shape, int... index) {
    try (var _ = enter()) {
      checkOpen();
      return values.oneHot(this, shape, index);
    }
  }

  // For operations.

  /**
   * Begins an operation with these inputs: gives the tape on which it records itself. An operation
   * that calls others calls them before.
   *
   * @param where the operation's name, for errors
   * @param inputs its inputs
   * @return the tape of those that have one
   * @throws IllegalStateException if none has one, or two have different ones, or one is stale
   */
  public static Tape of(String where, Tensor... inputs) {
    Tape tape = null;
    for (Tensor input : inputs) {
      tape = tape == null ? input.tape() : tape;
    }
    Tape its = on(where, tape);
    for (Tensor input : inputs) {
      its.accept(where, input);
    }
    return its;
  }

  /**
   * {@link #of(String, Tensor...)} for one input.
   *
   * @param where the operation's name, for errors
   * @param input its input
   * @return its tape
   */
  public static Tape of(String where, Tensor input) {
    Tape tape = on(where, input.tape());
    tape.accept(where, input);
    return tape;
  }

  /**
   * {@link #of(String, Tensor...)} for two inputs.
   *
   * @param where the operation's name, for errors
   * @param a an input
   * @param b an input
   * @return the tape of those that have one
   */
  public static Tape of(String where, Tensor a, Tensor b) {
    Tape tape = on(where, a.tape() != null ? a.tape() : b.tape());
    tape.accept(where, a);
    tape.accept(where, b);
    return tape;
  }

  private static Tape on(String where, @Nullable Tape tape) {
    if (tape == null) {
      throw new IllegalStateException(
          where + ": none of its tensors is on a tape; lift one with tape.use(parameter)");
    }
    try (var _ = tape.enter()) {
      tape.recorded.next();
    }
    return tape;
  }

  /**
   * Refuses a stale tensor, and one of another tape or device: its gradient would be lost. It takes
   * further inputs of an operation that {@link #of(String, Tensor)} began.
   *
   * @param where the operation's name, for errors
   * @param input an input of an operation on this tape
   */
  public void accept(String where, Tensor input) {
    Values.accept(this, where, input);
    if (recording
        && input.tape() == null
        && input.node.root.tensor instanceof Parameter parameter) {
      try (var _ = enter()) {
        recorded.note(parameter);
      }
    }
  }

  /**
   * A parameter or constant as a tensor of this tape, for an operation among parameters alone.
   *
   * @param parameter what to lift
   * @return a copy on this tape through which the gradient flows
   */
  public Tensor use(Tensor parameter) {
    checkOpen();
    return Scale.copy(this, parameter);
  }

  /**
   * An object of an operation, to be recorded with new inputs and outputs: the one that was asked
   * for at this place before the last {@link #clear} if it is of this class, so that a loop makes
   * none. See {@link Op} for an example.
   *
   * @param <T> the operation
   * @param kind its class
   * @param maker makes one where there is none
   * @return an operation whose fields are those of the last time: set them all
   */
  public <T extends Op> T reuse(Class<T> kind, Supplier<T> maker) {
    try (var _ = enter()) {
      return recorded.reuse(kind, maker);
    }
  }

  /**
   * Memory for an operation's output, with unspecified content.
   *
   * @param shape of the output
   * @param differentiable whether any input that matters is
   * @return a tensor that {@link #record} makes differentiable
   */
  public Tensor output(Shape shape, boolean differentiable) {
    return output(shape, shape.rows(), differentiable);
  }

  /**
   * Memory for an output of as many columns as another tensor, with unspecified content.
   *
   * @param like the shape of the other
   * @param rows of the output
   * @param differentiable whether any input that matters is
   * @return a tensor that {@link #record} makes differentiable
   */
  public Tensor output(Shape like, int rows, boolean differentiable) {
    try (var _ = enter()) {
      checkOpen();
      Tensor tensor = values.next(this, like.rank(), rows, like.batch(), like.time());
      tensor.node.differentiable = differentiable && recording;
      return tensor;
    }
  }

  /**
   * An output of as many columns as another tensor, in memory that was taken as {@link #scratch}.
   *
   * @param like the shape of the other
   * @param rows of the output
   * @param value as many values
   * @param differentiable whether any input that matters is
   * @return a tensor that {@link #record} makes differentiable
   * @throws ShapeException if the buffer has fewer values
   * @throws IllegalStateException if the buffer is on another device
   */
  public Tensor output(Shape like, int rows, Buffer value, boolean differentiable) {
    try (var _ = enter()) {
      checkOpen();
      if (value.device() != device) {
        throw new IllegalStateException(
            "output: the buffer is on %s and the tape on %s; take it with scratch(floats)"
                .formatted(value.device(), device));
      }
      Node node = values.node(this, like.rank(), rows, like.batch(), like.time());
      Tensor.checkLength("output", node.shape, value);
      node.value = value;
      node.differentiable = differentiable && recording;
      return new Tensor(node);
    }
  }

  /**
   * Memory that an operation needs until {@link #clear}, without a gradient.
   *
   * @param floats words, 1 or more
   * @return a buffer with unspecified content
   * @throws IllegalArgumentException if it is another number of words
   */
  public Buffer scratch(long floats) {
    try (var _ = enter()) {
      checkOpen();
      return values.take(floats);
    }
  }

  /**
   * Records an operation with one output, if it is differentiable.
   *
   * @param op the operation
   * @param output its output
   * @return the output
   */
  public Tensor record(Op op, Tensor output) {
    try (var _ = enter()) {
      recorded.add(op, output);
      return output;
    }
  }

  /**
   * Records an operation with several outputs, if one is differentiable.
   *
   * @param op the operation; its backward runs when a gradient reached any of the outputs
   * @param all its outputs
   */
  public void recordAll(Op op, Tensor... all) {
    try (var _ = enter()) {
      recorded.addAll(op, all);
    }
  }

  // Backward.

  /**
   * Gives every tensor and parameter that the loss was computed from its gradient.
   *
   * @param loss a scalar of this tape
   * @throws ShapeException if it is no scalar
   */
  public void backward(Tensor loss) {
    if (loss.shape().count() != 1) {
      throw new ShapeException(
          "backward: loss=%s; need one value: take its sum or mean, or give a gradient"
              .formatted(loss.shape()));
    }
    try (var _ = enter()) {
      checkOpen();
      device.pointwise().fill(1, recorded.begin(this, loss, 1), 1);
      recorded.walkBack();
    }
  }

  /**
   * Walks backward from a tensor of any shape.
   *
   * @param y a differentiable tensor of this tape
   * @param dy the gradient of y, as many values as it has
   */
  public void backward(Tensor y, float... dy) {
    try (var _ = enter()) {
      checkOpen();
      recorded.begin(this, y, dy.length).write(dy);
      recorded.walkBack();
    }
  }

  /**
   * Scratch memory for the time of one backward pass.
   *
   * @param floats words, 1 or more
   * @return a buffer with unspecified content
   * @throws IllegalArgumentException if it is another number of words
   */
  public Buffer backwardScratch(long floats) {
    try (var _ = enter()) {
      checkOpen();
      return recorded.scratch(floats);
    }
  }

  // Lifetimes.

  /**
   * Holds this tape for the calling thread until the result is closed. Each method of a tape and of
   * its tensors does so while it runs; an operation of one's own that calls several holds it
   * throughout, so that no other thread clears the tape between two of them.
   *
   * <pre>{@code
   * try (var _ = tape.enter()) {
   *   Tensor y = tape.output(x.shape(), x.isDifferentiable());
   *   tape.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
   * }
   * }</pre>
   *
   * @return to be closed by the same thread; null where it holds this tape already
   * @throws IllegalStateException if another thread is inside
   */
  public @Nullable OneThread enter() {
    return mark.enterOnce();
  }

  /**
   * Notes that something holds a tensor of this tape, so that {@link #clear} can refuse.
   *
   * @param resident who holds it
   */
  public void hold(Resident resident) {
    try (var _ = enter()) {
      residents.add(resident);
    }
  }

  /**
   * Takes {@link #hold} back.
   *
   * @param resident who held
   */
  public void release(Resident resident) {
    try (var _ = enter()) {
      residents.remove(resident);
    }
  }

  /**
   * Forgets all operations and makes the memory of all tensors free for reuse; none of them may be
   * used any more.
   *
   * @throws IllegalStateException if a Recur still holds a state with history, naming it and the
   *     call that is missing; the tape is then unchanged
   */
  public void clear() {
    try (var _ = enter()) {
      checkOpen();
      residents.refuseClear();
      recorded.clear();
      values.clear();
    }
  }

  /**
   * The native memory held by this tape.
   *
   * @return bytes
   */
  public long bytes() {
    return values.bytes() + recorded.bytes();
  }

  /**
   * The operations recorded since the last {@link #clear}.
   *
   * @return their number
   */
  public int length() {
    return recorded.length();
  }

  /**
   * Refuses further use and gives all memory back; a second call does nothing. A tape that nobody
   * closes is freed when nothing refers to it any more.
   *
   * @throws IllegalStateException if another thread computes on this tape: its present call ends as
   *     ever, each later one is refused, and a later {@code close} gives the memory back
   */
  @Override
  public void close() {
    open = false;
    try (var _ = enter()) {
      residents.clear();
      values.close(); // throws before anything is freed: what a call reads lies here as well
      recorded.close();
    }
  }

  /**
   * Whether tensors made now can be used.
   *
   * @return false after {@link #close}
   */
  public boolean isOpen() {
    return open;
  }

  private void checkOpen() {
    if (!open) {
      throw new IllegalStateException("tape: it is closed; open a new one with Tape.on(device)");
    }
    device.checkOpen();
  }

  /** Refuses a tensor of this tape that was made before it was cleared. */
  void check(Tensor tensor) {
    checkOpen();
    if (!tensor.isCurrent()) {
      throw new IllegalStateException(
          "tensor: %s was made before the tape was cleared; copy what must last with toArray()"
              .formatted(tensor.shape()));
    }
  }
}

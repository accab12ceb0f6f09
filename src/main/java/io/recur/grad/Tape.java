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
 * <p>The tape owns the memory of its tensors, in slabs that {@link #clear} rewinds and does not
 * free: after its first round, a loop of forward, {@link #backward} and {@code clear} allocates no
 * native memory. Where a step has the same operations and shapes as the one before, the tape reuses
 * its Java objects too, all but the {@link Tensor} objects of 16 bytes: those of an earlier step
 * stay refused. A backward pass is a loop over an array, so that long histories need no deep stack.
 * Gradients of parameters add up over backward passes until they are zeroed; all others start at
 * zero in each pass.
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
  final Values values;
  private final Residents residents = new Residents();
  final Recording recorded;
  final Draws draws = new Draws();
  final DroppedWeights dropped = new DroppedWeights();

  /** The one context that all operations of this tape use. */
  final OpContext context;

  final OneThread mark =
      new OneThread(
          "tape", "give each thread a tape of its own (Tape.on(device)) and a fork (model.fork())");

  /** The memory into which {@link Tensor#scalar} reads. */
  final float[] one = new float[1];

  private boolean recording;

  /** Records the operations of a step for a compiler, on a tape that serves nothing else. */
  private @Nullable Trace trace;

  /** Written by the thread that closes, which may be another one than that which computes. */
  private volatile boolean open = true;

  private Tape(Device device, boolean recording) {
    KernelDevice kernels = KernelDevice.of(device);
    this.device = device;
    this.recording = recording;
    this.values = new Values(kernels.slab());
    this.recorded = new Recording(kernels.slab());
    this.context = new OpContext(this, kernels, values, recorded);
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
   * A tape for inference: it records nothing, takes no gradients, and dropout drops nothing.
   *
   * @param device where its tensors live
   * @return a tape to be closed by the caller
   */
  public static Tape inference(Device device) {
    return new Tape(device, false);
  }

  /** {@return the device of this tape's tensors} */
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
   * Runs operations without recording them; their results are constants afterwards. A Recur that
   * runs in it keeps its state without history, as after truncate.
   *
   * @param <T> the result
   * @param body the operations
   * @return the result of the body
   */
  public <T> T withoutGradient(Supplier<T> body) {
    try (var _ = enter()) {
      refuseTrace("withoutGradient", "it cuts gradients within a step");
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
   * Sets the seed of the random operations of this tape (dropout). The n-th of them after it
   * depends on the seed and n alone.
   *
   * @param seed any number
   */
  public void seed(long seed) {
    try (var _ = enter()) {
      refuseTrace("seed", "it changes the random numbers within a step");
      draws.seed(seed);
    }
  }

  /**
   * An input vector.
   *
   * @param x its values, copied
   * @return a vector that takes no gradient
   */
  public Tensor input(float... x) {
    try (var _ = enter()) {
      refuseTrace("input", "its values may differ from call to call; make it a Parameter.fixed");
      Tensor tensor = values.tensor(this, 1, x.length, 1, 1);
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
      refuseTrace("input", "its values may differ from call to call; make it a Parameter.fixed");
      return values.input(this, shape, x);
    }
  }

  /**
   * An input whose values stay where they are: no copy. Operations read what the buffer holds when
   * they run. Once the buffer, or another part of its memory, is written, no backward pass is
   * possible until the tape is cleared.
   *
   * @param shape features × batch × time
   * @param x at least as many values, first dimension contiguous, owned by the caller until the
   *     tape is cleared
   * @return a tensor that takes no gradient
   * @throws ShapeException if the buffer has fewer values than the shape
   * @throws IllegalStateException if the buffer is on another device, or its owner is closed
   */
  public Tensor wrap(Shape shape, Buffer x) {
    try (var _ = enter()) {
      refuseTrace("wrap", "its values may differ from call to call; make it a Parameter.fixed");
      return values.wrap(this, shape, x);
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
      tensor.data.differentiable = recording;
      return tensor;
    }
  }

  /**
   * One-hot columns, stored as indexes: column j is 1 at {@code index[j]} and 0 elsewhere.
   *
   * @param shape classes × batch × time, or classes × batch, or classes alone for one column
   * @param index one index per column, each 0 ≤ index &lt; classes, copied
   * @return an input that takes no gradient; {@code W.matmul} of it gathers columns of W
   */
  public OneHot oneHot(Shape shape, int... index) {
    try (var _ = enter()) {
      refuseTrace("oneHot", "its values may differ from call to call; make it a Parameter.fixed");
      return values.oneHot(this, shape, index);
    }
  }

  /**
   * A parameter or constant as a tensor of this tape: an operation needs one input on a tape.
   *
   * @param parameter a tensor that is on no tape, or on this one
   * @return a copy that passes its gradient on
   */
  public Tensor use(Tensor parameter) {
    checkOpen();
    return Affine.copy(this, parameter);
  }

  // Backward.

  /**
   * Computes the gradient of the loss with respect to every tensor and parameter that it was
   * computed from.
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
      refuseTrace("backward", "it runs within a step");
      values.checkWrapped();
      device.pointwise().fill(1, recorded.begin(this, loss, 1), 1);
      recorded.walkBack();
    }
  }

  /**
   * Computes gradients from a tensor of any shape, given its own gradient.
   *
   * @param y a differentiable tensor of this tape
   * @param dy the gradient of y, as many values as it has
   */
  public void backward(Tensor y, float... dy) {
    try (var _ = enter()) {
      refuseTrace("backward", "it runs within a step");
      values.checkWrapped();
      recorded.begin(this, y, dy.length).write(dy);
      recorded.walkBack();
    }
  }

  // Traces.

  /**
   * Whether a step is being traced: this tape and its tensors last no longer than that step, and no
   * state may be kept on it. See {@link Trace}.
   *
   * @return false for a tape that a user made
   */
  public boolean isTracing() {
    return trace != null;
  }

  @Nullable Trace trace() {
    return trace;
  }

  void trace(Trace its) {
    trace = its;
  }

  private void refuseTrace(String call, String why) {
    checkOpen();
    if (trace != null) {
      trace.refuse(call, why);
    }
  }

  // Lifetimes.

  /**
   * Holds this tape for the calling thread until the result is closed. Each method of a tape and of
   * its tensors does so while it runs; a caller of several holds it throughout, so that no other
   * thread clears the tape between two of them.
   *
   * <pre>{@code
   * try (var _ = tape.enter()) {
   *   tape.backward(model.apply(x).sum());
   *   model.truncate();
   *   tape.clear();
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
   * Notes a holder of a tensor of this tape: {@link #clear} is refused until it is released.
   *
   * @param resident the holder
   */
  public void hold(Resident resident) {
    try (var _ = enter()) {
      refuseTrace("hold", "the step keeps a tensor; return it as a part of the state");
      residents.add(resident);
    }
  }

  /**
   * Ends what {@link #hold} began.
   *
   * @param resident the holder
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
      refuseTrace("clear", "it clears the tape within a step");
      residents.refuseClear();
      recorded.clear();
      values.clear();
      dropped.clear();
    }
  }

  /** {@return the bytes of native memory that this tape holds} */
  public long bytes() {
    return values.bytes() + recorded.bytes();
  }

  /** {@return the number of operations recorded since the last {@link #clear}} */
  public int length() {
    return recorded.length();
  }

  /**
   * Refuses further use and gives all memory back; a second call does nothing. A tape that nobody
   * closes is freed when it is unreachable.
   *
   * @throws IllegalStateException if another thread computes on this tape: its present call ends
   *     normally, each later one is refused, and a later {@code close} gives the memory back
   */
  @Override
  public void close() {
    open = false;
    try (var _ = enter()) {
      residents.clear();
      values.close(); // throws while a kernel reads the values, before anything is freed
      recorded.close();
    }
  }

  /** {@return whether this tape is open: false after {@link #close}} */
  public boolean isOpen() {
    return open;
  }

  @Override
  public String toString() {
    String kind = open ? (recording ? "recording" : "inference") : "closed";
    return "Tape(%s, %s, %d operations)".formatted(device, kind, length());
  }

  void checkOpen() {
    if (!open) {
      throw new IllegalStateException(
          trace == null
              ? "tape: it is closed; open a new one with Tape.on(device)"
              : "tape: it is that of a traced step, which has kept a tensor; return the tensor as a"
                  + " part of the state, or call stepwise() on the Recur");
    }
    device.checkOpen();
  }
}

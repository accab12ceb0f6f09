package io.recur.grad;

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
  final Values values;
  private final Residents residents = new Residents();
  final Recording recorded;
  final Draws draws = new Draws();

  /** What operations use; one for all of them. */
  final OpContext context;

  final OneThread mark =
      new OneThread(
          "tape", "give each thread a tape of its own (Tape.on(device)) and a fork (model.fork())");

  /** Room for one value on its way to the heap. */
  final float[] one = new float[1];

  private boolean recording;

  /** Written by the thread that closes, which may be another one than computes. */
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
      tensor.data.differentiable = recording;
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

  void checkOpen() {
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

package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import java.util.List;

/**
 * A learnt vector per class: {@code y = W·x}, with W out × classes and {@linkplain
 * io.recur.grad.OneHot one-hot} columns x, computed as a gather.
 *
 * <pre>{@code
 * Chain model = chain(embedding(100, 16), lstm(16, 64), dense(64, 100));
 * Tensor y = model.apply(tape.oneHot(Shape.of(100, batch, time), indexes));
 * }</pre>
 */
public final class Embedding implements Layer {
  private final Parameter w;

  /**
   * An embedding with Glorot uniform vectors.
   *
   * @param classes their number
   * @param out length of a vector
   */
  public Embedding(int classes, int out) {
    this(Parameter.glorot(out, classes));
  }

  /**
   * An embedding from its vectors.
   *
   * @param w out × classes
   * @throws ShapeException if it is no matrix
   */
  public Embedding(Parameter w) {
    if (w.shape().rank() != 2) {
      throw new ShapeException("Embedding: W=%s; need out × classes".formatted(w.shape()));
    }
    this.w = w.named("W");
  }

  @Override
  public Tensor apply(Tensor x) {
    return w.matmul(x);
  }

  @Override
  public Padded apply(Padded x) {
    return x.map(this::apply);
  }

  @Override
  public List<Parameter> own() {
    return List.of(w);
  }

  @Override
  public Embedding on(Device device, long seed) {
    parameters().place(device, seed);
    return this;
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public String describe() {
    return "Embedding(" + w.shape().columns() + " => " + w.shape().rows() + ")";
  }

  @Override
  public String toString() {
    return Printed.of(this);
  }
}

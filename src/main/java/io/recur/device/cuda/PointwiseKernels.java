package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import io.recur.device.Pointwise;

/** Elementwise passes, see {@code native/cuda/pointwise.cu}. */
final class PointwiseKernels implements Pointwise {
  private final Queue queue;
  private final Scratch scratch;

  PointwiseKernels(Queue queue, Scratch scratch) {
    this.queue = queue;
    this.scratch = scratch;
  }

  @Override
  public void fill(float value, Buffer y, long n) {
    queue.kernel(Kernel.FILL).real(value).pointer(y.target(n)).integer(n).over(n);
  }

  @Override
  public void copy(Buffer x, Buffer y, long n) {
    queue.kernel(Kernel.COPY).pointer(x.segment(n)).pointer(y.target(n)).integer(n).overFours(n);
  }

  @Override
  public void scale(float alpha, Buffer x, Buffer y, long n) {
    queue
        .kernel(Kernel.AFFINE)
        .upload(alpha, -0f)
        .pointer(x.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void addScaled(float alpha, Buffer x, Buffer y, long n) {
    combine(y, alpha, x, y, n);
  }

  @Override
  public void combine(Buffer a, float alpha, Buffer b, Buffer y, long n) {
    queue
        .kernel(Kernel.COMBINE)
        .pointer(a.segment(n))
        .real(alpha)
        .pointer(b.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void multiply(Buffer a, Buffer b, Buffer y, long n) {
    product(Kernel.MULTIPLY, a, b, y, n);
  }

  @Override
  public void addProduct(Buffer a, Buffer b, Buffer y, long n) {
    product(Kernel.ADD_PRODUCT, a, b, y, n);
  }

  private void product(Kernel kernel, Buffer a, Buffer b, Buffer y, long n) {
    queue
        .kernel(kernel)
        .pointer(a.segment(n))
        .pointer(b.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void map(Elementwise f, Buffer x, Buffer y, long n) {
    queue
        .kernel(Kernel.MAP)
        .integer(f.ordinal())
        .pointer(x.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }

  @Override
  public void addDerivative(Elementwise f, Buffer x, Buffer y, Buffer dy, Buffer dx, long n) {
    queue
        .kernel(Kernel.ADD_DERIVATIVE)
        .integer(f.ordinal())
        .pointer(x.segment(n))
        .pointer(y.segment(n))
        .pointer(dy.segment(n))
        .pointer(dx.target(n))
        .integer(n)
        .over(n);
  }

  @Override
  public void drop(float rate, long seed, boolean accumulate, Buffer x, Buffer y, long n) {
    queue
        .kernel(Kernel.DROP)
        .real(rate)
        .upload(seed)
        .integer(accumulate ? 1 : 0)
        .pointer(x.segment(n))
        .pointer(y.target(n))
        .integer(n)
        .over(n);
  }

  @Override
  public double sum(Buffer x, long n) {
    return scratch.read(false, x, n);
  }

  @Override
  public double sumOfSquares(Buffer x, long n) {
    return scratch.read(true, x, n);
  }

  @Override
  public void sumInto(float alpha, Buffer x, long n, Buffer y) {
    synchronized (queue) {
      int parts = scratch.sum(false, x, n);
      scratch.sumInto(alpha, 1, parts, y.target(1));
    }
  }

  @Override
  public void addBroadcast(float alpha, Buffer s, Buffer y, long n) {
    queue
        .kernel(Kernel.ADD_BROADCAST)
        .real(alpha)
        .pointer(s.segment(1))
        .pointer(y.target(n))
        .integer(n)
        .overFours(n);
  }
}

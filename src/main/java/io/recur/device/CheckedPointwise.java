package io.recur.device;

/**
 * The public edge of the elementwise kernels. It checks the device and the length of each buffer,
 * then calls a kernel that relies on these checks.
 */
final class CheckedPointwise implements Pointwise {
  private final Device device;
  private final Pointwise kernels;

  CheckedPointwise(Device device, Pointwise kernels) {
    this.device = device;
    this.kernels = kernels;
  }

  private void check(String where, long n, Buffer buffer) {
    device.accept(where, buffer, n);
  }

  @Override
  public void fill(float value, Buffer y, long n) {
    check("fill", n, y);
    try {
      kernels.fill(value, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, y);
    }
  }

  @Override
  public void copy(Buffer x, Buffer y, long n) {
    check("copy", n, x);
    check("copy", n, y);
    try {
      kernels.copy(x, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void scale(float alpha, Buffer x, Buffer y, long n) {
    check("scale", n, x);
    check("scale", n, y);
    try {
      kernels.scale(alpha, x, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void addScaled(float alpha, Buffer x, Buffer y, long n) {
    check("addScaled", n, x);
    check("addScaled", n, y);
    try {
      kernels.addScaled(alpha, x, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void combine(Buffer a, float alpha, Buffer b, Buffer y, long n) {
    check("combine", n, a);
    check("combine", n, b);
    check("combine", n, y);
    try {
      kernels.combine(a, alpha, b, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, a, b, y);
    }
  }

  @Override
  public void multiply(Buffer a, Buffer b, Buffer y, long n) {
    check("multiply", n, a);
    check("multiply", n, b);
    check("multiply", n, y);
    try {
      kernels.multiply(a, b, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, a, b, y);
    }
  }

  @Override
  public void addProduct(Buffer a, Buffer b, Buffer y, long n) {
    check("addProduct", n, a);
    check("addProduct", n, b);
    check("addProduct", n, y);
    try {
      kernels.addProduct(a, b, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, a, b, y);
    }
  }

  @Override
  public void map(Elementwise f, Buffer x, Buffer y, long n) {
    check("map", n, x);
    check("map", n, y);
    try {
      kernels.map(f, x, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void addDerivative(Elementwise f, Buffer x, Buffer y, Buffer dy, Buffer dx, long n) {
    check("addDerivative", n, x);
    check("addDerivative", n, y);
    check("addDerivative", n, dy);
    check("addDerivative", n, dx);
    try {
      kernels.addDerivative(f, x, y, dy, dx, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y, dy, dx);
    }
  }

  @Override
  public void drop(float rate, long seed, boolean accumulate, Buffer x, Buffer y, long n) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("drop: rate=" + rate + "; need 0 ≤ rate < 1");
    }
    check("drop", n, x);
    check("drop", n, y);
    try {
      kernels.drop(rate, seed, accumulate, x, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public double sum(Buffer x, long n) {
    check("sum", n, x);
    try {
      return kernels.sum(x, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x);
    }
  }

  @Override
  public double sumOfSquares(Buffer x, long n) {
    check("sumOfSquares", n, x);
    try {
      return kernels.sumOfSquares(x, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x);
    }
  }

  @Override
  public void sumInto(float alpha, Buffer x, long n, Buffer y) {
    check("sumInto", n, x);
    check("sumInto", 1, y);
    try {
      kernels.sumInto(alpha, x, n, y);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, x, y);
    }
  }

  @Override
  public void addBroadcast(float alpha, Buffer s, Buffer y, long n) {
    check("addBroadcast", 1, s);
    check("addBroadcast", n, y);
    try {
      kernels.addBroadcast(alpha, s, y, n);
    } catch (IllegalStateException e) {
      throw Buffer.closed(e, s, y);
    }
  }
}

package io.recur.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import io.recur.device.Pointwise;
import java.lang.foreign.MemorySegment;

/** Elementwise kernels. Arithmetic loops over segments; functions work tile by tile. */
final class JavaPointwise implements Pointwise {
  private final ThreadLocal<Workspace> workspaces;

  JavaPointwise(ThreadLocal<Workspace> workspaces) {
    this.workspaces = workspaces;
  }

  /** {@return n as an int: the JIT vectorises only loops that count in int} */
  static int count(String where, long n) {
    if (n > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s: %d values; the Java kernels take at most %d per call: call it slice by slice, or use"
                  .formatted(where, n, Integer.MAX_VALUE)
              + " the C kernels (make native)");
    }
    return (int) n;
  }

  @Override
  public void fill(float value, Buffer y, long n) {
    MemorySegment to = y.target();
    if (value == 0) {
      MemorySegment part = n == y.floats() ? to : to.asSlice(0, n * Float.BYTES);
      part.fill((byte) 0);
      return;
    }
    int count = count("fill", n);
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_FLOAT, i, value);
    }
  }

  @Override
  public void copy(Buffer x, Buffer y, long n) {
    MemorySegment.copy(x.segment(), 0, y.target(), 0, n * Float.BYTES);
  }

  @Override
  public void scale(float alpha, Buffer x, Buffer y, long n) {
    int count = count("scale", n);
    MemorySegment from = x.segment();
    MemorySegment to = y.target();
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_FLOAT, i, alpha * from.getAtIndex(JAVA_FLOAT, i));
    }
  }

  @Override
  public void addScaled(float alpha, Buffer x, Buffer y, long n) {
    combine("addScaled", y, alpha, x, y, n);
  }

  @Override
  public void combine(Buffer a, float alpha, Buffer b, Buffer y, long n) {
    combine("combine", a, alpha, b, y, n);
  }

  private static void combine(String where, Buffer a, float alpha, Buffer b, Buffer y, long n) {
    int count = count(where, n);
    MemorySegment first = a.segment();
    MemorySegment second = b.segment();
    MemorySegment to = y.target();
    for (int i = 0; i < count; i++) {
      float sum = first.getAtIndex(JAVA_FLOAT, i) + alpha * second.getAtIndex(JAVA_FLOAT, i);
      to.setAtIndex(JAVA_FLOAT, i, sum);
    }
  }

  @Override
  public void multiply(Buffer a, Buffer b, Buffer y, long n) {
    int count = count("multiply", n);
    MemorySegment first = a.segment();
    MemorySegment second = b.segment();
    MemorySegment to = y.target();
    for (int i = 0; i < count; i++) {
      float product = first.getAtIndex(JAVA_FLOAT, i) * second.getAtIndex(JAVA_FLOAT, i);
      to.setAtIndex(JAVA_FLOAT, i, product);
    }
  }

  @Override
  public void addProduct(Buffer a, Buffer b, Buffer y, long n) {
    int count = count("addProduct", n);
    MemorySegment first = a.segment();
    MemorySegment second = b.segment();
    MemorySegment to = y.target();
    for (int i = 0; i < count; i++) {
      float product = first.getAtIndex(JAVA_FLOAT, i) * second.getAtIndex(JAVA_FLOAT, i);
      to.setAtIndex(JAVA_FLOAT, i, to.getAtIndex(JAVA_FLOAT, i) + product);
    }
  }

  @Override
  public void map(Elementwise f, Buffer x, Buffer y, long n) {
    JavaFunction function = JavaFunction.of(f);
    Workspace work = workspaces.get();
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] input = work.load(0, x, at, tile);
      float[] output = work.array(1, tile);
      function.value(work, input, output, tile);
      Workspace.store(output, 0, y, at, tile);
    }
  }

  @Override
  public void addDerivative(Elementwise f, Buffer x, Buffer y, Buffer dy, Buffer dx, long n) {
    JavaFunction function = JavaFunction.of(f);
    Workspace work = workspaces.get();
    float[] derivative = work.array(4, Workspace.TILE);
    for (long at = 0; at < n; at += Workspace.TILE) {
      int tile = (int) Math.min(Workspace.TILE, n - at);
      float[] input = work.load(0, x, at, tile);
      float[] output = work.load(1, y, at, tile);
      float[] upstream = work.load(2, dy, at, tile);
      float[] sum = work.load(3, dx, at, tile);
      function.derivative(work, input, output, derivative, tile);
      for (int i = 0; i < tile; i++) {
        sum[i] += upstream[i] * derivative[i];
      }
      Workspace.store(sum, 0, dx, at, tile);
    }
  }

  @Override
  public void drop(float rate, long seed, boolean accumulate, Buffer x, Buffer y, long n) {
    int count = count("drop", n);
    MemorySegment from = x.segment();
    MemorySegment to = y.target();
    float kept = 1 / (1 - rate);
    int threshold = (int) (rate * (1 << 24));
    for (int i = 0; i < count; i++) {
      boolean keep = coin(seed, i) >= threshold;
      float value = keep ? kept * from.getAtIndex(JAVA_FLOAT, i) : 0;
      float old = accumulate ? to.getAtIndex(JAVA_FLOAT, i) : 0;
      to.setAtIndex(JAVA_FLOAT, i, old + value);
    }
  }

  /** 24 uniform bits from a seed and a counter: the finaliser of SplitMix64. */
  static int coin(long seed, int i) {
    long z = seed + (i + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (int) ((z ^ (z >>> 31)) >>> 40);
  }

  @Override
  public double sum(Buffer x, long n) {
    int count = count("sum", n);
    MemorySegment from = x.segment();
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += from.getAtIndex(JAVA_FLOAT, i);
    }
    return sum;
  }

  @Override
  public double sumOfSquares(Buffer x, long n) {
    int count = count("sumOfSquares", n);
    MemorySegment from = x.segment();
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0; // four chains: a sum in one chain waits for each addition
    int i = 0;
    for (; i + 3 < count; i += 4) {
      a += square(from.getAtIndex(JAVA_FLOAT, i));
      b += square(from.getAtIndex(JAVA_FLOAT, i + 1));
      c += square(from.getAtIndex(JAVA_FLOAT, i + 2));
      d += square(from.getAtIndex(JAVA_FLOAT, i + 3));
    }
    for (; i < count; i++) {
      a += square(from.getAtIndex(JAVA_FLOAT, i));
    }
    return a + b + c + d;
  }

  private static double square(double x) {
    return x * x;
  }

  @Override
  public void sumInto(float alpha, Buffer x, long n, Buffer y) {
    y.target().set(JAVA_FLOAT, 0, (float) (alpha * sum(x, n)));
  }

  @Override
  public void addBroadcast(float alpha, Buffer s, Buffer y, long n) {
    int count = count("addBroadcast", n);
    float value = alpha * s.segment().get(JAVA_FLOAT, 0);
    MemorySegment to = y.target();
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_FLOAT, i, to.getAtIndex(JAVA_FLOAT, i) + value);
    }
  }
}

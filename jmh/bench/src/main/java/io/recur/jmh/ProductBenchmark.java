package io.recur.jmh;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Matrix products of the device: m×n×k as {@code shape}; the recurrent product of LSTMs, one
 * column, and a large square one for the machine's own limit.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProductBenchmark {
  @Param({"256x1x64", "1024x1x256", "1024x32x256", "2048x64x512", "1024x1024x1024"})
  String shape;

  private Device device;
  private Buffer a;
  private Buffer b;
  private Buffer c;
  private int m;
  private int n;
  private int k;

  @Setup
  public void setUp() {
    String[] sizes = shape.split("x");
    m = Integer.parseInt(sizes[0]);
    n = Integer.parseInt(sizes[1]);
    k = Integer.parseInt(sizes[2]);
    device = Device.cpu();
    float[] left = Check.random(m * k, 1);
    float[] right = Check.random(k * n, 2);
    a = device.allocate(left.length);
    b = device.allocate(right.length);
    c = device.allocate((long) m * n);
    a.write(left);
    b.write(right);
    product();
    double[] column = new double[m];
    for (int t = 0; t < k; t++) {
      for (int i = 0; i < m; i++) {
        column[i] += (double) left[i + t * m] * right[t];
      }
    }
    Check.close("product " + shape, c.slice(0, m).read(), column, 1e-4);
  }

  @Benchmark
  public Buffer product() {
    KernelDevice.of(device).blas().multiply(false, false, m, n, k, 1, a, m, b, k, 0, c, m);
    return c;
  }

  @TearDown
  public void tearDown() {
    device.close();
  }
}

package io.recur.jmh;

import io.recur.device.Device;
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

/** Single native calls from Java on one thread; {@link PanamaAgainstC} compares them with C's. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class PanamaBenchmark {
  @Param({"sgemm", "sgemv", "forward"})
  String routine;

  @Param({"1", "16", "64", "512", "2048"})
  int size;

  private Device device;
  private NativeCall call;

  @Setup
  public void setUp() {
    device = Device.cpu(1);
    if (routine.equals("forward") && !NativeCall.hasKernels(device)) {
      throw new IllegalStateException(
          "forward: there are no C kernels here; build with make native");
    }
    call = NativeCall.of(routine, size, device);
    call.check();
  }

  @Benchmark
  public void call() {
    call.call(1);
  }

  @TearDown
  public void tearDown() {
    call.close();
    device.close();
  }
}

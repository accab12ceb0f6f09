package io.recur.jmh;

import io.recur.device.Device;
import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Attention;
import java.util.ArrayList;
import java.util.List;
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
 * Attention of many queries in one call, and query after query: contexts and gradients over an
 * encoder's outputs of different lengths.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class AttentionBenchmark {
  private static final int UNITS = 128;

  @Param({"bahdanau", "luong", "dot"})
  String kind;

  /** batch x steps x queries. */
  @Param({"32x50x50", "8x200x20"})
  String shape;

  private Device device;
  private Tape tape;
  private Attention attention;
  private Shape memory;
  private Shape queries;
  private float[] m;
  private float[] q;
  private int[] lengths;

  @Setup
  public void setUp() {
    String[] sizes = shape.split("x");
    int batch = Integer.parseInt(sizes[0]);
    memory = Shape.of(UNITS, batch, Integer.parseInt(sizes[1]));
    queries = Shape.of(UNITS, batch, Integer.parseInt(sizes[2]));
    device = Device.cpu();
    tape = Tape.on(device);
    attention =
        switch (kind) {
          case "bahdanau" -> Attention.bahdanau(UNITS, UNITS, UNITS);
          case "luong" -> Attention.luong(UNITS, UNITS);
          default -> Attention.dot();
        };
    attention.on(device, 1);
    m = Check.random(memory.count(), 2);
    q = Check.random(queries.count(), 3);
    lengths = new int[batch];
    for (int b = 0; b < batch; b++) {
      lengths[b] = memory.time() - b * memory.time() / (2 * batch);
    }
    float[] expected = oneByOne();
    Check.close("gradient of the queries, " + kind, together(), Check.widen(expected), 1e-4);
  }

  private float[] gradient(boolean isTogether) {
    Tensor query = tape.variable(queries, q);
    Attention.Memory over = attention.memory(Padded.of(tape.variable(memory, m), lengths));
    List<Tensor> contexts = new ArrayList<>();
    for (int s = 0; !isTogether && s < queries.time(); s++) {
      contexts.add(over.context(query.time(s)));
    }
    Tensor context = isTogether ? over.context(query) : Concat.time(contexts);
    tape.backward(context.mul(context).sum());
    float[] gradient = query.gradientArray();
    attention.parameters().zeroGradients();
    tape.clear();
    return gradient;
  }

  @Benchmark
  public float[] together() {
    return gradient(true);
  }

  @Benchmark
  public float[] oneByOne() {
    return gradient(false);
  }

  @TearDown
  public void tearDown() {
    tape.close();
    device.close();
  }
}

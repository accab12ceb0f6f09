package io.recur.jmh;

import io.recur.io.json.Json;
import io.recur.io.json.Numbers;
import java.util.Map;
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
import org.openjdk.jmh.annotations.Warmup;

/** The 512 values of a step as JSON: as Java writes floats, and with the 17 digits of Python's. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class JsonBenchmark {
  private static final int VALUES = 512;
  private static final int LEVELS = 16;

  @Param({"Java", "Python"})
  String writer;

  private String text;

  @Setup
  public void setUp() {
    float[] values = Check.random(VALUES, 1);
    StringBuilder json = new StringBuilder("{\"data\": [");
    for (int i = 0; i < VALUES; i++) {
      json.append(i == 0 ? "" : ", ");
      if (writer.equals("Java")) {
        json.append(values[i]);
      } else {
        json.append((double) values[i]);
      }
    }
    text = json.append("]}").toString();
    Numbers read = (Numbers) read().get("data");
    for (int i = 0; i < VALUES; i++) {
      if ((float) read.at(i) != values[i]) {
        throw new IllegalStateException(
            "value %d: read %s, need %s".formatted(i, read.at(i), values[i]));
      }
    }
  }

  @Benchmark
  public Map<String, Object> read() {
    return Json.read(text, LEVELS);
  }
}

package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.attribute;
import static io.recur.io.onnx.Proto.attributes;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A convolution over two dimensions, of which the taps have one alone, is one over time. */
class FlatConvolutionTest {
  private static final int BATCH = 2;
  private static final int IN = 4;
  private static final int OUT = 6;
  private static final int TIME = 9;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);

  private static float[] drawn(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Of two dimensions the numbers where time is one of them, else of time alone. */
  private static Proto numbers(String name, int flat, long other, long... overTime) {
    if (flat == 0) {
      return attributes(name, overTime);
    }
    long[] both = new long[2 * overTime.length];
    for (int i = 0; i < overTime.length; i++) {
      both[2 * i + flat - 2] = other;
      both[2 * i + 3 - flat] = overTime[i];
    }
    return attributes(name, both);
  }

  private static Dims with(int flat, int a, int b, int time) {
    return flat == 0
        ? Dims.of(a, b, time)
        : flat == 2 ? Dims.of(a, b, 1, time) : Dims.of(a, b, time, 1);
  }

  private static String[] sizes(Dims dims) {
    return IntStream.range(0, dims.rank())
        .mapToObj(i -> Integer.toString(dims.size(i)))
        .toArray(String[]::new);
  }

  private Value answer(Dims x, Dims w, Proto... attributes) throws IOException {
    Proto graph =
        graph("flat")
            .nodes(node("Conv", "x W b", "y", attributes))
            .initialisers(tensor("W", w, drawn(w.count())), tensor("b", Dims.of(OUT), drawn(OUT)))
            .inputs(port("x", Proto.FLOAT, sizes(x)))
            .outputs(port("y", Proto.FLOAT));
    Path file = Files.write(folder.resolve("flat.onnx"), Proto.model(17, graph).toBytes());
    OnnxModel model = OnnxModel.read(file).on(device, 1);
    return model.run(tape, Map.of("x", Value.of(x, drawn(x.count())))).get("y");
  }

  private Value convolution(int flat) throws IOException {
    return answer(
        with(flat, BATCH, IN, TIME),
        with(flat, OUT, IN / 2, 3),
        numbers("kernel_shape", flat, 1, 3),
        numbers("strides", flat, 1, 2),
        numbers("dilations", flat, 1, 2),
        numbers("pads", flat, 0, 1, 3),
        attribute("group", 2));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void itIsTheOneOverTime(int flat) throws IOException {
    Value plain = convolution(0);
    Value found = convolution(flat);
    assertEquals(with(flat, BATCH, OUT, plain.dims().size(2)), found.dims());
    assertArrayEquals(plain.floats(), found.floats());
  }

  @Test
  void anotherOneOverTwoDimensionsIsRefused() {
    Thrown.says(
        IllegalArgumentException.class,
        () -> answer(Dims.of(BATCH, IN, 3, TIME), Dims.of(OUT, IN, 3, 3)),
        "W=[6, 4, 3, 3]; need a convolution over one dimension, or taps of size 1");
    Thrown.says(
        IllegalArgumentException.class,
        () -> answer(Dims.of(BATCH, IN, 3, TIME), Dims.of(OUT, IN, 1, 3)),
        "x=[2, 4, 3, 9]");
    Thrown.says(
        IllegalArgumentException.class,
        () ->
            answer(
                Dims.of(BATCH, IN, 1, TIME),
                Dims.of(OUT, IN, 1, 3),
                attributes("pads", 1, 0, 1, 0)),
        "need 0 over dimension 2, whose taps are of size 1");
  }
}

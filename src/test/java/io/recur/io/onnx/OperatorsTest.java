package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * ONNX's own node tests, and more, of the operators that are not recurrent: {@code
 * make_operators.py} under {@code src/test/resources/onnx} made them.
 */
class OperatorsTest {
  /** As ONNX publishes its node tests. */
  private static final double RTOL = 1e-3;

  private static final double ATOL = 1e-7;

  /** What is refused: a pattern of cases' names, and a part of the error. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "test_(basic_)?conv_.*", "over one dimension",
          "test_batchnorm_.*training_mode", "3 outputs",
          "test_training_dropout.*", "training_mode",
          "test_scatter_elements.*", "on the host alone",
          "test_mod_.*float.*", "floats",
          "test_pow(_example|_bcast_array|_types_float32_int..)?", "need one number",
          "test_scan_sum", "input 0",
          "test_reduce_max_empty_set_bool", "no value",
          "test_reduce_log_sum_exp_empty_set.*", "each 1 or more");

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  static List<Cases> all() {
    return Cases.in("operators.zip");
  }

  private static @Nullable String refusal(Cases test) {
    return REFUSED.entrySet().stream()
        .filter(entry -> test.name().matches(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(null);
  }

  /** Floats come from a tape that records. */
  @ParameterizedTest
  @MethodSource("all")
  void aNodeAnswersAsOnnxDoes(Cases test) throws IOException {
    judge(test, false);
  }

  /** All inputs are constants of the graph: nodes that can are computed on the host. */
  @ParameterizedTest
  @MethodSource("all")
  void aNodeOfConstantsAnswersAsOnnxDoes(Cases test) throws IOException {
    judge(test, true);
  }

  private void judge(Cases test, boolean isFixed) throws IOException {
    String refusal = refusal(test);
    if (refusal == null) {
      check(test, isFixed);
      return;
    }
    try {
      check(test, isFixed);
    } catch (IllegalArgumentException e) {
      assertTrue(e.getMessage().contains("node "), e.getMessage());
      assertTrue(e.getMessage().contains(refusal), e.getMessage());
      return;
    }
    assertTrue(isFixed, test + " is computed; REFUSED names it"); // constants may fold
  }

  private void check(Cases test, boolean isFixed) throws IOException {
    Map<String, Value> none = Map.of();
    OnnxModel model = OnnxModel.read(test.file(folder), isFixed ? test.inputs() : none);
    model.on(device, 1);
    try (Tape tape = Tape.on(device)) {
      Map<String, Value> found = model.run(tape, isFixed ? none : test.inputs());
      assertEquals(test.outputs().keySet(), found.keySet());
      test.outputs().forEach((name, wanted) -> compare(name, wanted, found.get(name)));
      model.reset();
    }
  }

  private static void compare(String name, Value wanted, Value found) {
    assertEquals(wanted.dims(), found.dims(), name);
    if (wanted instanceof Value.Integers integers && found instanceof Value.Integers numbers) {
      assertEquals(integers.type(), numbers.type(), name);
      assertArrayEquals(integers.values(), numbers.values(), name);
      return;
    }
    float[] expected = wanted.floats(); // a mask on a tape is 0 and 1
    float[] actual = found.floats();
    for (int i = 0; i < expected.length; i++) {
      double allowed = ATOL + RTOL * Math.abs(expected[i]);
      assertTrue(
          Float.compare(actual[i] + 0f, expected[i] + 0f) == 0
              || Math.abs(actual[i] - expected[i]) <= allowed,
          "%s[%d]: %s, expected %s".formatted(name, i, actual[i], expected[i]));
    }
  }

  @Test
  void everyOperatorHasACaseAndEveryRefusalToo() throws IOException {
    TreeSet<String> patterns = new TreeSet<>(REFUSED.keySet());
    TreeSet<String> missing = new TreeSet<>();
    GeneralOperators.ALL.forEach(operator -> missing.add(operator.type()));
    for (Cases test : all()) {
      patterns.removeIf(test.name()::matches);
      if (refusal(test) == null) {
        ByteBuffer bytes = ByteBuffer.wrap(test.model());
        remove(missing, ModelReader.read(bytes, new ExternalData(folder)));
      }
    }
    assertEquals(new TreeSet<>(), patterns, "no case has these names");
    assertEquals(new TreeSet<>(), missing, "operators without a case");
  }

  private static void remove(TreeSet<String> types, Graph graph) {
    for (Node node : graph.nodes()) {
      types.remove(node.type());
      for (Attribute attribute : node.attributes().values()) {
        if (attribute instanceof Attribute.Inner inner) {
          remove(types, inner.graph());
        }
      }
    }
  }

  /**
   * Along one direction, by differences of answers in float32: it finds a wrong wire, not a digit.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "conv_1d_all",
        "conv_1d_frames_padded",
        "conv_1d_groups",
        "conv_1d_depthwise",
        "conv_1d_computed_weights",
        "conv_1d_then_conv",
        "conv_1d_then_flatten",
        "conv_1d_then_softmax",
        "conv_1d_then_mean",
        "conv_1d_then_add_order",
        "conv_1d_then_mul_steps",
        "conv_1d_then_norm",
        "conv_1d_then_concat",
        "pad_reflect_inside",
        "pad_value",
        "split_11",
        "heads",
        "Div_middle",
        "matmul_5x2x3_3x4",
        "pow_3",
        "scan_over_a_cell_backward",
        "loop_over_a_cell",
        "where_fixed",
        "prelu",
        "gemm_7"
      })
  void aGradientIsTheSlopeOfTheAnswers(String name) throws IOException {
    Cases test = all().stream().filter(it -> it.name().equals(name)).findFirst().orElseThrow();
    OnnxModel model = OnnxModel.read(test.file(folder)).on(device, 1);
    String input = model.inputs().getFirst().name();
    Value x = test.inputs().get(input);
    Random random = new Random(7);
    float[] way = drawn(random, x.dims().count());
    float[] weights = drawn(random, test.outputs().values().iterator().next().dims().count());
    double step = 5e-3;
    double difference =
        (loss(model, test, input, moved(x, way, step), weights)
                - loss(model, test, input, moved(x, way, -step), weights))
            / (2 * step);
    try (Tape tape = Tape.on(device)) {
      Tensor variable = tape.variable(x.dims().shape(), x.floats());
      Map<String, Value> given = new LinkedHashMap<>(test.inputs());
      given.put(input, new Value.OnTape(x.dims(), variable));
      Value y = model.run(tape, given).values().iterator().next();
      tape.backward(y.tensor(), weights);
      float[] gradient = variable.gradientArray();
      double found = 0;
      for (int i = 0; i < way.length; i++) {
        found += (double) way[i] * gradient[i];
      }
      assertEquals(difference, found, 1e-2 * Math.max(1, Math.abs(difference)));
      model.reset();
    }
  }

  private static float[] drawn(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Value moved(Value x, float[] way, double step) {
    float[] values = x.floats();
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) (step * way[i]);
    }
    return Value.of(x.dims(), values);
  }

  private double loss(OnnxModel model, Cases test, String input, Value x, float[] weights) {
    try (Tape tape = Tape.inference(device)) {
      Map<String, Value> given = new LinkedHashMap<>(test.inputs());
      given.put(input, x);
      float[] y = model.run(tape, given).values().iterator().next().floats();
      double loss = 0;
      for (int i = 0; i < y.length; i++) {
        loss += (double) weights[i] * y[i];
      }
      model.reset();
      return loss;
    }
  }
}

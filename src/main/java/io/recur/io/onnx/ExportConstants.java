package io.recur.io.onnx;

import io.recur.device.kernels.Band;
import io.recur.grad.Parameter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The constants of a model, each once: initializers of its graph, which the bodies of Scan read
 * too. A weight has the name of its parameter; where one parameter is written in two forms, the
 * second has a number behind the name.
 */
final class ExportConstants {
  private final ExportGraph graph;
  private final Map<Parameter, String> parameterNames = new IdentityHashMap<>();
  private final Map<Parameter, Map<String, String>> weights = new IdentityHashMap<>();
  private final Map<List<Long>, String> numbers = new HashMap<>();

  /**
   * Begins with none.
   *
   * @param graph of the model
   * @param named its parameters
   */
  ExportConstants(ExportGraph graph, Map<String, Parameter> named) {
    this.graph = graph;
    named.forEach((name, parameter) -> parameterNames.put(parameter, name));
  }

  // Weights.

  /** {@return the name of a parameter in the model; its own where it is none of the model's} */
  String nameOf(Parameter parameter) {
    return parameterNames.getOrDefault(parameter, parameter.name());
  }

  /** A parameter W as the right factor of a product x·Wᵀ: the same bytes, [columns, rows]. */
  String matrix(Parameter w) {
    return weight(w, "matrix", () -> values(w), w.shape().columns(), w.shape().rows());
  }

  /** A parameter of one column, [rows]. */
  String vector(Parameter p) {
    return weight(p, "vector", () -> values(p), p.shape().count());
  }

  /** An initial state that no caller gives, [columns, rows]. */
  String state(Parameter p) {
    return weight(p, "state", () -> values(p), p.shape().columns(), p.shape().rows());
  }

  /** A band matrix with its zeros, [columns, rows]. */
  String band(Parameter w, int bandwidth, int rows, int columns) {
    Band band = new Band(bandwidth, columns, rows / columns);
    return weight(w, "band" + bandwidth, () -> dense(values(w), band), columns, rows);
  }

  private static float[] dense(float[] stored, Band band) {
    int n = band.n();
    float[] dense = new float[band.rows() * n];
    int at = 0;
    for (int block = 0; block < band.blocks(); block++) {
      for (int d = -band.bandwidth(); d <= band.bandwidth(); d++) {
        for (int row = Math.max(-d, 0); row < n - Math.max(d, 0); row++) {
          dense[(row + d) * band.rows() + block * n + row] = stored[at++];
        }
      }
    }
    return dense;
  }

  /**
   * A weight in the form that an operator asks for.
   *
   * @param parameter gives the name
   * @param form tells the forms of one parameter apart
   * @param values row-major
   * @return the name of the initializer
   */
  String weight(Parameter parameter, String form, Supplier<float[]> values, long... sizes) {
    Map<String, String> forms = weights.computeIfAbsent(parameter, p -> new HashMap<>());
    String known = forms.get(form);
    if (known == null) {
      known = graph.names().unique(nameOf(parameter));
      graph.initializer(known, ExportGraph.FLOAT, bytes(values.get()), sizes);
      forms.put(form, known);
    }
    return known;
  }

  /** The value of an input of this name that no caller gives. */
  void defaultOf(String input, Parameter p) {
    byte[] values = bytes(values(p));
    graph.initializer(input, ExportGraph.FLOAT, values, p.shape().columns(), p.shape().rows());
  }

  static float[] values(Parameter parameter) {
    return parameter.value().slice(0, parameter.shape().count()).read();
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  // Numbers.

  /** A number that fits any number of rows, [1]. */
  String number(float value) {
    return store(new float[] {value}, 1);
  }

  /** A number without a dimension, for operators that want one. */
  String scalar(float value) {
    return store(new float[] {value});
  }

  private String store(float[] values, long... sizes) {
    List<Long> key = new ArrayList<>(List.of(-1L - sizes.length));
    for (float value : values) {
      key.add((long) Float.floatToRawIntBits(value));
    }
    return numbers.computeIfAbsent(
        key,
        fresh -> {
          String name = graph.names().numbered("number");
          graph.initializer(name, ExportGraph.FLOAT, bytes(values), sizes);
          return name;
        });
  }

  /** Integers, such as axes: [their number]. */
  String integers(long... values) {
    return store(values, values.length);
  }

  /** An integer without a dimension. */
  String integer(long value) {
    return store(new long[] {value});
  }

  private String store(long[] values, long... sizes) {
    List<Long> key = new ArrayList<>(List.of((long) sizes.length));
    for (long value : values) {
      key.add(value);
    }
    return numbers.computeIfAbsent(
        key,
        fresh -> {
          String name = graph.names().numbered("integers");
          graph.initializer(name, ExportGraph.INT64, bytes(values), sizes);
          return name;
        });
  }

  /** The value of an input of this name that no caller gives: integers. */
  void defaultOf(String input, long... values) {
    graph.initializer(input, ExportGraph.INT64, bytes(values), values.length);
  }

  private static byte[] bytes(long[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(bytes::putLong);
    return bytes.array();
  }
}

package io.recur.io.onnx;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import java.util.List;

/**
 * The functions of {@link Elementwise}, {@link Binary} and {@link Reduction} as nodes of ONNX. The
 * features are the last dimension of every value.
 */
final class ExportFunctions {
  private static final float LEAK = 0.01f;
  private static final float GELU_CUBE = 0.044715f;
  private static final long FEATURES = -1;

  private final ExportGraph graph;
  private final ExportConstants constants;

  /**
   * Begins with a graph, to which the nodes are added.
   *
   * @param graph the model's, or a body of Scan
   * @param constants of the model
   */
  ExportFunctions(ExportGraph graph, ExportConstants constants) {
    this.graph = graph;
    this.constants = constants;
  }

  /** f(a). */
  String map(Elementwise f, String a) {
    return switch (f) {
      case IDENTITY -> a;
      case TANH -> of("Tanh", a);
      case SIGMOID -> of("Sigmoid", a);
      case RELU -> of("Relu", a);
      case LEAKY_RELU -> graph.node("LeakyRelu", List.of(a), ExportAttribute.of("alpha", LEAK));
      case ELU -> graph.node("Elu", List.of(a), ExportAttribute.of("alpha", 1f));
      case SOFTPLUS -> of("Softplus", a);
      case SOFTSIGN -> of("Softsign", a);
      case SWISH -> of("Mul", a, of("Sigmoid", a));
      case GELU -> gelu(a);
      case EXP -> of("Exp", a);
      case LOG -> of("Log", a);
      case SQUARE -> of("Mul", a, a);
      case ABS -> of("Abs", a);
      case SQRT -> of("Sqrt", a);
      case RECIPROCAL -> of("Reciprocal", a);
      case NEGATE -> of("Neg", a);
      case HARD_SIGMOID ->
          graph.node(
              "HardSigmoid",
              List.of(a),
              ExportAttribute.of("alpha", 1 / 6f),
              ExportAttribute.of("beta", 0.5f));
      case HARD_TANH -> of("Clip", a, constants.scalar(-1), constants.scalar(1));
      case RELU6 -> of("Clip", a, constants.scalar(0), constants.scalar(6));
      case SIN -> of("Sin", a);
      case COS -> of("Cos", a);
      case GELU_ERF -> geluErf(a);
    };
  }

  /** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  private String gelu(String x) {
    String cube = of("Mul", of("Mul", x, x), x);
    String inner = of("Add", x, of("Mul", cube, constants.number(GELU_CUBE)));
    String scaled = of("Mul", inner, constants.number((float) Math.sqrt(2 / Math.PI)));
    String gate = of("Add", of("Tanh", scaled), constants.number(1));
    return of("Mul", of("Mul", x, constants.number(0.5f)), gate);
  }

  /** x/2·(1 + erf(x/√2)). */
  private String geluErf(String x) {
    String erf = of("Erf", of("Mul", x, constants.number((float) Math.sqrt(0.5))));
    String gate = of("Add", erf, constants.number(1));
    return of("Mul", of("Mul", x, constants.number(0.5f)), gate);
  }

  /** factor·a + constant. */
  String affine(String a, float factor, float constant) {
    String scaled = factor == 1 ? a : of("Mul", a, constants.number(factor));
    return constant == 0 ? scaled : of("Add", scaled, constants.number(constant));
  }

  /** f(a, b); a value of one row is repeated over the rows of the other. */
  String combine(Binary f, String a, String b) {
    return switch (f) {
      case ADD -> of("Add", a, b);
      case SUBTRACT -> of("Sub", a, b);
      case MULTIPLY -> of("Mul", a, b);
      case DIVIDE -> of("Div", a, b);
      case MINIMUM -> of("Min", a, b);
      case MAXIMUM -> of("Max", a, b);
      case GREATER -> mask("Greater", a, b);
      case GREATER_EQUAL -> mask("GreaterOrEqual", a, b);
      case LESS -> mask("Less", a, b);
      case LESS_EQUAL -> mask("LessOrEqual", a, b);
      case EQUAL -> mask("Equal", a, b);
    };
  }

  /** 1 where two integers are equal, else 0. */
  String equal(String a, String b) {
    return mask("Equal", a, b);
  }

  private String mask(String operator, String a, String b) {
    return graph.node(
        "Cast", List.of(of(operator, a, b)), ExportAttribute.of("to", (long) ExportGraph.FLOAT));
  }

  /** A reduction over the rows, which leaves one. */
  String reduce(Reduction kind, String a) {
    return switch (kind) {
      case SUM -> of("ReduceSum", a, constants.integers(FEATURES));
      case MEAN -> overAxis("ReduceMean", a, FEATURES);
      case MAX -> overAxis("ReduceMax", a, FEATURES);
      case VARIANCE -> {
        String centred = of("Sub", a, overAxis("ReduceMean", a, FEATURES));
        yield overAxis("ReduceMean", of("Mul", centred, centred), FEATURES);
      }
    };
  }

  /** A reduction that has its axis as an attribute; the dimension stays, of size 1. */
  String overAxis(String operator, String a, long axis) {
    return graph.node(operator, List.of(a), ExportAttribute.integers("axes", axis));
  }

  /** Some rows of a. */
  String rows(String a, int from, int to) {
    return of(
        "Slice", a, constants.integers(from), constants.integers(to), constants.integers(FEATURES));
  }

  /** The rows of all parts. */
  String concat(List<String> parts) {
    return graph.node("Concat", parts, ExportAttribute.of("axis", FEATURES));
  }

  /** A node without attributes. */
  String of(String operator, String... inputs) {
    return graph.node(operator, List.of(inputs));
  }
}

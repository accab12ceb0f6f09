package io.recur.io.onnx;

import io.recur.grad.Graph;
import io.recur.grad.Parameter;
import io.recur.grad.Trace;
import io.recur.nn.Attention;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Dropout;
import io.recur.nn.Embedding;
import io.recur.nn.Highway;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Recur;
import io.recur.nn.Residual;
import io.recur.nn.Sliding;
import io.recur.nn.StackedCell;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Writes layers as nodes of ONNX, each behind the one before. Values are [time, batch, rows],
 * row-major, in the bytes of rows × batch × time.
 */
final class ExportLayers {
  private final ExportGraph graph;
  private final ExportConstants constants;
  private final ExportSizes sizes;
  private final ExportStates states;
  private final ExportTrace trace;
  private final ExportFunctions functions;
  private final ExportInput input;

  /** What each cell does in a step, by its rows of x. */
  private final Map<Cell, Graph> steps = new IdentityHashMap<>();

  /**
   * A value of the graph.
   *
   * @param name of the value
   * @param rows the last dimension
   * @param isIndex whether it holds the number of a class, [time, batch], in place of rows
   * @param steps the value that has as many steps: x, or what a convolution has given
   */
  record Value(String name, int rows, boolean isIndex, String steps) {
    /** Another value of as many steps. */
    Value to(String name, int rows) {
      return new Value(name, rows, false, steps);
    }
  }

  ExportLayers(
      ExportGraph graph,
      ExportConstants constants,
      ExportSizes sizes,
      ExportStates states,
      ExportTrace trace) {
    this.graph = graph;
    this.constants = constants;
    this.sizes = sizes;
    this.states = states;
    this.trace = trace;
    this.input = new ExportInput(trace);
    this.functions = new ExportFunctions(graph, constants);
  }

  /** Adds a layer, and returns its output. */
  Value add(Layer layer, Value x) {
    sizes.follow(x.steps);
    return switch (layer) {
      case Chain chain -> {
        Value y = x;
        for (Layer inner : chain.layers()) {
          y = add(inner, y);
        }
        yield y;
      }
      case Dropout _ -> x; // a model that runs drops nothing
      case Sliding sliding -> add(sliding.layers().getFirst(), x);
      case Embedding embedding when x.isIndex -> gather(embedding, x);
      case Recur recur -> recur(recur, dense(x));
      case Bidirectional both -> bidirectional(both, dense(x));
      case Residual residual -> residual(residual.layers(), dense(x));
      case Highway highway -> highway(highway.layers(), dense(x));
      case Conv1d conv -> convolve(conv, dense(x));
      case Attention attention -> attend(attention, dense(x));
      case Dense _, Embedding _, LayerNorm _, BatchNorm _ -> {
        check(layer, x, input.rows(layer));
        yield stepwise(layer, dense(x));
      }
      default -> usersOwn(layer, dense(x));
    };
  }

  /** A value with zeros behind the end of each sequence, which need not be numbers. */
  Value valid(Value x) {
    if (!x.isIndex) {
      return x.to(sizes.masked(x.name, 0), x.rows);
    }
    String mask = functions.of("Squeeze", sizes.mask(), constants.integers(2));
    String index = functions.of("Where", mask, x.name, constants.integers(0));
    return new Value(index, x.rows, true, x.steps);
  }

  /** One step that stands for all. */
  Value pool(ExportPool pool, Value x) {
    Value steps = dense(x);
    sizes.follow(x.steps);
    String y = pool.of(steps.name, graph, constants, sizes);
    sizes.endLengths();
    return new Value(y, steps.rows, false, y);
  }

  /** What the model returns: one step has no dimension for it. */
  String result(Value y, boolean isOneStep) {
    sizes.follow(y.steps);
    String dense = dense(y).name;
    return isOneStep ? ExportPool.squeezed(dense, graph, constants) : sizes.masked(dense, 0);
  }

  /** Classes as one-hot rows, for a layer that multiplies them. */
  private Value dense(Value x) {
    if (!x.isIndex) {
      return x;
    }
    String index = functions.of("Unsqueeze", x.name, constants.integers(2));
    String classes = constants.integers(LongStream.range(0, x.rows).toArray());
    String hot = functions.equal(index, classes);
    return x.to(hot, x.rows);
  }

  private Value gather(Embedding embedding, Value x) {
    Parameter w = embedding.own().getFirst();
    check(embedding, x, w.shape().columns());
    return x.to(functions.of("Gather", constants.matrix(w), x.name), w.shape().rows());
  }

  private static void check(Layer layer, Value x, int rows) {
    if (x.rows != rows) {
      throw refused(
          layer,
          "x has %d rows, and it needs %d: these layers do not fit each other",
          x.rows,
          rows);
    }
  }

  private static void checkEqual(Layer layer, int rows, int needed) {
    if (rows != needed) {
      throw refused(layer, "it gives %d rows, and what it is combined with has %d", rows, needed);
    }
  }

  // Layers without a state.

  private Value stepwise(Layer layer, Value x) {
    Trace.Result result = trace.of(layer, x.rows);
    if (result.graph() == null) {
      throw refused(
          layer,
          "it cannot be recorded as operations: %s; leave it out, or compose it of built-in layers",
          result.reason());
    }
    ExportSteps step =
        new ExportSteps(result.graph(), graph, graph, constants, sizes, x.name, List.of());
    return x.to(step.output(), result.graph().node(result.graph().y()).rows());
  }

  /** A layer of a user's: what it does in a step, if it treats each step alone. */
  private Value usersOwn(Layer layer, Value x) {
    if (!layer.recurs().isEmpty()) {
      throw refused(
          layer,
          "it holds %s in a way that is not known; compose it of Chain, Residual, Highway and"
              + " Bidirectional",
          layer.recurs().getFirst().describe());
    }
    Value y = stepwise(layer, x);
    if (!trace.isStepwise(layer, x.rows)) {
      throw refused(
          layer, "a step of its output depends on other steps; compose it of built-in layers");
    }
    return y;
  }

  private Value convolve(Conv1d conv, Value x) {
    check(conv, x, conv.in());
    boolean keepsSteps =
        conv.stride() == 1 && 2L * conv.padding() == (long) conv.dilation() * (conv.kernel() - 1);
    if (sizes.hasLengths() && !keepsSteps) {
      throw refused(
          conv,
          "with lengths() it must keep the number of steps; give it stride 1 and a padding of half"
              + " the kernel");
    }
    Parameter w = conv.own().getFirst();
    int out = w.shape().rows();
    int each = conv.in() / conv.groups();
    String weight =
        constants.weight(w, "Conv", () -> taps(w, each, conv.kernel()), out, each, conv.kernel());
    String channels = transposed(sizes.masked(x.name, 0), 1, 2, 0);
    String y =
        graph.node(
            "Conv",
            List.of(channels, weight, constants.vector(conv.own().get(1))),
            ExportAttribute.integers("kernel_shape", conv.kernel()),
            ExportAttribute.integers("strides", conv.stride()),
            ExportAttribute.integers("pads", conv.padding(), conv.padding()),
            ExportAttribute.integers("dilations", conv.dilation()),
            ExportAttribute.of("group", (long) conv.groups()));
    String steps = transposed(y, 2, 0, 1);
    return new Value(steps, out, false, keepsSteps ? x.steps : steps);
  }

  /** Column k·in + i of out × in·kernel becomes [:, i, k], row-major. */
  private static float[] taps(Parameter w, int in, int kernel) {
    float[] values = ExportConstants.values(w);
    int out = w.shape().rows();
    float[] taps = new float[values.length];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        for (int k = 0; k < kernel; k++) {
          taps[(o * in + i) * kernel + k] = values[(k * in + i) * out + o];
        }
      }
    }
    return taps;
  }

  private String transposed(String x, long... order) {
    return graph.node("Transpose", List.of(x), ExportAttribute.integers("perm", order));
  }

  private Value attend(Attention attention, Value x) {
    String y = new ExportAttention(graph, constants, sizes).of(attention, x.name);
    return x.to(y, x.rows);
  }

  // Layers of layers.

  private Value residual(List<Layer> layers, Value x) {
    Value past = layers.size() == 1 ? x : add(layers.get(1), x);
    Value y = add(layers.getFirst(), x);
    checkEqual(layers.getFirst(), y.rows, past.rows);
    return y.to(functions.of("Add", y.name, past.name), y.rows);
  }

  private Value highway(List<Layer> layers, Value x) {
    Value gate = add(layers.get(1), x);
    Value y = add(layers.getFirst(), x);
    checkEqual(layers.getFirst(), y.rows, x.rows);
    checkEqual(layers.get(1), gate.rows, x.rows);
    String change = functions.of("Mul", functions.of("Sub", y.name, x.name), gate.name);
    return x.to(functions.of("Add", change, x.name), x.rows);
  }

  // Layers with a state.

  private Value recur(Recur recur, Value x) {
    ExportRun run = run(recur, x, states.of(recur), false);
    states.after(recur, run.states());
    return x.to(run.y(), run.rows());
  }

  private ExportRun run(Recur recur, Value x, List<String> before, boolean reverse) {
    Cell cell = recur.cell();
    if (ExportOperator.fits(cell)) {
      StackedCell stacked = (StackedCell) cell;
      check(recur, x, stacked.matrices().getFirst().columns());
      return new ExportOperator(stacked, graph, constants, sizes).run(x.name, before, reverse);
    }
    List<Integer> rows = cell.state0().stream().map(part -> part.shape().rows()).toList();
    return new ExportScan(steps(recur, x.rows), rows, graph, constants, sizes)
        .run(x.name, before, reverse);
  }

  private Graph steps(Recur recur, int in) {
    Graph known = steps.get(recur.cell());
    if (known == null) {
      Trace.Result result = trace.of(recur.cell(), in);
      known = result.graph();
      if (known == null) {
        throw refused(
            recur,
            "its step cannot be recorded as operations of %d rows of x: %s; docs/compiled.md lists"
                + " what can",
            in,
            result.reason());
      }
      steps.put(recur.cell(), known);
    }
    return known;
  }

  private Value bidirectional(Bidirectional both, Value x) {
    Recur back = both.backward();
    List<String> before = states.of(both.forward()); // its names come first
    ExportRun backward = run(back, x, states.initial(back), true);
    ExportRun forward = run(both.forward(), x, before, false);
    states.after(both.forward(), forward.states());
    if (both.merge() == Bidirectional.Merge.CONCATENATE) {
      String joined = functions.concat(List.of(forward.y(), backward.y()));
      return x.to(joined, forward.rows() + backward.rows());
    }
    checkEqual(back, backward.rows(), forward.rows());
    String sum = functions.of("Add", forward.y(), backward.y());
    boolean isSum = both.merge() == Bidirectional.Merge.SUM;
    return x.to(isSum ? sum : functions.affine(sum, 0.5f, 0), forward.rows());
  }

  static IllegalArgumentException refused(Layer layer, String why, Object... facts) {
    return new IllegalArgumentException(
        "onnx: export of %s: %s"
            .formatted(layer.describe(), facts.length == 0 ? why : why.formatted(facts)));
  }
}

package io.recur.io.onnx;

import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.grad.Windows;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operator Conv over one dimension, time. It may have a second one in which x and the taps are
 * of size 1, as some exporters write it. The values that the taps read for a step of the result
 * form a column. One product of W and all columns makes the result, features × batch × time.
 *
 * <p>W is out/groups × (in/groups·kernel)·groups. The columns of a group are adjacent, and within a
 * group those of a feature, as in the graph's W. A sum therefore adds its terms in the order in
 * which ONNX Runtime adds them.
 */
final class Convolution {
  private final Call call;
  private final Settings settings;
  private final Dims weights;
  private final Tensor w;

  /**
   * The attributes of a node.
   *
   * @param flat the dimension of size 1 beside time, 2 or 3; 0 where there is none
   */
  private record Settings(
      String autoPad, int groups, int stride, int dilation, int before, int after, int flat) {}

  private Convolution(Call call, Settings settings, Dims weights, Tensor w) {
    this.call = call;
    this.settings = settings;
    this.weights = weights;
    this.w = w;
  }

  static Operator.Evaluation of(Setup setup) {
    Value.Reals known = setup.constant(1) instanceof Value.Reals reals ? reals : null;
    int flat = known == null ? 0 : flat(setup.node(), known.dims());
    Settings settings = settings(setup.node(), flat);
    if (known != null && flat > 0) {
      known = new Value.Reals(known.dims().without(flat), known.values());
    }
    return of(setup, settings, known);
  }

  private static Operator.Evaluation of(
      Setup setup, Settings settings, Value.@Nullable Reals known) {
    if (known == null) {
      return call -> {
        check(setup.node(), settings, call.dims(1));
        return new Convolution(call, settings, call.dims(1), arranged(call, settings)).run();
      };
    }
    check(setup.node(), settings, known.dims());
    Tensor w = setup.parameter(1, shape(settings, known.dims()), arranged(known, settings));
    return call -> new Convolution(call, settings, known.dims(), w).run();
  }

  // The attributes.

  /** Returns the dimension of size 1 beside time; 0 if the taps have one dimension. */
  private static int flat(Node node, Dims w) {
    if (w.rank() != 4) {
      return 0;
    }
    if (w.size(2) != 1 && w.size(3) != 1) {
      throw node.refuse(
          "W=%s; need a convolution over one dimension, or taps of size 1".formatted(w));
    }
    return w.size(2) == 1 ? 2 : 3;
  }

  /**
   * Returns an attribute's numbers for time; for the other dimension they must be {@code other}.
   */
  private static long @Nullable [] overTime(Node node, String attribute, int flat, long other) {
    long[] found = node.wholes(attribute);
    if (flat == 0 || found == null || found.length % 2 != 0) {
      return found;
    }
    long[] kept = new long[found.length / 2];
    for (int i = 0; i < found.length; i++) {
      if (i % 2 != flat - 2) {
        kept[i / 2] = found[i];
      } else if (found[i] != other) {
        throw node.refuse(
            "%s=%s; need %d over dimension %d, whose taps are of size 1"
                .formatted(attribute, Arrays.toString(found), other, flat));
      }
    }
    return kept;
  }

  private static Settings settings(Node node, int flat) {
    long[] pads = overTime(node, "pads", flat, 0);
    String autoPad = node.text("auto_pad", "NOTSET");
    if (!List.of("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID").contains(autoPad)) {
      throw node.refuse("auto_pad=%s".formatted(Wire.shown(autoPad)));
    }
    if (pads != null && (pads.length != 2 || pads[0] < 0 || pads[1] < 0)) {
      throw node.refuse(
          "pads=%s; need two of 0 or more: a convolution over one dimension"
              .formatted(Arrays.toString(pads)));
    }
    boolean isGiven = pads != null && autoPad.equals("NOTSET");
    return new Settings(
        autoPad,
        positive(node, "group", node.whole("group", 1)),
        one(node, "strides", flat),
        one(node, "dilations", flat),
        isGiven ? Math.toIntExact(pads[0]) : 0,
        isGiven ? Math.toIntExact(pads[1]) : 0,
        flat);
  }

  private static int one(Node node, String attribute, int flat) {
    long[] found = overTime(node, attribute, flat, 1);
    if (found != null && found.length != 1) {
      throw node.refuse(
          "%s=%s; need one: a convolution over one dimension"
              .formatted(attribute, Arrays.toString(found)));
    }
    return positive(node, attribute, found == null ? 1 : found[0]);
  }

  private static int positive(Node node, String attribute, long value) {
    if (value < 1 || value > Integer.MAX_VALUE) {
      throw node.refuse("%s=%d; need 1 or more".formatted(attribute, value));
    }
    return (int) value;
  }

  private static void check(Node node, Settings settings, Dims w) {
    long[] kernel = overTime(node, "kernel_shape", settings.flat, 1);
    if (w.rank() != 3
        || w.count() == 0
        || w.size(0) % settings.groups != 0
        || (kernel != null && (kernel.length != 1 || kernel[0] != w.size(2)))) {
      throw node.refuse(
          "W=%s, kernel_shape=%s, group=%d; need out × in/group × kernel over one dimension"
              .formatted(w, Arrays.toString(kernel), settings.groups));
    }
  }

  // The weights in the order of the product.

  private static Shape shape(Settings settings, Dims w) {
    int out = w.size(0) / settings.groups;
    return Shape.of(out, w.count() / out);
  }

  private static float[] arranged(Value.Reals w, Settings settings) {
    int in = w.dims().size(1);
    int kernel = w.dims().size(2);
    int out = w.dims().size(0) / settings.groups;
    float[] values = new float[w.values().length];
    for (int i = 0; i < values.length; i++) {
      int k = i % kernel;
      int c = i / kernel % in;
      int o = i / (kernel * in);
      values[((o / out * in + c) * kernel + k) * out + o % out] = w.values()[i];
    }
    return values;
  }

  private static Tensor arranged(Call call, Settings settings) {
    Dims dims = call.dims(1);
    int groups = settings.groups;
    Value.OnTape w = Rearranging.lifted(call, call.value(1));
    Dims split = Dims.of(groups, dims.size(0) / groups, dims.size(1), dims.size(2));
    Value.OnTape grouped = new Value.OnTape(split, w.tensor());
    return Order.arranged(grouped, 0, 2, 3, 1).reshape(shape(settings, dims));
  }

  // The run.

  private List<Value> run() {
    int flat = settings.flat;
    Value given = call.value(0);
    if (flat > 0 && given.dims().rank() == 4 && given.dims().size(flat) == 1) {
      given = Rearranging.squeezed(given, flat);
    }
    Value.OnTape x = Rearranging.lifted(call, given);
    Dims dims = x.dims();
    int in = weights.size(1) * settings.groups;
    if (dims.rank() != 3 || dims.size(1) != in) {
      throw call.refuse(
          "x=%s, W=%s, group=%d; need x of batch × %d × time"
              .formatted(dims, weights, settings.groups, in));
    }
    int time = dims.size(2);
    int kernel = weights.size(2);
    long extent = (long) settings.dilation * (kernel - 1) + 1;
    long before = settings.before;
    long after = settings.after;
    if (settings.autoPad.startsWith("SAME")) {
      long read = (Math.ceilDiv(time, settings.stride) - 1L) * settings.stride + extent;
      long all = Math.max(0, read - time);
      before = settings.autoPad.equals("SAME_LOWER") ? all - all / 2 : all / 2;
      after = all - before;
    }
    long spare = time + before + after - extent;
    if (spare < 0) {
      throw call.refuse(
          "x=%s, W=%s, dilation=%d, pads %d and %d; need %d steps, pads included"
              .formatted(dims, weights, settings.dilation, before, after, extent));
    }
    int steps = Math.toIntExact(spare / settings.stride + 1);
    int batch = dims.size(0);
    boolean isFrames = in == 1 && kernel > 1 && settings.dilation == 1;
    Tensor y =
        isFrames
            ? w.matmul(frames(x, steps, (int) before, (int) after))
            : columns(x, steps, (int) before);
    y = call.has(2) ? y.add(call.tensor(2)) : y;
    Dims result = Dims.of(batch, weights.size(0), steps);
    Value.OnTape out = new Value.OnTape(result, Order.sequence(), y);
    return List.of(flat > 0 ? Rearranging.unsqueezed(out, flat) : out);
  }

  /** Collects what the taps read of an x with one feature, whose steps are contiguous. */
  private Tensor frames(Value.OnTape x, int steps, int before, int after) {
    int batch = x.dims().size(0);
    int kernel = weights.size(2);
    Tensor samples = x.tensor().reshape(Shape.of(x.dims().size(2), batch));
    if (before > 0 || after > 0) {
      samples = padded(samples, before, after);
    }
    int time = samples.shape().rows();
    int run = commonDivisor(commonDivisor(kernel, settings.stride), time);
    int[] columns = new int[kernel / run * batch * steps];
    int at = 0;
    for (int t = 0; t < steps; t++) {
      for (int b = 0; b < batch; b++) {
        int first = (b * time + t * settings.stride) / run;
        for (int i = 0; i < kernel / run; i++) {
          columns[at++] = first + i;
        }
      }
    }
    return samples
        .reshape(Shape.of(run, batch * time / run))
        .take(columns)
        .reshape(Shape.of(kernel, batch * steps));
  }

  private Tensor padded(Tensor samples, int before, int after) {
    int batch = samples.shape().batch();
    if (before == 0) {
      return Concat.rows(samples, zeros(after, batch));
    }
    return after == 0
        ? Concat.rows(zeros(before, batch), samples)
        : Concat.rows(zeros(before, batch), samples, zeros(after, batch));
  }

  private Tensor zeros(int rows, int columns) {
    return call.tape().input(Shape.of(rows, columns), new float[rows * columns]);
  }

  private static int commonDivisor(int a, int b) {
    return b == 0 ? a : commonDivisor(b, a % b);
  }

  /** Returns the result without the bias, out × batch·time. */
  private Tensor columns(Value.OnTape given, int steps, int before) {
    Tensor x = Order.arranged(given, Order.sequence());
    int groups = settings.groups;
    if (groups > 1 && groups == weights.size(0) && weights.size(1) == 1) {
      return depthwise(x, steps, before);
    }
    Tensor read = read(x, weights.size(2), steps, before);
    if (groups == 1) {
      return w.matmul(read);
    }
    int columns = weights.size(1) * weights.size(2);
    Tensor[] parts = new Tensor[groups];
    for (int g = 0; g < groups; g++) {
      int from = g * columns;
      parts[g] = w.columns(from, from + columns).matmul(read.rows(from, from + columns));
    }
    return Concat.rows(parts);
  }

  /** Collects what {@code taps} taps read: (in·taps) × batch·steps. */
  private Tensor read(Tensor x, int taps, int steps, int before) {
    Shape shape = x.shape();
    boolean isWhole = taps == 1 && settings.stride == 1 && before == 0 && steps == shape.time();
    Tensor read =
        isWhole ? x : Windows.of(x, taps, settings.stride, settings.dilation, before, steps);
    return read.reshape(Shape.of(shape.rows() * taps, shape.batch() * steps));
  }

  /** Convolves each row of x with taps of its own: every group has one row of x and one of y. */
  private Tensor depthwise(Tensor x, int steps, int before) {
    int kernel = weights.size(2);
    int rows = weights.size(0);
    Tensor byTap = // w is 1 × kernel·rows, the taps of a row adjacent
        Order.arranged(new Value.OnTape(Dims.of(rows, kernel), Rearranging.onTape(call, w)), 1, 0)
            .reshape(Shape.of(rows, kernel));
    Tensor sum = null;
    for (int k = 0; k < kernel; k++) {
      Tensor term = read(x, 1, steps, before - k * settings.dilation).mul(byTap.column(k));
      sum = sum == null ? term : sum.add(term);
    }
    return sum;
  }
}

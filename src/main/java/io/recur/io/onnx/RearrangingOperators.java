package io.recur.io.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Operators that move values and compute none, on a device and on the host. */
final class RearrangingOperators {
  private static final Attribute.Kind WHOLE = Attribute.Kind.WHOLE;
  private static final Attribute.Kind WHOLES = Attribute.Kind.WHOLES;

  static final List<Operator> ALL =
      List.of(
          Operator.of("Identity", 1, 1, setup -> call -> List.of(call.value(0))).folding(),
          Operator.of("Transpose", 1, 1, setup -> RearrangingOperators::transpose)
              .with("perm", WHOLES)
              .folding(),
          Operator.of("Reshape", 2, 2, setup -> RearrangingOperators::reshape)
              .with("allowzero", WHOLE)
              .folding(),
          Operator.of("Flatten", 1, 1, setup -> RearrangingOperators::flatten)
              .with("axis", WHOLE)
              .folding(),
          Operator.of("Squeeze", 1, 2, setup -> RearrangingOperators::squeeze)
              .with("axes", WHOLES)
              .folding(),
          Operator.of("Unsqueeze", 1, 2, setup -> RearrangingOperators::unsqueeze)
              .with("axes", WHOLES)
              .folding(),
          Operator.of("Slice", 1, 5, setup -> RearrangingOperators::slice)
              .with("starts", WHOLES)
              .with("ends", WHOLES)
              .with("axes", WHOLES)
              .folding(),
          Operator.of("Split", 1, 2, setup -> RearrangingOperators::split)
              .outputs(Operator.VARIADIC)
              .with("axis", WHOLE)
              .with("split", WHOLES)
              .with("num_outputs", WHOLE)
              .folding(),
          Operator.of("Concat", 1, Operator.VARIADIC, setup -> RearrangingOperators::concat)
              .with("axis", WHOLE)
              .folding(),
          Operator.of("Gather", 2, 2, setup -> RearrangingOperators::gather)
              .with("axis", WHOLE)
              .folding(),
          Operator.of("ReverseSequence", 2, 2, setup -> RearrangingOperators::reverse)
              .with("batch_axis", WHOLE)
              .with("time_axis", WHOLE)
              .folding(),
          Operator.of("Expand", 2, 2, setup -> RearrangingOperators::expand).folding(),
          Operator.of("Tile", 2, 2, setup -> RearrangingOperators::tile).folding());

  private RearrangingOperators() {}

  /** Axes of an attribute of older opsets or of an input; null where neither is there. */
  static int @Nullable [] axes(Call call, String attribute, int input) {
    long[] found = call.node().wholes(attribute);
    if (found != null) {
      return Arrays.stream(found).mapToInt(Math::toIntExact).toArray();
    }
    return call.has(input) ? call.sizes(input) : null;
  }

  /** The numbers of axes that may be counted from the last one, each once. */
  static int[] axes(Call call, Dims dims, int... axes) {
    int[] numbers = Arrays.stream(axes).map(dims::axis).sorted().toArray();
    for (int i = 1; i < numbers.length; i++) {
      if (numbers[i] == numbers[i - 1]) {
        throw call.refuse("axes=%s of %s; need each once".formatted(Arrays.toString(axes), dims));
      }
    }
    return numbers;
  }

  private static List<Value> transpose(Call call) {
    int rank = call.dims(0).rank();
    int[] axes = axes(call, "perm", call.inputs());
    if (axes == null) {
      axes = IntStream.range(0, rank).map(i -> rank - 1 - i).toArray();
    } else if (axes.length != rank || axes(call, call.dims(0), axes).length != rank) {
      throw call.refuse("perm=%s of %s".formatted(Arrays.toString(axes), call.dims(0)));
    }
    return List.of(Rearranging.permute(call, call.value(0), axes));
  }

  // Other dimensions of the same values.

  private static List<Value> reshape(Call call) {
    Dims dims = call.dims(0);
    int[] sizes = call.sizes(1).clone();
    boolean copiesZeros = !call.node().flag("allowzero", false);
    int open = -1;
    long known = 1;
    for (int i = 0; i < sizes.length; i++) {
      if (sizes[i] == 0 && copiesZeros && i < dims.rank()) {
        sizes[i] = dims.size(i);
      }
      if (sizes[i] == -1 && open < 0) {
        open = i;
      } else {
        known = Math.multiplyExact(known, sizes[i]);
      }
    }
    if (open >= 0 && known > 0) {
      sizes[open] = (int) (dims.count() / known);
    }
    if (Arrays.stream(sizes).anyMatch(size -> size < 0) || Dims.of(sizes).count() != dims.count()) {
      throw call.refuse(
          "shape=%s of %s; need sizes of as many values"
              .formatted(Arrays.toString(call.sizes(1)), dims));
    }
    return List.of(Rearranging.resized(call.value(0), Dims.of(sizes)));
  }

  private static List<Value> flatten(Call call) {
    Dims dims = call.dims(0);
    long axis = call.node().whole("axis", 1);
    int split = axis == dims.rank() ? dims.rank() : dims.axis(axis);
    Dims flat = Dims.of(dims.product(0, split), dims.product(split, dims.rank()));
    return List.of(Rearranging.resized(call.value(0), flat));
  }

  private static List<Value> squeeze(Call call) {
    Dims dims = call.dims(0);
    int[] given = axes(call, "axes", 1);
    int[] axes =
        given == null
            ? IntStream.range(0, dims.rank()).filter(i -> dims.size(i) == 1).toArray()
            : axes(call, dims, given);
    Value result = call.value(0);
    for (int i = axes.length - 1; i >= 0; i--) {
      if (dims.size(axes[i]) != 1) {
        throw call.refuse("dimension %d of %s; need size 1".formatted(axes[i], dims));
      }
      result = Rearranging.squeezed(result, axes[i]);
    }
    return List.of(result);
  }

  private static List<Value> unsqueeze(Call call) {
    int[] given = axes(call, "axes", 1);
    if (given == null) {
      throw call.refuse("no axes; need some");
    }
    int[] ones = new int[call.dims(0).rank() + given.length];
    Value result = call.value(0);
    for (int axis : axes(call, Dims.of(ones), given)) {
      result = Rearranging.unsqueezed(result, axis);
    }
    return List.of(result);
  }

  // Parts.

  private static List<Value> slice(Call call) {
    boolean isOld = call.node().opset() < 10;
    long[] starts = isOld ? required(call, "starts") : call.integers(1);
    long[] ends = isOld ? required(call, "ends") : call.integers(2);
    long[] steps = !isOld && call.has(4) ? call.integers(4) : null;
    int[] given = axes(call, "axes", isOld ? call.inputs() : 3);
    int[] axes = given == null ? IntStream.range(0, starts.length).toArray() : given;
    if (ends.length != starts.length
        || axes.length != starts.length
        || (steps != null && steps.length != starts.length)) {
      throw call.refuse("starts, ends, axes or steps are more than others; need as many");
    }
    Value result = call.value(0);
    for (int i = 0; i < axes.length; i++) {
      int axis = call.dims(0).axis(axes[i]);
      long step = steps == null ? 1 : steps[i];
      int size = call.dims(0).size(axis);
      if (step == 1 && (starts[i] == 0 || starts[i] <= -size) && ends[i] >= size) {
        continue; // all of it
      }
      int[] indexes = indexes(call, size, starts[i], ends[i], step);
      result = Rearranging.pick(call, result, axis, indexes);
    }
    return List.of(result);
  }

  private static long[] required(Call call, String attribute) {
    long[] found = call.node().wholes(attribute);
    if (found == null) {
      throw call.refuse("no attribute " + attribute + "; need one");
    }
    return found;
  }

  /** The indexes of a slice, whose bounds may be beyond the dimension or count from its end. */
  private static int[] indexes(Call call, int size, long start, long end, long step) {
    if (size == 0) {
      return new int[0];
    }
    if (step == 0) {
      throw call.refuse("step=0; need another");
    }
    long first = Math.clamp(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
    long last = Math.clamp(end < 0 ? end + size : end, step > 0 ? 0 : -1, size);
    long count = Math.max(0, Math.ceilDiv(last - first, step));
    int[] indexes = new int[(int) count];
    Arrays.setAll(indexes, i -> (int) (first + i * step));
    return indexes;
  }

  private static List<Value> split(Call call) {
    Value x = call.value(0);
    int axis = x.dims().axis(call.node().whole("axis", 0));
    int size = x.dims().size(axis);
    int[] lengths = axes(call, "split", 1);
    if (lengths == null) {
      int parts = Math.toIntExact(call.node().whole("num_outputs", call.node().outputs().size()));
      if (parts < 1 || parts > Math.max(1, size)) {
        throw call.refuse("num_outputs=%d of %s".formatted(parts, x.dims()));
      }
      int length = Math.ceilDiv(size, parts);
      lengths = new int[parts];
      Arrays.fill(lengths, length);
      lengths[parts - 1] = size - length * (parts - 1);
    }
    if (Arrays.stream(lengths).anyMatch(n -> n < 0)
        || Arrays.stream(lengths).asLongStream().sum() != size) {
      throw call.refuse(
          "split=%s of %s, dimension %d; need lengths of its size together"
              .formatted(Arrays.toString(lengths), x.dims(), axis));
    }
    List<Value> parts = new ArrayList<>();
    int from = 0;
    for (int length : lengths) {
      parts.add(Rearranging.part(call, x, axis, from, from + length));
      from += length;
    }
    return parts;
  }

  private static List<Value> concat(Call call) {
    if (!call.node().has("axis")) {
      throw call.refuse("no attribute axis; need one");
    }
    int axis = call.dims(0).axis(call.node().whole("axis", 0));
    List<Value> parts = new ArrayList<>();
    for (int i = 0; i < call.inputs(); i++) {
      parts.add(call.value(i));
      if (call.dims(i).rank() != call.dims(0).rank()) {
        throw call.refuse(
            "%s and %s; need as many dimensions".formatted(call.dims(0), call.dims(i)));
      }
    }
    return List.of(Rearranging.join(call, axis, parts));
  }

  private static List<Value> gather(Call call) {
    Dims dims = call.dims(0);
    int axis = dims.axis(call.node().whole("axis", 0));
    int size = dims.size(axis);
    int[] indexes = call.sizes(1).clone();
    for (int i = 0; i < indexes.length; i++) {
      if (indexes[i] < -size || indexes[i] >= size) {
        throw call.refuse(
            "index %d of %s, dimension %d; need -%d ≤ index < %d"
                .formatted(indexes[i], dims, axis, size, size));
      }
      indexes[i] += indexes[i] < 0 ? size : 0;
    }
    Value picked = Rearranging.pick(call, call.value(0), axis, indexes);
    Dims shape = call.dims(1);
    if (shape.rank() == 0) {
      return List.of(Rearranging.squeezed(picked, axis));
    }
    Dims result = picked.dims().without(axis);
    for (int i = shape.rank() - 1; i >= 0; i--) {
      result = result.insert(axis, shape.size(i));
    }
    return List.of(
        picked instanceof Value.OnTape on
            ? new Value.OnTape(result, Order.replaced(on.order(), axis, shape.rank()), on.held())
            : Rearranging.resized(picked, result));
  }

  /** The first steps of each sequence in reverse, as many as its length. */
  private static List<Value> reverse(Call call) {
    Dims dims = call.dims(0);
    int batchAxis = dims.axis(call.node().whole("batch_axis", 1));
    int timeAxis = dims.axis(call.node().whole("time_axis", 0));
    if (batchAxis + timeAxis != 1) {
      throw call.refuse("batch_axis=%d, time_axis=%d; need 0 and 1".formatted(batchAxis, timeAxis));
    }
    int batch = dims.size(batchAxis);
    int time = dims.size(timeAxis);
    int[] lengths = call.sizes(1);
    if (lengths.length != batch
        || Arrays.stream(lengths).anyMatch(length -> length < 0 || length > time)) {
      throw call.refuse(
          "sequence_lens=%s of x=%s; need %d from 0 to %d"
              .formatted(Arrays.toString(lengths), dims, batch, time));
    }
    if (Arrays.stream(lengths).distinct().count() == 1) {
      int[] steps = new int[time];
      Arrays.setAll(steps, t -> t < lengths[0] ? lengths[0] - 1 - t : t);
      return List.of(Rearranging.pick(call, call.value(0), timeAxis, steps));
    }
    int[] columns = new int[batch * time];
    for (int t = 0; t < time; t++) {
      for (int b = 0; b < batch; b++) {
        int from = t < lengths[b] ? lengths[b] - 1 - t : t;
        columns[timeAxis == 0 ? t * batch + b : b * time + t] =
            timeAxis == 0 ? from * batch + b : b * time + from;
      }
    }
    Dims together = dims.without(0).with(0, batch * time);
    Value all = Rearranging.resized(call.value(0), together);
    return List.of(Rearranging.resized(Rearranging.pick(call, all, 0, columns), dims));
  }

  // Repetitions.

  private static List<Value> expand(Call call) {
    Dims to = call.dims(0).broadcast(Dims.of(call.sizes(1)));
    return List.of(Rearranging.expanded(call, call.value(0), to));
  }

  private static List<Value> tile(Call call) {
    int[] repeats = call.sizes(1);
    Value result = call.value(0);
    if (repeats.length != result.dims().rank()) {
      throw call.refuse(
          "repeats=%s of %s; need one per dimension"
              .formatted(Arrays.toString(repeats), result.dims()));
    }
    for (int axis = 0; axis < repeats.length; axis++) {
      int size = result.dims().size(axis);
      if (repeats[axis] < 0) {
        throw call.refuse("repeats=%s; need 0 or more".formatted(Arrays.toString(repeats)));
      }
      Dims dims = result.dims().with(axis, Math.multiplyExact(size, repeats[axis]));
      if (repeats[axis] != 1) {
        int[] indexes = new int[call.host(dims).size(axis)];
        Arrays.setAll(indexes, i -> i % size);
        result = Rearranging.pick(call, result, axis, indexes);
      }
    }
    return List.of(result);
  }
}

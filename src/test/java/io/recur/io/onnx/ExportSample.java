package io.recur.io.onnx;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cells;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model that is exported, with its answers: four calls with other batches and lengths each, of
 * which the second and the fourth continue the streams of the call before.
 *
 * @param name of the file
 * @param model what is exported
 * @param pool what becomes of the steps: last, mean or max; or empty
 * @param head behind that, or null
 * @param rows of x
 * @param isIndex whether x holds numbers of classes
 * @param least the fewest steps
 * @param hasLengths whether the model is also exported with lengths
 */
record ExportSample(
    String name,
    Layer model,
    String pool,
    @Nullable Layer head,
    int rows,
    boolean isIndex,
    int least,
    boolean hasLengths) {
  private static final long SEED = 14;

  /** The models that do not say how many rows x has. */
  private static final Set<String> WITHOUT_ROWS =
      Set.of(
          "cell_without_matrix",
          "cell_of_parameters",
          "attention_dot",
          "chain_empty",
          "users_operations");

  /** A call: its sequences and steps beyond the fewest, and whether it continues the one before. */
  private record Call(String name, int batch, int more, boolean continues) {}

  private static final List<Call> CALLS =
      List.of(
          new Call("first", 3, 4, false),
          new Call("second", 3, 2, true),
          new Call("one", 1, 0, false),
          new Call("spread", 2, 6, true));

  static ExportSample of(String name, int rows, Layer model) {
    return new ExportSample(name, model, "", null, rows, false, 1, true);
  }

  ExportSample ofClasses() {
    return new ExportSample(name, model, pool, head, rows, true, least, hasLengths);
  }

  ExportSample least(int steps) {
    return new ExportSample(name, model, pool, head, rows, isIndex, steps, hasLengths);
  }

  ExportSample withoutLengths() {
    return new ExportSample(name, model, pool, head, rows, isIndex, least, false);
  }

  ExportSample pooled(String pool, Layer head) {
    return new ExportSample(name, model, pool, head, rows, isIndex, least, hasLengths);
  }

  private Layer whole() {
    return head == null ? model : new Chain(List.of(model, head));
  }

  /** Gives the model memory and random values, initial states and running variances too. */
  ExportSample on(Device device) {
    Random random = new Random(SEED);
    whole().on(device, SEED);
    whole()
        .parameters()
        .named()
        .forEach(
            (name, parameter) -> {
              float[] values = Cells.values(random, parameter.shape().count());
              if (name.endsWith("variance")) {
                for (int i = 0; i < values.length; i++) {
                  values[i] = 0.2f + Math.abs(values[i]);
                }
              }
              if (parameter.isTrainable() || name.endsWith("mean") || name.endsWith("variance")) {
                parameter.value().slice(0, values.length).write(values);
              }
            });
    return this;
  }

  OnnxExport export(boolean lengths) {
    OnnxExport export = OnnxExport.of(model);
    export = WITHOUT_ROWS.contains(name) ? export.features(rows) : export;
    export = isIndex ? export.oneHot() : export;
    export = lengths ? export.lengths() : export;
    export =
        switch (pool) {
          case "last" -> export.last();
          case "mean" -> export.mean();
          case "max" -> export.max();
          default -> export;
        };
    return head == null ? export : export.then(head);
  }

  // Answers.

  /** Writes what goes in and comes out of all calls, by the names of the graph. */
  void writeAnswers(Device device, Path file, boolean lengths) throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    Random random = new Random(SEED);
    for (Call call : CALLS) {
      if (!call.continues) {
        model.reset();
      }
      try (Tape tape = Tape.inference(device)) {
        answer(tape, call, lengths, random, tensors);
      }
    }
    String continuing =
        CALLS.stream().filter(Call::continues).map(Call::name).collect(Collectors.joining(" "));
    new Safetensors(Map.of("continues", continuing, "index", Boolean.toString(isIndex)), tensors)
        .write(file);
  }

  private void answer(
      Tape tape, Call call, boolean lengths, Random random, Map<String, StoredTensor> tensors) {
    int steps = least + call.more;
    String in = call.name + "/in/";
    giveStates(tape, call, random, in, tensors);
    Tensor x = input(tape, call.batch, steps, random, in, tensors);
    int[] its = lengths ? lengths(call.batch, steps) : null;
    if (its != null) {
      tensors.put(in + "lengths", new StoredTensor(new int[] {its.length}, floats(its)));
    }
    put(tensors, call.name + "/out/y", its == null ? answer(x) : answer(Padded.of(x, its)));
    stateNames()
        .forEach(
            (recur, names) -> {
              List<Tensor> parts = recur.state().parts();
              for (int i = 0; i < names.size(); i++) {
                put(tensors, call.name + "/out/" + names.get(i) + ".next", parts.get(i));
              }
            });
  }

  private static float[] floats(int[] integers) {
    float[] values = new float[integers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = integers[i];
    }
    return values;
  }

  /** All of the first sequence, fewer of the next ones, nothing of the last. */
  private static int[] lengths(int batch, int steps) {
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, i -> i == 0 ? steps : i == batch - 1 ? 0 : Math.max(1, steps / 2));
    return lengths;
  }

  private Tensor input(
      Tape tape,
      int batch,
      int steps,
      Random random,
      String in,
      Map<String, StoredTensor> tensors) {
    Shape shape = Shape.of(rows, batch, steps);
    if (isIndex) {
      int[] index = random.ints(batch * steps, 0, rows).toArray();
      tensors.put(in + "x", new StoredTensor(new int[] {batch, steps}, floats(index)));
      return tape.oneHot(shape, index);
    }
    float[] values = Cells.values(random, shape.count());
    tensors.put(in + "x", new StoredTensor(shape.dimensions(), values));
    return tape.input(shape, values);
  }

  /** Gives a state to what has no initial one. */
  private void giveStates(
      Tape tape, Call call, Random random, String in, Map<String, StoredTensor> tensors) {
    stateNames()
        .forEach(
            (recur, names) -> {
              List<Parameter> state0 = recur.cell().state0();
              if (!call.continues && !recur.own().containsAll(state0)) {
                List<Tensor> parts = new ArrayList<>();
                for (int i = 0; i < names.size(); i++) {
                  Shape shape = Shape.of(state0.get(i).shape().rows(), call.batch);
                  float[] values = Cells.values(random, shape.count());
                  tensors.put(in + names.get(i), new StoredTensor(shape.dimensions(), values));
                  parts.add(tape.input(shape, values));
                }
                recur.state(State.of(parts.toArray(Tensor[]::new)));
              }
            });
  }

  private Tensor answer(Tensor x) {
    Tensor y = model.apply(x);
    Tensor pooled =
        switch (pool) {
          case "last" -> y.time(y.shape().time() - 1);
          case "mean" -> y.mean(Dimension.TIME);
          case "max" -> y.max(Dimension.TIME);
          default -> y;
        };
    return head == null ? pooled : head.apply(pooled);
  }

  private Tensor answer(Padded x) {
    Padded y = model.apply(x);
    if (pool.isEmpty()) {
      return y.data();
    }
    Tensor pooled = pool.equals("last") ? y.last() : pool.equals("mean") ? y.mean() : y.max();
    return head == null ? pooled : head.apply(pooled);
  }

  private static void put(Map<String, StoredTensor> tensors, String name, Tensor value) {
    tensors.put(name, new StoredTensor(value.shape().dimensions(), value.toArray()));
  }

  /** The names of the states that are inputs: not those that begin each call anew. */
  private Map<Recur, List<String>> stateNames() {
    Map<Parameter, String> named = new IdentityHashMap<>();
    whole().parameters().named().forEach((name, parameter) -> named.put(parameter, name));
    List<Recur> backward =
        model.all().stream()
            .filter(Bidirectional.class::isInstance)
            .map(layer -> ((Bidirectional) layer).backward())
            .toList();
    Map<Recur, List<String>> names = new LinkedHashMap<>();
    List<String> taken = new ArrayList<>();
    for (Recur recur : model.recurs()) {
      if (!backward.contains(recur)) {
        List<String> its = new ArrayList<>();
        for (Parameter part : recur.cell().state0()) {
          String name = named.getOrDefault(part, part.name());
          its.add(taken.contains(name) ? name + ".2" : name);
          taken.add(name);
        }
        names.put(recur, its);
      }
    }
    return names;
  }
}

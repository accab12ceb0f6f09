package io.recur.serve.http;

import io.recur.io.json.Numbers;
import io.recur.serve.Request;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The input of a request: one step, or a sequence of the only session that a request has.
 *
 * @param sizes as the client sent them
 * @param steps 1 or more
 * @param request of the steps
 * @param areSymbols whether each step is an index
 */
record InputTensor(int[] sizes, int steps, Request request, boolean areSymbols) {
  private static final int MOST_RANK = 4;

  /**
   * Reads the input of a request.
   *
   * @param binary the bytes behind the JSON, of which this input takes all
   */
  static InputTensor read(ServedModel model, Fields json, ByteBuffer binary) {
    List<Fields> inputs = json.objects("inputs");
    if (inputs.size() != 1) {
      throw new Refusal(
          Refusal.BAD,
          "inputs: %d tensors; model %s takes one, \"%s\""
              .formatted(inputs.size(), model.name(), model.input()));
    }
    Fields input = inputs.getFirst();
    if (!input.text("name").equals(model.input())) {
      throw input.wrong("name", "\"%s\", the input of %s".formatted(model.input(), model.name()));
    }
    Datatype type = Datatype.of(input.text("datatype"));
    int[] sizes = input.sizes("shape", MOST_RANK);
    int count = count(input, sizes);
    boolean areSymbols = type.isWhole;
    if (areSymbols && !model.takesSymbols()) {
      throw input.wrong("datatype", "FP32: model %s takes no symbols".formatted(model.name()));
    }
    float @Nullable [] floats = null;
    double[] values = {};
    if (type == Datatype.FP32 && isBinary(input)) {
      floats = new float[count];
      bytes(input, type, count, binary).asFloatBuffer().get(floats);
    } else if (isBinary(input)) {
      ByteBuffer bytes = bytes(input, type, count, binary);
      values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = type.next(bytes);
      }
    } else {
      values = numbers(input, count);
    }
    if (binary.hasRemaining()) {
      throw new Refusal(
          Refusal.BAD,
          "body: %d bytes behind the last tensor; need none".formatted(binary.remaining()));
    }
    return areSymbols
        ? symbols(model, sizes, values)
        : dense(model, sizes, floats == null ? floats(values) : floats);
  }

  private static int count(Fields input, int... sizes) {
    long count = 1;
    for (int size : sizes) {
      count *= size;
      if (count > Integer.MAX_VALUE - 8) {
        throw input.wrong("shape", "fewer values; %d are too many".formatted(count));
      }
    }
    return (int) count;
  }

  // Values.

  private static boolean isBinary(Fields input) {
    return input.object("parameters").has("binary_data_size");
  }

  private static ByteBuffer bytes(Fields input, Datatype type, int count, ByteBuffer binary) {
    long need = (long) count * type.bytes;
    long given = input.object("parameters").whole("binary_data_size", 0, Long.MAX_VALUE, 0);
    if (given != need || binary.remaining() < need) {
      throw new Refusal(
          Refusal.BAD,
          "input: binary_data_size=%d, %d bytes behind the JSON; shape and %s need %d"
              .formatted(given, binary.remaining(), type, need));
    }
    ByteBuffer bytes = binary.slice(binary.position(), (int) need).order(ByteOrder.LITTLE_ENDIAN);
    binary.position(binary.position() + (int) need);
    return bytes;
  }

  /** The numbers of an array, or of arrays in it: the protocol allows both. */
  private static double[] numbers(Fields input, int count) {
    double[] values = new double[count];
    if (!(input.value("data") instanceof List<?> data)) {
      throw input.wrong("data", "an array of %d numbers, or binary_data_size".formatted(count));
    }
    int found = add(input, data, values, 0);
    if (found != count) {
      throw new Refusal(
          Refusal.BAD,
          "input: data has %d numbers; shape=%s needs %d"
              .formatted(found, Arrays.toString(input.sizes("shape", MOST_RANK)), count));
    }
    return values;
  }

  /** Adds numbers, and counts also those for which there is no place. */
  private static int add(Fields input, List<?> data, double[] to, int from) {
    int at = from;
    if (data instanceof Numbers numbers) {
      for (int i = 0; i < numbers.size(); i++, at++) {
        if (at < to.length) {
          to[at] = numbers.at(i);
        }
      }
      return at;
    }
    for (Object one : data) {
      if (one instanceof List<?> inner) {
        at = add(input, inner, to, at);
      } else if (one instanceof Number number) {
        if (at < to.length) {
          to[at] = number.doubleValue();
        }
        at++;
      } else {
        throw input.wrong("data", "numbers alone");
      }
    }
    return at;
  }

  private static float[] floats(double... values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  // Steps.

  private static InputTensor dense(ServedModel model, int[] sizes, float... values) {
    int rows = sizes[sizes.length - 1];
    if (model.in() > 0 && rows != model.in()) {
      throw new Refusal(
          Refusal.BAD,
          "input: shape=%s, %d values in a step; model %s takes %d"
              .formatted(Arrays.toString(sizes), rows, model.name(), model.in()));
    }
    int steps = steps(sizes, sizes.length - 1);
    if (steps == 1) { // a sequence of one step shares a batch with steps
      return new InputTensor(sizes, 1, Request.of(values), false);
    }
    float[][] sequence = new float[steps][];
    for (int t = 0; t < steps; t++) {
      sequence[t] = Arrays.copyOfRange(values, rows * t, rows * (t + 1));
    }
    return new InputTensor(sizes, steps, Request.of(sequence), false);
  }

  private static InputTensor symbols(ServedModel model, int[] sizes, double... values) {
    int steps = steps(sizes, sizes.length);
    int[] indexes = new int[values.length];
    for (int i = 0; i < indexes.length; i++) {
      if (values[i] < 0 || values[i] >= model.in() || values[i] != Math.rint(values[i])) {
        throw new Refusal(
            Refusal.BAD,
            "input: symbol %d is %s; need a whole number from 0 to %d"
                .formatted(i, values[i], model.in() - 1));
      }
      indexes[i] = (int) values[i];
    }
    Request request =
        steps == 1 ? Request.symbol(model.in(), indexes[0]) : Request.symbols(model.in(), indexes);
    return new InputTensor(sizes, steps, request, true);
  }

  /** The steps: of the first sizes one may be more than 1, since a request is of one session. */
  private static int steps(int[] sizes, int outer) {
    int steps = 1;
    for (int i = 0; i < outer; i++) {
      if (steps > 1 && sizes[i] > 1) {
        throw new Refusal(
            Refusal.BAD,
            "input: shape=%s; need one batch of one sequence, such as [time, values]"
                .formatted(Arrays.toString(sizes)));
      }
      steps *= sizes[i];
    }
    return steps;
  }

  /** The sizes of an answer in the order of the input's: values stand where a step's stood. */
  int[] answerSizes(int length, int rows) {
    if (length != (long) steps * rows) {
      return new int[] {length / rows, rows}; // a model that gives other steps than it takes
    }
    int[] all = Arrays.copyOf(sizes, areSymbols ? sizes.length + 1 : sizes.length);
    all[all.length - 1] = rows;
    return all;
  }
}

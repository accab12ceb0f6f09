package io.recur.io.onnx;

import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Recur;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of a node: its inputs as the graph has them, and where it computes.
 *
 * <p>Floats come {@linkplain #tensor as tensors} or {@linkplain #reals on the host}, integers and
 * booleans on the host. An operator that {@linkplain Operator#folds folds} gets no tape where the
 * model is read: it calls {@link #isOnHost} first and computes on the host.
 */
final class Call {
  /** The values that one node may make of none where a model is read. */
  private static final long FEW = 1 << 20;

  /** The values that one node may make on the host. */
  static final int MOST_ON_HOST = 1 << 26;

  private final Node node;
  private final @Nullable Execution execution;
  private final @Nullable Scope scope;
  private final @Nullable Value[] inputs;

  Call(Node node, @Nullable Execution execution, @Nullable Scope scope, @Nullable Value... inputs) {
    this.node = node;
    this.execution = execution;
    this.scope = scope;
    this.inputs = inputs;
  }

  Node node() {
    return node;
  }

  /** The number of inputs, those left out included. */
  int inputs() {
    return inputs.length;
  }

  boolean has(int i) {
    return i < inputs.length && inputs[i] != null;
  }

  /** An input, which must be there. */
  Value value(int i) {
    Value found = i < inputs.length ? inputs[i] : null;
    if (found == null) {
      throw node.refuse("input %d is left out; it is required".formatted(i));
    }
    return found;
  }

  Dims dims(int i) {
    return value(i).dims();
  }

  /** Whether all inputs are on the host, so that the result is computed there. */
  boolean isOnHost() {
    for (Value input : inputs) {
      if (input instanceof Value.OnTape) {
        return false;
      }
    }
    return true;
  }

  // Floats.

  /**
   * Floats as a tensor of the shape {@link Dims#shape}: on the tape, or a parameter. Floats on the
   * host are copied to the tape.
   */
  Tensor tensor(int i) {
    return switch (value(i)) {
      case Value.OnTape on -> on.tensor();
      case Value.Reals reals -> copied(i, reals);
      case Value.Integers integers ->
          throw node.refuse(
              "input %d is %s%s; need floats".formatted(i, integers.type(), integers.dims()));
    };
  }

  private Tensor copied(int i, Value.Reals reals) {
    if (reals.dims().count() == 0) {
      throw node.refuse("input %d is empty, %s; need values".formatted(i, reals.dims()));
    }
    return tape().input(reals.dims().shape(), reals.values());
  }

  /** The same on the tape: a parameter is copied, so that operations with it alone are recorded. */
  Tensor onTape(int i) {
    Tensor found = tensor(i);
    return found.tape() == null ? tape().use(found) : found;
  }

  /** Floats on the host: those of a tensor are read from the device. Not to be changed. */
  float[] reals(int i) {
    return switch (value(i)) {
      case Value.OnTape on -> on.tensor().toArray();
      case Value.Reals reals -> reals.values();
      case Value.Integers integers ->
          throw node.refuse(
              "input %d is %s%s; need floats".formatted(i, integers.type(), integers.dims()));
    };
  }

  /** One float on the host. */
  float real(int i) {
    float[] found = reals(i);
    if (found.length != 1) {
      throw node.refuse("input %d is %s; need one value".formatted(i, dims(i)));
    }
    return found[0];
  }

  // Integers.

  /** Integers or booleans. Not to be changed. */
  long[] integers(int i) {
    if (value(i) instanceof Value.Integers found) {
      return found.values();
    }
    throw node.refuse("input %d is floats %s; need integers".formatted(i, dims(i)));
  }

  /** Integers that fit an int, such as sizes or axes. */
  int[] sizes(int i) {
    long[] found = integers(i);
    int[] sizes = new int[found.length];
    for (int k = 0; k < sizes.length; k++) {
      if (found[k] < Integer.MIN_VALUE || found[k] > Integer.MAX_VALUE) {
        throw node.refuse("input %d has %d; need 32 bits".formatted(i, found[k]));
      }
      sizes[k] = (int) found[k];
    }
    return sizes;
  }

  /** One integer. */
  long integer(int i) {
    long[] found = integers(i);
    if (found.length != 1) {
      throw node.refuse("input %d is %s; need one value".formatted(i, dims(i)));
    }
    return found[0];
  }

  /**
   * Refuses more values than a node may make on the host, before they are made. Where the model is
   * read, a node that makes many from few is left to the run.
   */
  Dims host(Dims dims) {
    if (execution == null && dims.count() > FEW + 4 * given()) {
      throw new NoTape("onnx: node " + node + " makes " + dims);
    }
    if (dims.count() > MOST_ON_HOST) {
      throw node.refuse("%s are %d values; at most %d".formatted(dims, dims.count(), MOST_ON_HOST));
    }
    return dims;
  }

  /** The values of all inputs. */
  private long given() {
    long given = 0;
    for (Value input : inputs) {
      given += input == null ? 0 : input.dims().count();
    }
    return given;
  }

  /** A node is not computed where the model is read. */
  static final class NoTape extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    NoTape(String message) {
      super(message);
    }
  }

  // The run.

  /** The tape of the call. */
  Tape tape() {
    return execution().tape();
  }

  private Execution execution() {
    if (execution == null) {
      throw new NoTape("onnx: node " + node + " needs a tape");
    }
    return execution;
  }

  /** A Recur that {@link Setup#recur} has added, as this model has it. */
  Recur recur(int number) {
    return execution().recurs().get(number);
  }

  /**
   * Runs a subgraph.
   *
   * @param body prepared by {@link Setup#body}
   * @param given its inputs, as many as it has
   * @return its outputs
   */
  List<Value> run(Body body, List<Value> given) {
    return body.run(execution(), scope, given);
  }

  /** An error about the node. */
  IllegalArgumentException refuse(String what) {
    return node.refuse(what);
  }
}

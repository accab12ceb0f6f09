package io.recur.grad;

import io.recur.device.Device;
import io.recur.grad.Graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Records what a step computes as a {@link Graph}. The step runs for real, on a tape of its own:
 * each operation describes itself by a node, see {@link Op#trace}.
 *
 * <p>The step runs twice with different values. What ends the trace with a reason: an operation
 * without nodes, one that mixes columns, a value that is read, a tensor that is neither computed
 * from x and the state nor a {@link Parameter}, an exception, or two graphs that differ.
 *
 * <pre>{@code
 * Trace.Result result =
 *     Trace.of(device, true, Shape.of(3, 8), false, List.of(Shape.of(5, 8)), (state, x) -> {
 *       Tensor h = Functions.tanh(W.matmul(x).add(state.getFirst()));
 *       return List.of(h, h);                          // the new state, then y
 *     });
 * Graph graph = result.graph();                        // null where result.reason() says why
 * }</pre>
 */
public final class Trace {
  /** A step as a function of tensors. */
  @FunctionalInterface
  public interface Body {
    /**
     * Runs the step.
     *
     * @param state the parts of the state
     * @param x the input
     * @return the parts of the new state, then the output
     */
    List<Tensor> run(List<Tensor> state, Tensor x);
  }

  /**
   * What a trace gave.
   *
   * @param graph the operations of the step; null where it cannot be compiled
   * @param reason why it cannot; empty where it can
   */
  public record Result(@Nullable Graph graph, String reason) {}

  /**
   * What an operation of a step gave.
   *
   * @param number of the node
   * @param node the operation
   * @param values rows × batch
   */
  public record Value(int number, Node node, float[] values) {}

  /** The number of what is no node. Its operations are not described. */
  private static final int NONE = -1;

  /** The trace of each thread: reading a parameter, which is on no tape, ends it. */
  private static final ThreadLocal<@Nullable Trace> PRESENT = new ThreadLocal<>();

  private final int batch;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<Node, Integer> numbers = new HashMap<>();
  private final Map<TensorData, Integer> known = new IdentityHashMap<>();
  private final TracedParameters parameters = new TracedParameters();
  private int draws;

  /** The operation that has begun, for reasons. */
  private String where = "step";

  private @Nullable String reason;

  /** What the operations give, where that is asked for. */
  private @Nullable List<Value> watched;

  private Trace(int batch) {
    this.batch = batch;
  }

  /**
   * Traces a step.
   *
   * @param device of the parameters
   * @param isRecording whether the step runs as on a tape that records: dropout then drops
   * @param x the shape of the input, in × batch
   * @param isOneHot whether the input holds one-hot columns
   * @param state the shapes of the parts of the state, rows × batch
   * @param step the step
   * @return its graph, or the reason why there is none
   */
  public static Result of(
      Device device, boolean isRecording, Shape x, boolean isOneHot, List<Shape> state, Body step) {
    Result first = once(device, isRecording, x, isOneHot, state, step, 1);
    if (first.graph() == null) {
      return first;
    }
    Result second = once(device, isRecording, x, isOneHot, state, step, 2);
    if (second.graph() == null || second.graph().equals(first.graph())) {
      return second;
    }
    return new Result(null, difference(first.graph(), second.graph()));
  }

  private static Result once(
      Device device,
      boolean isRecording,
      Shape x,
      boolean isOneHot,
      List<Shape> state,
      Body step,
      long seed) {
    Trace trace = new Trace(x.batch());
    Trace outer = PRESENT.get();
    try (Tape tape = isRecording ? Tape.on(device) : Tape.inference(device)) {
      Random random = new Random(seed);
      Tensor input = input(tape, x, isOneHot, random);
      List<Tensor> parts = new ArrayList<>();
      for (Shape shape : state) {
        parts.add(input(tape, shape, false, random));
      }
      trace.give(input, new Node.Input(x.rows(), isOneHot));
      for (int i = 0; i < parts.size(); i++) {
        trace.give(parts.get(i), new Node.State(i, state.get(i).rows()));
      }
      PRESENT.set(trace);
      tape.trace(trace);
      return trace.result(state, step.run(List.copyOf(parts), input));
    } catch (RuntimeException e) { // the call that is traced runs the step again and throws it
      return new Result(null, trace.reason != null ? trace.reason : "step: it throws " + e);
    } finally {
      PRESENT.set(outer);
    }
  }

  /**
   * Runs a step and returns what each of its operations gives.
   *
   * @param tape of the state and x, to be closed afterwards
   * @param state the parts of the state
   * @param x the input
   * @param step the step
   * @return the operations in order, up to the first that ends a trace
   */
  public static List<Value> values(Tape tape, List<Tensor> state, Tensor x, Body step) {
    Trace trace = new Trace(x.shape().batch());
    trace.give(x, new Node.Input(x.shape().rows(), x instanceof OneHot));
    for (int i = 0; i < state.size(); i++) {
      trace.give(state.get(i), new Node.State(i, state.get(i).shape().rows()));
    }
    List<Value> values = new ArrayList<>();
    trace.watched = values;
    tape.trace(trace);
    step.run(state, x);
    return values;
  }

  /** Values in ±1, or classes. */
  private static Tensor input(Tape tape, Shape shape, boolean isOneHot, Random random) {
    if (isOneHot) {
      int[] classes = new int[shape.columns()];
      for (int i = 0; i < classes.length; i++) {
        classes[i] = random.nextInt(shape.rows());
      }
      return tape.oneHot(shape, classes);
    }
    float[] values = new float[shape.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = 2 * random.nextFloat() - 1;
    }
    return tape.input(shape, values);
  }

  private static String difference(Graph a, Graph b) {
    int i = 0;
    int both = Math.min(a.nodes().size(), b.nodes().size());
    while (i < both && a.node(i).equals(b.node(i))) {
      i++;
    }
    String before = i < a.nodes().size() ? a.node(i).toString() : "nothing";
    String now = i < b.nodes().size() ? b.node(i).toString() : "nothing";
    return before.equals(now) // by another parameter, or by what is returned
        ? "step: two runs use other parameters or results; a step must do the same at every call"
        : "step: operation %d was %s in the first run and %s in the second; a step must do the same at every call"
            .formatted(i, before, now);
  }

  // The end of a step.

  private Result result(List<Shape> before, List<Tensor> after) {
    where = "step";
    if (after.size() != before.size() + 1) {
      refuse(
          "a state of %d tensors becomes one of %d; keep their number"
              .formatted(before.size(), after.size() - 1));
    }
    List<Integer> results = new ArrayList<>();
    for (int i = 0; i < after.size() && reason == null; i++) {
      results.add(result(i < before.size() ? before.get(i) : null, i, after.get(i)));
    }
    if (reason != null) {
      return new Result(null, reason);
    }
    int y = results.removeLast();
    return new Result(parameters.graph(nodes, draws, results, y), "");
  }

  /** The node of a new part of the state, or of the output where there was no such part. */
  private int result(@Nullable Shape before, int i, Tensor after) {
    String name = before == null ? "y" : "part " + i + " of the state";
    Shape shape = after.shape();
    if (shape.columns() != batch) {
      refuse(
          "%s is %s for a batch of %d; give it a column for each column of x"
              .formatted(name, shape, batch));
    } else if (before != null && before.rows() != shape.rows()) {
      refuse(
          "%s has %d rows and then %d; keep its size".formatted(name, before.rows(), shape.rows()));
    }
    return number(after);
  }

  // What operations say.

  void begin(String operation) {
    where = operation;
  }

  /** Ends the trace of this thread: a value is read. */
  static void read(String call) {
    refusePresent(
        call, "the step reads a value, and may decide by it; compute with tensors instead");
  }

  /** Ends the trace of this thread, if there is one. */
  static void refusePresent(String call, String why) {
    Trace trace = PRESENT.get();
    if (trace != null) {
      trace.refuse(call, why);
    }
  }

  /**
   * Ends the trace: the cell runs step by step.
   *
   * @param why what stands in the way; the remedy
   */
  public void refuse(String why) {
    if (reason == null) {
      reason = where + ": " + why;
    }
  }

  void refuse(String call, String why) {
    where = call;
    refuse(why);
  }

  /**
   * The number of an operand's node. Ends the trace where it has none.
   *
   * @param x an input of an operation
   * @return the number of the node
   */
  public int number(Tensor x) {
    int number = operand(x);
    if (number != NONE && nodes.get(number) instanceof Node.Input(int _, boolean hot) && hot) {
      refuse("it needs the dense values of one-hot columns; begin with a product, W.matmul(x)");
    }
    return number;
  }

  /**
   * The number of the node of a product's right factor, which may hold one-hot columns.
   *
   * @param x the right factor
   * @return the number of the node
   */
  public int factor(Tensor x) {
    return operand(x);
  }

  private int operand(Tensor x) {
    if (reason != null) {
      return NONE;
    }
    TensorData root = x.data.root;
    Shape whole = root.shape;
    if (x.shape().rows() != whole.rows() || x.shape().columns() != whole.columns()) {
      refuse(
          "%s is a part of %s, or mixes its columns; take rows with rows(from, to), and leave columns whole"
              .formatted(x.shape(), whole));
      return NONE;
    }
    if (root.tensor instanceof Parameter parameter) {
      return vector(parameter);
    }
    Integer number = known.get(root);
    if (number == null) {
      refuse(
          "a tensor %s is not computed from x, the state and parameters; make it a Parameter.fixed"
              .formatted(x.shape()));
      return NONE;
    }
    return number;
  }

  private int vector(Parameter parameter) {
    Shape shape = parameter.shape();
    if (shape.columns() != 1) {
      refuse(
          "parameter %s %s has %d columns; outside of products use those of one column"
              .formatted(parameter.name(), shape, shape.columns()));
      return NONE;
    }
    return node(new Node.Vector(parameters.place(parameter), shape.rows()));
  }

  /**
   * The number of the matrix of a product. Ends the trace where it is no parameter.
   *
   * @param w the left factor
   * @return the number of the parameter
   */
  public int matrix(Tensor w) {
    int place = parameters.matrix(w);
    if (place < 0) {
      refuse("its left factor is no parameter; give it a parameter as a whole");
    }
    return place;
  }

  /** Describes a matrix of which a sequence drops values, once for all its steps. */
  void drop(Tensor y, Parameter matrix, float rate) {
    if (draws > 0) {
      refuse("it draws a mask per sequence after one per step; drop weights first");
    }
    parameters.drop(y, matrix, rate);
  }

  /**
   * Describes an output. All operands of the node are numbers that this trace gave.
   *
   * @param y an output of the operation
   * @param node how it is computed
   */
  public void give(Tensor y, Node node) {
    if (reason == null) {
      int number = node(node);
      known.put(y.data, number);
      if (watched != null) {
        watched.add(new Value(number, node, y.toArray()));
      }
    }
  }

  /**
   * Describes a value between operands and output, for operations of several nodes.
   *
   * @param node how it is computed
   * @return its number
   */
  public int node(Node node) {
    if (reason != null) {
      return NONE;
    }
    return numbers.computeIfAbsent(
        node,
        fresh -> {
          nodes.add(fresh);
          return nodes.size() - 1;
        });
  }

  /**
   * Describes an output that has the values of a node.
   *
   * @param y an output of the operation
   * @param number the node's number
   */
  public void give(Tensor y, int number) {
    if (reason == null) {
      known.put(y.data, number);
    }
  }

  /** The number of the next random operation. Ends the trace where all columns are the same. */
  int draw(Tensor x) {
    if (x.shape().columns() != batch) {
      refuse("it draws one column for a batch of %d; draw one per column of x".formatted(batch));
    }
    return draws++;
  }
}

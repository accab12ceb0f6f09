package io.recur.compile;

import io.recur.device.Device;
import io.recur.device.kernels.Binary;
import io.recur.grad.Functions;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * What a step computes from vectors alone: it is the same at every step and in every column
 * (loop-invariant code motion). A tape that records computes it once per run, by operations of its
 * own; for other tapes it is kept until a parameter changes. The program reads it as a vector.
 */
final class Invariants {
  /** The step, in which the results are vectors. */
  final Graph graph;

  /** What the step computes. */
  private final Graph source;

  private final Device device;

  /** The nodes that are computed, operands first. */
  private final List<Integer> order = new ArrayList<>();

  /** Those of them that the rest of the step reads. */
  private final List<Integer> results = new ArrayList<>();

  /** In the graph these stand for the results; their values are those of the last update. */
  private final List<Parameter> vectors = new ArrayList<>();

  /** The parameters that the results follow from. */
  private final List<Parameter> read = new ArrayList<>();

  /** Of what was read at the last update; −1 before any. */
  private volatile long version = -1;

  Invariants(Graph source, Device device) {
    this.source = source;
    this.device = device;
    boolean[] isInvariant = new boolean[source.nodes().size()];
    for (int i = 0; i < isInvariant.length; i++) {
      isInvariant[i] = isInvariant(source.node(i), isInvariant);
    }
    for (int i = 0; i < isInvariant.length; i++) {
      if (isInvariant[i] && !(source.node(i) instanceof Node.Vector) && isRead(i, isInvariant)) {
        results.add(i);
      }
    }
    List<Parameter> parameters = new ArrayList<>(source.parameters());
    List<Node> nodes = new ArrayList<>(source.nodes());
    for (int result : results) {
      order(result);
      int rows = source.node(result).rows();
      vectors.add(Parameter.fixed(Shape.of(rows), (_, _) -> {}).on(device));
      nodes.set(result, new Node.Vector(parameters.size(), rows));
      parameters.add(vectors.getLast());
    }
    this.graph =
        results.isEmpty()
            ? source
            : new Graph(
                nodes, parameters, source.dropped(), source.draws(), source.states(), source.y());
  }

  private static boolean isInvariant(Node node, boolean[] isInvariant) {
    return switch (node) {
      case Node.Vector _ -> true;
      case Node.Map n -> isInvariant[n.a()];
      case Node.Affine n -> isInvariant[n.a()];
      case Node.Combine n -> isInvariant[n.a()] && isInvariant[n.b()];
      default -> false;
    };
  }

  /** Whether a node is a result of the step, or an operand of what is not invariant. */
  private boolean isRead(int number, boolean[] isInvariant) {
    boolean isRead = source.states().contains(number) || source.y() == number;
    for (int i = number + 1; i < isInvariant.length; i++) {
      isRead |= !isInvariant[i] && source.node(i).operands().contains(number);
    }
    return isRead;
  }

  private void order(int number) {
    if (order.contains(number)) {
      return;
    }
    Node node = source.node(number);
    node.operands().forEach(this::order);
    if (node instanceof Node.Vector vector) {
      read.add(source.parameters().get(vector.parameter()));
    }
    order.add(number);
  }

  boolean isEmpty() {
    return results.isEmpty();
  }

  /** The number of the result that a parameter of the graph stands for; −1 for none. */
  int number(Parameter parameter) {
    return vectors.indexOf(parameter);
  }

  /** Room for what is computed. */
  Tensor[] room() {
    return new Tensor[isEmpty() ? 0 : source.nodes().size()];
  }

  /** Computes the results by operations of a tape. */
  void compute(Tape tape, Tensor[] values) {
    for (int i = 0; i < order.size(); i++) {
      int number = order.get(i);
      values[number] = value(source.node(number), tape, values);
    }
  }

  /** A result among what was computed. */
  Tensor result(int number, Tensor[] values) {
    return values[results.get(number)];
  }

  private Tensor value(Node node, Tape tape, Tensor[] values) {
    return switch (node) {
      case Node.Vector n -> tape.use(source.parameters().get(n.parameter()));
      case Node.Map n -> Functions.apply(n.f(), values[n.a()]);
      case Node.Affine n -> {
        Tensor a = n.factor() == 1 ? values[n.a()] : values[n.a()].scale(n.factor());
        yield n.constant() == 0 ? a : a.add(n.constant());
      }
      case Node.Combine n -> combine(n.f(), values[n.a()], values[n.b()]);
      default -> throw new IllegalStateException("compile: " + node + " depends on the step");
    };
  }

  private static Tensor combine(Binary f, Tensor a, Tensor b) {
    return switch (f) {
      case ADD -> a.add(b);
      case SUBTRACT -> a.sub(b);
      case MULTIPLY -> a.mul(b);
      case DIVIDE -> a.div(b);
      case MINIMUM -> a.minimum(b);
      case MAXIMUM -> a.maximum(b);
      case GREATER -> a.greater(b);
      case GREATER_EQUAL -> a.greaterEqual(b);
      case LESS -> a.less(b);
      case LESS_EQUAL -> a.lessEqual(b);
      case EQUAL -> a.equal(b);
    };
  }

  /** Writes the parameters that stand for the results, if what these follow from was written. */
  void update() {
    if (!isEmpty() && version != now()) {
      refresh();
    }
  }

  /** Grows with each write to what the results follow from. */
  private long now() {
    long sum = 0;
    for (int i = 0; i < read.size(); i++) {
      sum += read.get(i).value().version();
    }
    return sum;
  }

  private synchronized void refresh() {
    long now = now();
    if (version == now) {
      return;
    }
    try (Tape tape = Tape.inference(device)) {
      Tensor[] values = room();
      compute(tape, values);
      for (int i = 0; i < results.size(); i++) {
        Tensor result = result(i, values);
        device.pointwise().copy(result.value(), vectors.get(i).value(), result.shape().count());
      }
    }
    version = now;
  }
}

package io.recur.compile;

import io.recur.compile.Tables.Purpose;
import io.recur.device.kernels.Band;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The forward pass of a graph: slices and concatenations are resolved into rows of their operands,
 * so that each term works on the rows that somebody reads. A product of an intermediate value reads
 * it from an array.
 */
final class Lowering {
  final Draft draft = new Draft();
  final Tables tables = new Tables();
  final int input;
  final int[] states;
  final int output;
  private final Graph graph;
  private final Map<Integer, Integer> operands = new HashMap<>();
  private final Map<Integer, TreeSet<Integer>> cuts = new HashMap<>();

  /** Nodes whose rows are computed together: readers of some of them take them from memory. */
  private final Set<Integer> whole;

  /** The rows of the parts of nodes that are reduced, and computed part by part. */
  private final Map<Integer, Integer> parted;

  /** Lowers the forward pass of a graph whose x has these rows. */
  static Lowering of(Graph graph, int in) {
    Lowering lowering = new Lowering(graph, in, Set.of(), Map.of());
    Set<Integer> whole = lowering.gatheredTwice();
    if (!whole.isEmpty()) {
      lowering = new Lowering(graph, in, whole, Map.of());
    }
    Map<Integer, Integer> parted = Parts.of(graph, lowering, whole);
    return parted.isEmpty() ? lowering : new Lowering(graph, in, whole, parted);
  }

  private Lowering(Graph graph, int in, Set<Integer> whole, Map<Integer, Integer> parted) {
    this.graph = graph;
    this.whole = new HashSet<>(whole);
    this.parted = parted;
    this.input = tables.matrix(in, Purpose.INPUT);
    this.states = new int[graph.states().size()];
    for (int i = 0; i < states.length; i++) {
      int rows = graph.node(graph.states().get(i)).rows();
      states[i] = tables.array(rows, Layout.MATRIX, Purpose.STATE, i);
    }
    for (Node node : graph.nodes()) {
      if (node instanceof Node.Reduce reduce && !parted.containsKey(reduce.a())) {
        this.whole.add(reduce.a());
      }
    }
    for (int i = 0; i < states.length; i++) {
      storeRows(graph.states().get(i), states[i], 1);
    }
    this.output = lowerOutput();
  }

  /**
   * Products whose parts gather the same row of a matrix, which would then add to one gradient at
   * once.
   */
  private Set<Integer> gatheredTwice() {
    List<Weights> parts = new ArrayList<>();
    for (Term term : draft.terms) {
      if (term instanceof Term.Gathered gathered) {
        parts.add(tables.weights.get(gathered.weights()));
      }
    }
    Set<Integer> found = new HashSet<>();
    for (int i = 0; i < graph.nodes().size(); i++) {
      if (graph.node(i) instanceof Node.Product product) {
        if (overlap(parts, tables.matrices.indexOf(product.parameter()))) {
          found.add(i);
        }
      }
    }
    return found;
  }

  /** Whether two of some parts have the same row of a matrix. */
  private static boolean overlap(List<Weights> parts, int matrix) {
    for (int i = 0; i < parts.size(); i++) {
      Weights a = parts.get(i);
      for (int j = 0; j < i; j++) {
        Weights b = parts.get(j);
        if (a.matrix() == matrix
            && b.matrix() == matrix
            && a.row() < b.row() + b.rows()
            && b.row() < a.row() + a.rows()) {
          return true;
        }
      }
    }
    return false;
  }

  /** The array of the output, or that of the part of the state that is the output. */
  private int lowerOutput() {
    int part = graph.states().indexOf(graph.y());
    if (part >= 0) {
      return states[part];
    }
    int array = tables.matrix(graph.node(graph.y()).rows(), Purpose.OUTPUT);
    storeRows(graph.y(), array, 0);
    return array;
  }

  /** Stores all rows of a node. */
  private void storeRows(int node, int array, int lag) {
    int from = 0;
    for (int to : ends(node)) {
      draft.store(lower(node, from, to - from), to - from, array, from, lag);
      from = to;
    }
  }

  /** The array that holds a node for those who read a part of it, or for a product; or none. */
  int arrayOf(int node) {
    return operands.getOrDefault(node, Instruction.NONE);
  }

  /** Whether all rows of a node are computed alike. */
  boolean isUncut(int node) {
    return cuts(node).isEmpty();
  }

  // Rows.

  /** Where the rows of a node that are computed together end. */
  private List<Integer> ends(int node) {
    List<Integer> ends = new ArrayList<>(cuts(node));
    ends.add(graph.node(node).rows());
    return ends;
  }

  /** The rows, but the first, from which a node consists of other parts. */
  private TreeSet<Integer> cuts(int number) {
    TreeSet<Integer> found = cuts.get(number);
    if (found == null) {
      found = new TreeSet<>();
      switch (graph.node(number)) {
        case Node.Concat node -> {
          int at = 0;
          for (int part : node.parts()) {
            found.add(at);
            addShifted(found, part, at);
            at += graph.node(part).rows();
          }
        }
        case Node.Rows node -> addShifted(found, node.a(), -node.from());
        case Node.BandProduct node -> {
          int n = graph.node(node.operand()).rows();
          for (int at = 0; at < node.rows(); at += n) {
            found.add(at);
            if (node.bandwidth() == 0) {
              addShifted(found, node.operand(), at);
            }
          }
        }
        case Node.Map node -> found.addAll(cuts(node.a()));
        case Node.Affine node -> found.addAll(cuts(node.a()));
        case Node.Drop node -> found.addAll(cuts(node.a()));
        case Node.Combine node -> {
          addOf(found, node.a(), node.rows());
          addOf(found, node.b(), node.rows());
        }
        default -> {}
      }
      found = new TreeSet<>(found.subSet(1, graph.node(number).rows()));
      cuts.put(number, found);
    }
    return found;
  }

  private void addShifted(Set<Integer> to, int node, int by) {
    for (int row : cuts(node)) {
      to.add(row + by);
    }
  }

  private void addOf(Set<Integer> to, int node, int rows) {
    if (graph.node(node).rows() == rows) {
      to.addAll(cuts(node));
    }
  }

  /** A term of some rows of a node, between which there is no cut. */
  private int lower(int number, int from, int rows) {
    Node node = graph.node(number);
    if (whole.contains(number) && rows < node.rows() && !isRead(node)) {
      return draft.load(operand(number), from, rows, 0);
    }
    return switch (node) {
      case Node.Input _ -> draft.load(input, from, rows, 0);
      case Node.State n -> draft.load(states[n.part()], from, rows, 0);
      case Node.Vector n ->
          draft.add(new Term.Vector(rows, Tables.numberOf(tables.vectors, n.parameter()), from));
      case Node.Constant n -> draft.number(n.number());
      case Node.Product n -> product(n, from, rows);
      case Node.BandProduct n -> n.bandwidth() == 0 ? diagonal(n, from, rows) : band(n, from, rows);
      case Node.Map n -> draft.map(n.f(), lower(n.a(), from, rows));
      case Node.Affine n -> draft.affine(lower(n.a(), from, rows), n.factor(), n.constant());
      case Node.Combine n ->
          draft.combine(n.f(), operandOf(n, n.a(), from, rows), operandOf(n, n.b(), from, rows));
      case Node.Rows n -> lower(n.a(), n.from() + from, rows);
      case Node.Concat n -> part(n, from, rows);
      case Node.Reduce n -> reduce(n);
      case Node.Drop n ->
          draft.add(
              new Term.Dropped(rows, lower(n.a(), from, rows), n.rate(), n.draw(), n.rows(), from));
    };
  }

  /** Whether a node is in memory. */
  private static boolean isRead(Node node) {
    return node instanceof Node.Input
        || node instanceof Node.State
        || node instanceof Node.Vector
        || node instanceof Node.Constant;
  }

  private int part(Node.Concat node, int from, int rows) {
    int at = 0;
    for (int part : node.parts()) {
      int next = at + graph.node(part).rows();
      if (from < next) {
        return lower(part, from - at, rows);
      }
      at = next;
    }
    throw new IllegalStateException("compile: row " + from + " of " + node);
  }

  /** An operand of a combination, of the same rows, or of one row that is repeated. */
  private int operandOf(Node.Combine node, int operand, int from, int rows) {
    return graph.node(operand).rows() == node.rows() && node.rows() > 1
        ? lower(operand, from, rows)
        : row(operand, rows);
  }

  /** A node of one row, for use in a section of any number of rows. */
  private int row(int number, int rows) {
    int term = lower(number, 0, 1);
    return rows == 1 || draft.isRepeatable(term) ? term : draft.load(operand(number), 0, 1, 0);
  }

  private int reduce(Node.Reduce node) {
    int a = node.a();
    if (graph.node(a).rows() == 1) {
      return node.kind() == Reduction.VARIANCE
          ? draft.combine(Binary.SUBTRACT, row(a, 2), row(a, 2))
          : row(a, 2);
    }
    int rows = graph.node(a).rows();
    if (parted.containsKey(a)) {
      List<Integer> parts = new ArrayList<>();
      for (int from = 0, each = parted.get(a); from < rows; from += each) {
        parts.add(lower(a, from, each));
      }
      return draft.reduced(node.kind(), parts);
    }
    return draft.reduced(
        node.kind(), cuts(a).isEmpty() ? lower(a, 0, rows) : draft.load(operand(a), 0, rows, 0));
  }

  // Products.

  private int product(Node.Product node, int from, int rows) {
    int matrix = Tables.numberOf(tables.matrices, node.parameter());
    Shape shape = graph.parameters().get(node.parameter()).shape();
    int sum = Instruction.NONE;
    int column = 0;
    for (int part : parts(node.operand())) {
      int columns = graph.node(part).rows();
      int weights = tables.weights(matrix, from, rows, column, columns);
      column += columns;
      boolean gathers = graph.node(part) instanceof Node.Input x && x.isOneHot();
      int term =
          gathers
              ? draft.add(new Term.Gathered(rows, weights))
              : draft.add(new Term.Times(rows, weights, false, operand(part), 0, false));
      sum = draft.sum(sum, term);
    }
    if (column != shape.columns()) {
      throw new IllegalStateException("compile: " + node + " of a matrix " + shape);
    }
    return sum;
  }

  /** Some rows of one of several stacked diagonal matrices, times the operand. */
  private int diagonal(Node.BandProduct node, int from, int rows) {
    int vector = Tables.numberOf(tables.vectors, node.parameter());
    int first = from % graph.node(node.operand()).rows();
    return draft.multiply(
        draft.add(new Term.Vector(rows, vector, from)), lower(node.operand(), first, rows));
  }

  /**
   * Some rows of one of several stacked band matrices: diagonal d times the operand from d rows
   * below. A row that the operand does not have is 0, whatever value is stored in place of its
   * weight.
   */
  private int band(Node.BandProduct node, int from, int rows) {
    int vector = Tables.numberOf(tables.vectors, node.parameter());
    Band band = new Band(node.bandwidth(), graph.node(node.operand()).rows(), 1);
    int first = from % band.n();
    int stored = from / band.n() * band.stored() + first;
    int array = operand(node.operand());
    int sum = Instruction.NONE;
    for (int d = -band.bandwidth(); d <= band.bandwidth(); d++) {
      int row = first + d;
      if (row + rows > 0 && row < band.n()) {
        int weights = draft.add(new Term.Vector(rows, vector, stored - Math.max(-d, 0)));
        sum = draft.sum(sum, draft.multiply(weights, draft.load(array, row, rows, 0)));
      }
      stored += band.n() - Math.abs(d);
    }
    return sum;
  }

  /** The number of values of a vector. */
  int length(int vector) {
    return graph.parameters().get(tables.vectors.get(vector)).shape().count();
  }

  /** The parts of a concatenation, or the node itself. */
  private List<Integer> parts(int number) {
    if (!(graph.node(number) instanceof Node.Concat concat)) {
      return List.of(number);
    }
    List<Integer> parts = new ArrayList<>();
    for (int part : concat.parts()) {
      parts.addAll(parts(part));
    }
    return parts;
  }

  /** The array that holds a node for products and reductions. */
  private int operand(int number) {
    if (graph.node(number) instanceof Node.Input) {
      return input;
    }
    if (graph.node(number) instanceof Node.State state) {
      return states[state.part()];
    }
    Integer found = operands.get(number);
    if (found == null) {
      int rows = graph.node(number).rows();
      found = tables.matrix(rows, Purpose.OPERAND);
      boolean wasWhole = whole.remove(number);
      storeRows(number, found, 0);
      operands.put(number, found);
      if (wasWhole) {
        whole.add(number);
      }
    }
    return found;
  }
}

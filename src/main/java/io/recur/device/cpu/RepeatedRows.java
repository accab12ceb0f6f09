package io.recur.device.cpu;

import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds what a section computes of values that are the same in all rows, such as a mean: it is
 * computed once per column, and spread over the rows where the others read it.
 */
final class RepeatedRows {
  private final List<Node> nodes;

  /** Values that are the same in all rows, and those of them that are computed as rows. */
  private final Set<Integer> same = new HashSet<>();

  private final Set<Integer> rows = new HashSet<>();

  /** The spread values of rows. */
  private final Map<Integer, Integer> spread = new HashMap<>();

  private int next;

  private RepeatedRows(List<Node> nodes) {
    this.nodes = nodes;
  }

  /** The nodes of a section of several rows, in their order. */
  static List<Node> of(List<Node> nodes) {
    return new RepeatedRows(nodes).found();
  }

  private List<Node> found() {
    for (Node node : nodes) {
      next = Math.max(next, node.to() + 1);
      if (isSource(node) || computes(node) && same.containsAll(operands(node))) {
        same.add(node.to());
      }
    }
    for (Node node : nodes) {
      if (computes(node) && same.contains(node.to())) {
        rows.add(node.to());
        rows.addAll(operands(node));
      }
    }
    return rows.isEmpty() ? nodes : rewritten();
  }

  private List<Node> rewritten() {
    List<Node> all = new ArrayList<>();
    for (Node node : nodes) {
      boolean isRow = rows.contains(node.to());
      List<Integer> reads = new ArrayList<>(node.reads());
      if (!isRow) {
        reads.replaceAll(value -> rows.contains(value) ? spread(value, all) : value);
      }
      all.add(new Node(node.its(), node.to(), reads, node.fused(), isRow, node.begin()));
    }
    return all;
  }

  private int spread(int row, List<Node> all) {
    return spread.computeIfAbsent(
        row,
        _ -> {
          int to = next++;
          var its = new Instruction.Constant(to, 0);
          all.add(new Node(its, to, List.of(row), Node.SPREAD, false, null));
          return to;
        });
  }

  private static List<Integer> operands(Node node) {
    return node.reads().stream().filter(value -> value != Instruction.NONE).toList();
  }

  private static boolean isSource(Node node) {
    return node.its() instanceof Instruction.LoadRow
        || node.its() instanceof Instruction.LoadScalar
        || node.its() instanceof Instruction.Constant
        || node.its() instanceof Instruction.Reduced;
  }

  private static boolean computes(Node node) {
    return node.its() instanceof Instruction.Map
        || node.its() instanceof Instruction.Derivative
        || node.its() instanceof Instruction.Affine
        || node.its() instanceof Instruction.Combine;
  }
}

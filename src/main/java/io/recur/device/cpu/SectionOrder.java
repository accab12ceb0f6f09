package io.recur.device.cpu;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * The order of the instructions of a section: products of the same operand next to each other, as
 * one item, and in a section whose blocks need no other block what does not depend on the step
 * before in front, then what leads from there to the step after, then the rest. In other sections
 * what is the same in all rows comes in front.
 */
final class SectionOrder {
  private final List<Node> nodes;
  private final Map<Integer, Node> writers = new HashMap<>();
  private final Set<Node> placed = Node.set();

  /** Nodes whose item stands in a group: what is placed may still wait for what it reads. */
  private final Set<Node> done = Node.set();

  final boolean isFree;

  /** Items of the three groups: a node, or products of the same operand. */
  final List<List<List<Node>>> groups =
      List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());

  /**
   * Orders a section.
   *
   * @param recurrent arrays that the section reads at one step and writes at another; null where it
   *     is not free
   * @param isSummed whether what is stored in an array is added to sums over the steps
   */
  SectionOrder(
      CellProgram.Section section, Set<Integer> recurrent, boolean isFree, IntPredicate isSummed) {
    List<Node> all = Node.of(section.instructions(), isSummed);
    nodes = section.rows() > 1 ? RepeatedRows.of(all) : all;
    for (Node node : nodes) {
      if (node.to() != Instruction.NONE) {
        writers.put(node.to(), node);
      }
    }
    this.isFree = isFree;
    List<List<Node>> split = isFree ? split(recurrent) : splitRows();
    for (int i = 0; i < 3; i++) {
      for (Node node : split.get(i)) {
        place(node, split.get(i), groups.get(i));
      }
    }
  }

  private List<List<Node>> split(Set<Integer> recurrent) {
    Set<Node> after = Node.set(); // all that depends on the step before
    for (Node node : nodes) {
      if (touches(node, recurrent) || isAfter(node, after)) {
        after.add(node);
      }
    }
    Set<Node> onward = Node.set(); // all that the step after depends on
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Node node = nodes.get(i);
      if (touches(node, recurrent) || onward.contains(node)) {
        onward.add(node);
        addWriters(node, onward);
      }
    }
    List<List<Node>> split = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (Node node : nodes) {
      split.get(!after.contains(node) ? 0 : onward.contains(node) ? 1 : 2).add(node);
    }
    return split;
  }

  /** What is the same in all rows comes first: it is computed for one block, and kept. */
  private List<List<Node>> splitRows() {
    Set<Integer> stored = new HashSet<>();
    for (Node node : nodes) {
      if (node.its() instanceof Instruction.Store) {
        stored.addAll(node.reads());
      }
    }
    List<List<Node>> split = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (Node node : nodes) {
      boolean isSame = node.isRow() || node.fused() == Node.SPREAD && !stored.contains(node.to());
      split.get(isSame ? 0 : 2).add(node);
    }
    return split;
  }

  private boolean isAfter(Node node, Set<Node> after) {
    for (int value : node.reads()) {
      if (after.contains(writers.get(value))) {
        return true;
      }
    }
    return false;
  }

  private void addWriters(Node node, Set<Node> to) {
    for (int value : node.reads()) {
      Node writer = writers.get(value);
      if (writer != null) {
        to.add(writer);
      }
    }
  }

  private static boolean touches(Node node, Set<Integer> arrays) {
    return arrays.contains(node.its().arrayRead())
        || node.its() instanceof Instruction.Store store && arrays.contains(store.array());
  }

  private void place(Node node, List<Node> group, List<List<Node>> items) {
    if (!placed.add(node)) {
      return;
    }
    placeWriters(node, group, items); // none of the others is then one of these
    List<Node> item = new ArrayList<>(List.of(node));
    if (node.its() instanceof Instruction.Product first) {
      for (Node other : group) {
        if (other.its() instanceof Instruction.Product p
            && isLike(first, p)
            && !placed.contains(other)
            && !isBlocked(other, Node.set())) {
          placed.add(other);
          item.add(other);
        }
      }
    }
    for (Node other : item.subList(1, item.size())) {
      placeWriters(other, group, items);
    }
    items.add(item);
    done.addAll(item);
  }

  private void placeWriters(Node node, List<Node> group, List<List<Node>> items) {
    for (int value : node.reads()) {
      Node writer = writers.get(value);
      if (writer != null) {
        place(writer, group, items);
      }
    }
  }

  private static boolean isLike(Instruction.Product a, Instruction.Product b) {
    return a.operand() == b.operand()
        && a.lag() == b.lag()
        && a.transposed() == b.transposed()
        && a.skipsFirst() == b.skipsFirst();
  }

  /** Whether a node needs one that waits itself, such as a product of the item to be. */
  private boolean isBlocked(Node node, Set<Node> seen) {
    for (int value : node.reads()) {
      Node writer = writers.get(value);
      if (writer != null && !done.contains(writer) && seen.add(writer)) {
        if (placed.contains(writer) || isBlocked(writer, seen)) {
          return true;
        }
      }
    }
    return false;
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An instruction with the values that it reads and writes. A product of two values that nobody else
 * reads is one node with the sum, or the derivative, that reads it.
 *
 * @param to the value that it writes, {@link Instruction#NONE} for none
 * @param reads values, {@link Instruction#NONE} for one that is left out
 * @param fused of the multiply-adds of {@code native/recur.h} which, {@link #DERIVATIVE} for a
 *     derivative of a product, −1 for none of them
 */
record Node(Instruction its, int to, List<Integer> reads, int fused) {
  static final int PLUS = 0;
  static final int MINUS = 1;
  static final int FROM = 2;
  static final int DERIVATIVE = 3;

  static Node of(Instruction instruction) {
    return switch (instruction) {
      case Instruction.Load i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.LoadRow i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.Store i -> new Node(i, Instruction.NONE, List.of(i.value()), -1);
      case Instruction.LoadVector i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.LoadScalar i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.Constant i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.Product i -> new Node(i, i.to(), List.of(i.sum()), -1);
      case Instruction.Gather i -> new Node(i, i.to(), List.of(i.sum()), -1);
      case Instruction.Scatter i -> new Node(i, Instruction.NONE, List.of(i.value()), -1);
      case Instruction.Map i -> new Node(i, i.to(), List.of(i.a()), -1);
      case Instruction.Derivative i -> new Node(i, i.to(), List.of(i.dy(), i.x(), i.y()), -1);
      case Instruction.Affine i -> new Node(i, i.to(), List.of(i.a()), -1);
      case Instruction.Combine i -> new Node(i, i.to(), List.of(i.a(), i.b()), -1);
      case Instruction.Reduce i -> new Node(i, Instruction.NONE, List.of(i.value()), -1);
      case Instruction.Reduced i -> new Node(i, i.to(), List.of(), -1);
      case Instruction.Drop i -> new Node(i, i.to(), List.of(i.a()), -1);
    };
  }

  /** All nodes whose value somebody reads, or that have an effect, in their order. */
  static List<Node> of(List<Instruction> instructions) {
    List<Node> all = new ArrayList<>(instructions.stream().map(Node::of).toList());
    Map<Integer, Integer> readers = new HashMap<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      Node node = all.get(i);
      if (node.to != Instruction.NONE && !readers.containsKey(node.to)) {
        all.remove(i);
      } else {
        node.reads.forEach(value -> readers.merge(value, 1, Integer::sum));
      }
    }
    return fused(all, readers);
  }

  private static List<Node> fused(List<Node> all, Map<Integer, Integer> readers) {
    Map<Integer, Node> products = new HashMap<>();
    List<Node> fused = new ArrayList<>();
    for (Node node : all) {
      if (node.its instanceof Instruction.Combine(int to, Binary f, int a, int b)) {
        if (f == Binary.MULTIPLY && readers.get(to) == 1) {
          products.put(to, node);
        } else if (f == Binary.ADD && (products.containsKey(a) || products.containsKey(b))) {
          int product = products.containsKey(b) ? b : a;
          node = withProduct(node, products.remove(product), product == b ? a : b, PLUS);
          fused.removeIf(other -> other.to == product);
        } else if (f == Binary.SUBTRACT && products.containsKey(b)) {
          node = withProduct(node, products.remove(b), a, FROM);
          fused.removeIf(other -> other.to == b);
        } else if (f == Binary.SUBTRACT && products.containsKey(a)) {
          node = withProduct(node, products.remove(a), b, MINUS);
          fused.removeIf(other -> other.to == a);
        }
      } else if (node.its instanceof Instruction.Derivative(int to, var f, int dy, int x, int y)
          && x == Instruction.NONE
          && products.containsKey(dy)) {
        node = withProduct(node, products.remove(dy), y, DERIVATIVE);
        fused.removeIf(other -> other.to == dy);
      }
      fused.add(node);
    }
    return fused;
  }

  private static Node withProduct(Node node, Node product, int other, int kind) {
    return new Node(
        node.its, node.to, List.of(product.reads.get(0), product.reads.get(1), other), kind);
  }

  /** Whether it can write where it reads: the value that it reads there must die. */
  boolean isInPlace() {
    return switch (its) {
      case Instruction.Map i -> true;
      case Instruction.Derivative i -> true;
      case Instruction.Affine i -> true;
      case Instruction.Combine i -> true;
      case Instruction.Drop i -> true;
      case Instruction.Gather i -> true;
      case Instruction.Product i -> true;
      default -> false;
    };
  }
}

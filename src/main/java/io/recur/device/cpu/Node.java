package io.recur.device.cpu;

import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * An instruction with the values that it reads and writes. A product of two values that nobody else
 * reads is one node with the sum, the quotient, the derivative or the sum over steps that reads it,
 * a difference with the quotient.
 *
 * @param to the value that it writes, {@link Instruction#NONE} for none
 * @param reads values, {@link Instruction#NONE} for one that is left out
 * @param fused of the fused operations of {@code native/recur.h} which, {@link #DERIVATIVE} for a
 *     derivative of a product, −1 for none of them
 * @param isRow whether it computes one value per column, which is the same in all rows
 * @param begin of a product that adds to no value, the vector that its sums begin with; null for 0
 */
record Node(
    Instruction its,
    int to,
    List<Integer> reads,
    int fused,
    boolean isRow,
    Instruction.@Nullable LoadVector begin) {
  static final int PLUS = 0;
  static final int MINUS = 1;
  static final int FROM = 2;
  static final int QUOTIENT_OF_PRODUCT = 3;
  static final int QUOTIENT_OF_DIFFERENCE = 4;
  static final int DERIVATIVE = 5;

  /** A row that is spread over all rows. */
  static final int SPREAD = 6;

  /** A product that is added to a sum over the steps. */
  static final int SUM = 7;

  /** A set in which no node equals another one. */
  static Set<Node> set() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  static Node of(Instruction instruction) {
    return new Node(instruction, instruction.to(), instruction.reads(), -1, false, null);
  }

  /**
   * All nodes whose value somebody reads, or that have an effect, in their order.
   *
   * @param isSummed whether what is stored in an array is added to sums over the steps
   */
  static List<Node> of(List<Instruction> instructions, IntPredicate isSummed) {
    List<Node> all = new ArrayList<>();
    Map<Integer, Integer> readers = new HashMap<>();
    for (Instruction instruction : instructions.reversed()) {
      Node node = of(instruction);
      if (node.to == Instruction.NONE || readers.containsKey(node.to)) {
        all.addFirst(node);
        for (int value : node.reads) {
          readers.put(value, readers.getOrDefault(value, 0) + 1);
        }
      }
    }
    return fused(all, readers, isSummed);
  }

  private static List<Node> fused(
      List<Node> all, Map<Integer, Integer> readers, IntPredicate isSummed) {
    Map<Integer, Node> products = new HashMap<>();
    Map<Integer, Node> differences = new HashMap<>();
    Map<Integer, Instruction.LoadVector> vectors = new HashMap<>();
    List<Node> fused = new ArrayList<>();
    Set<Integer> taken = new HashSet<>(); // what another node computes with its own
    for (Node node : all) {
      if (node.its instanceof Instruction.Combine(int to, Binary f, int a, int b)) {
        if (f == Binary.MULTIPLY && readers.get(to) == 1) {
          products.put(to, node);
        } else if (f == Binary.ADD && (products.containsKey(a) || products.containsKey(b))) {
          int product = products.containsKey(b) ? b : a;
          node = with(products.remove(product), node, product == b ? a : b, PLUS);
          taken.add(product);
        } else if (f == Binary.SUBTRACT && products.containsKey(b)) {
          node = with(products.remove(b), node, a, FROM);
          taken.add(b);
        } else if (f == Binary.SUBTRACT && products.containsKey(a)) {
          node = with(products.remove(a), node, b, MINUS);
          taken.add(a);
        } else if (f == Binary.SUBTRACT && readers.get(to) == 1) {
          differences.put(to, node);
        } else if (f == Binary.DIVIDE && products.containsKey(a)) {
          node = with(products.remove(a), node, b, QUOTIENT_OF_PRODUCT);
          taken.add(a);
        } else if (f == Binary.DIVIDE && differences.containsKey(a)) {
          node = with(differences.remove(a), node, b, QUOTIENT_OF_DIFFERENCE);
          taken.add(a);
        }
      } else if (node.its instanceof Instruction.Derivative(int to, var f, int dy, int x, int y)
          && x == Instruction.NONE
          && products.containsKey(dy)) {
        node = with(products.remove(dy), node, y, DERIVATIVE);
        taken.add(dy);
      } else if (node.its instanceof Instruction.Store store
          && isSummed.test(store.array())
          && products.containsKey(store.value())) {
        List<Integer> factors = products.remove(store.value()).reads;
        node = new Node(store, Instruction.NONE, factors, SUM, false, null);
        taken.add(store.value());
      } else if (node.its instanceof Instruction.LoadVector vector && readers.get(node.to) == 1) {
        vectors.put(node.to, vector);
      } else if (node.its instanceof Instruction.Product product
          && vectors.containsKey(product.sum())) {
        node = begun(node, vectors.get(product.sum()));
        taken.add(product.sum());
      }
      fused.add(node);
    }
    fused.removeIf(node -> taken.contains(node.to));
    return fused;
  }

  private static Node with(Node first, Node node, int other, int kind) {
    return new Node(
        node.its,
        node.to,
        List.of(first.reads.get(0), first.reads.get(1), other),
        kind,
        false,
        null);
  }

  private static Node begun(Node product, Instruction.LoadVector vector) {
    return new Node(product.its, product.to, List.of(Instruction.NONE), -1, false, vector);
  }

  /** Whether it can write where it reads: the value that it reads there must die. */
  boolean isInPlace() {
    return to != Instruction.NONE && !reads.isEmpty() && fused != SPREAD;
  }
}

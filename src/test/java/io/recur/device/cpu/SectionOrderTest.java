package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Instruction.Product;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random sections in the order in which the C interpreter runs them. */
@Tag(Devices.CPU)
class SectionOrderTest {
  private static final int SECTIONS = 3000;
  private static final int MOST_INSTRUCTIONS = 40;

  /** Arrays that are loaded and stored; those after them are operands of products alone. */
  private static final int ARRAYS = 3;

  private static final int OPERANDS = 2;

  /** A section and its order. */
  private static final class Case {
    private final String what;
    private final Section section;
    private final Set<Integer> recurrent;
    private final List<List<List<Node>>> groups;
    private final List<Node> order = new ArrayList<>();

    Case(long seed, boolean isFree) {
      section = section(new Random(seed));
      recurrent = Freedom.recurrent(section);
      groups = new SectionOrder(section, isFree ? recurrent : null, isFree, _ -> false).groups;
      groups.forEach(group -> group.forEach(order::addAll));
      what = "seed %d, free %s: %s in the order %s".formatted(seed, isFree, section, order);
    }

    private static Section section(Random random) {
      List<Instruction> all = new ArrayList<>();
      int values = 0;
      int count = 1 + random.nextInt(MOST_INSTRUCTIONS);
      for (int i = 0; i < count; i++) {
        if (values > 0 && random.nextInt(5) == 0) { // each store is another one by its row
          all.add(new Instruction.Store(random.nextInt(values), random.nextInt(ARRAYS), i, 1));
        } else {
          all.add(definition(values, random));
          values++;
        }
      }
      return new Section(64, all);
    }

    /** An instruction that writes a value, of some of those before it. */
    private static Instruction definition(int to, Random random) {
      int kind = to == 0 ? random.nextInt(3) : random.nextInt(8);
      int a = to == 0 ? Instruction.NONE : random.nextInt(to);
      int b = to == 0 ? Instruction.NONE : random.nextInt(to);
      return switch (kind) {
        case 0 -> new Instruction.Load(to, random.nextInt(ARRAYS), 0, 0);
        case 1 -> new Instruction.LoadVector(to, 0, 0);
        case 2, 3 -> {
          int sum = random.nextInt(3) == 0 ? Instruction.NONE : a;
          int operand = ARRAYS + random.nextInt(OPERANDS);
          yield new Product(to, sum, to, random.nextInt(4) == 0, operand, 0, false);
        }
        case 4 -> new Instruction.Map(to, Elementwise.TANH, a);
        case 5 -> new Instruction.Derivative(to, Elementwise.SIGMOID, a, Instruction.NONE, b);
        default -> new Instruction.Combine(to, Binary.values()[random.nextInt(3)], a, b);
      };
    }

    void check() {
      everyNodeOnce();
      everyReadFollowsItsWrite();
      itemsAreProductsOfOneOperand();
      storesFollowTheLoadsBeforeThem();
    }

    private void everyNodeOnce() {
      List<Node> nodes = Node.of(section.instructions(), _ -> false);
      assertEquals(nodes.size(), order.size(), what);
      assertEquals(new HashSet<>(nodes), new HashSet<>(order), what);
    }

    private void everyReadFollowsItsWrite() {
      Set<Integer> written = new HashSet<>(Set.of(Instruction.NONE));
      for (List<List<Node>> group : groups) {
        for (List<Node> item : group) { // its products are computed together
          for (Node node : item) {
            assertTrue(written.containsAll(node.reads()), () -> node + " too early: " + what);
          }
          item.forEach(node -> written.add(node.to()));
        }
      }
    }

    private void itemsAreProductsOfOneOperand() {
      for (List<List<Node>> group : groups) {
        for (List<Node> item : group) {
          Instruction first = item.getFirst().its();
          for (Node node : item.subList(1, item.size())) {
            assertTrue(
                first instanceof Product p
                    && node.its() instanceof Product q
                    && p.operand() == q.operand()
                    && p.transposed() == q.transposed(),
                () -> item + ": " + what);
          }
        }
      }
    }

    private void storesFollowTheLoadsBeforeThem() {
      Map<Instruction, Integer> places = new HashMap<>();
      for (int i = 0; i < order.size(); i++) {
        places.put(order.get(i).its(), i);
      }
      List<Instruction> all = section.instructions();
      for (int i = 0; i < all.size(); i++) {
        for (Instruction after : all.subList(i, all.size())) {
          if (all.get(i) instanceof Instruction.Load load
              && after instanceof Instruction.Store store
              && load.array() == store.array()
              && places.containsKey(load)) {
            assertTrue(places.get(load) < places.get(store), () -> store + " too early: " + what);
          }
        }
      }
    }

    /** Nothing in front depends on the step before, nothing behind leads to the next one. */
    void checkFree() {
      Map<Integer, Integer> groupOf = new HashMap<>(); // of each value
      for (int k = 0; k < groups.size(); k++) {
        for (Node node : groups.get(k).stream().flatMap(List::stream).toList()) {
          int its = k;
          groupOf.put(node.to(), k);
          boolean touches =
              switch (node.its()) {
                case Instruction.Load i -> recurrent.contains(i.array());
                case Instruction.Store i -> recurrent.contains(i.array());
                default -> false;
              };
          assertTrue(!touches || its == 1, () -> node + " in group " + its + ": " + what);
          node.reads().stream()
              .filter(value -> value != Instruction.NONE)
              .forEach(value -> assertTrue(groupOf.get(value) <= its, what));
        }
      }
    }
  }

  @Test
  void theOrderKeepsEveryDependency() {
    for (long seed = 0; seed < SECTIONS; seed++) {
      new Case(seed, false).check();
    }
  }

  @Test
  void inAFreeSectionWhatLeadsFromStepToStepStandsInTheMiddle() {
    for (long seed = 0; seed < SECTIONS; seed++) {
      Case its = new Case(seed, true);
      its.check();
      its.checkFree();
    }
  }

  @Test
  void productsOfOneOperandAreOneItem() {
    List<Instruction> all =
        List.of(
            new Product(0, Instruction.NONE, 0, false, ARRAYS, 0, false),
            new Instruction.Map(1, Elementwise.TANH, 0),
            new Product(2, Instruction.NONE, 1, false, ARRAYS, 0, false),
            new Instruction.Combine(3, Binary.ADD, 1, 2),
            new Instruction.Store(3, 0, 0, 1));
    List<List<Node>> items =
        new SectionOrder(new Section(64, all), null, false, _ -> false).groups.getLast();
    assertEquals(List.of(2, 1, 1, 1), items.stream().map(List::size).toList());
  }
}

package io.recur.compile;

import io.recur.compile.Draft.Effect;
import io.recur.compile.Tables.Purpose;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the instructions of one section. Products come first, those of one operand side by side,
 * so that a device can make them together; what else is added to them may follow later.
 */
final class Emission {
  private final Draft draft;
  private final Schedule schedule;
  private final int phase;
  private final int rows;
  private final List<Instruction> instructions = new ArrayList<>();
  private final Map<Integer, Integer> values = new HashMap<>();

  /** The largest sums that contain products, and how far each is. */
  private final Map<Integer, Sum> sums = new LinkedHashMap<>();

  private final Map<Integer, Integer> totals = new HashMap<>();
  private int count;

  /** A sum: the products, and what else is added. */
  private record Sum(List<Integer> others, List<Term.Product> products) {}

  Emission(Draft draft, Schedule schedule, int phase, int rows) {
    this.draft = draft;
    this.schedule = schedule;
    this.phase = phase;
    this.rows = rows;
  }

  Section section(List<Effect> effects) {
    emitProducts(effects);
    for (Effect effect : effects) {
      int value = value(effect.term());
      instructions.add(
          switch (effect) {
            case Effect.Store e -> new Instruction.Store(value, e.array(), e.row(), e.lag());
            case Effect.Scatter e -> new Instruction.Scatter(value, e.weights());
            case Effect.Reduce e -> new Instruction.Reduce(value, schedule.reduction(e.reduced()));
          });
    }
    return new Section(rows, instructions);
  }

  // Products.

  private void emitProducts(List<Effect> effects) {
    Set<Integer> seen = new HashSet<>();
    for (Effect effect : effects) {
      findSums(effect.term(), seen);
    }
    Map<List<Integer>, List<Place>> byOperand = new LinkedHashMap<>();
    for (var entry : sums.entrySet()) {
      totals.put(entry.getKey(), total(Instruction.NONE, entry.getValue(), true));
      for (Term.Product product : entry.getValue().products) {
        byOperand
            .computeIfAbsent(operand(product), _ -> new ArrayList<>())
            .add(new Place(product, schedule.weights(product.weights()), entry.getKey()));
      }
    }
    emitProducts(byOperand, true); // so that a device can make those of all steps
    emitProducts(byOperand, false);
  }

  /** Emits the products of x, or the others. */
  private void emitProducts(Map<List<Integer>, List<Place>> byOperand, boolean ofInput) {
    for (var entry : byOperand.entrySet()) {
      if (isOfInput(entry.getKey()) == ofInput) {
        Collections.sort(entry.getValue());
        for (Place place : entry.getValue()) {
          totals.put(place.sum, emitProduct(place.product, totals.get(place.sum)));
        }
      }
    }
  }

  /** A product and the sum that it belongs to: adjacent rows of a matrix follow each other. */
  private record Place(Term.Product product, Weights weights, int sum)
      implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int byMatrix = Integer.compare(weights.matrix(), other.weights.matrix());
      return byMatrix != 0 ? byMatrix : Integer.compare(weights.row(), other.weights.row());
    }
  }

  /** What products that can be made together have in common. */
  private static List<Integer> operand(Term.Product product) {
    return product instanceof Term.Times t
        ? List.of(t.operand(), t.lag(), t.transposed() ? 1 : 0)
        : List.of();
  }

  /** Whether products are of x. */
  private boolean isOfInput(List<Integer> operand) {
    return operand.isEmpty() || schedule.purpose(operand.getFirst()) == Purpose.INPUT;
  }

  private int emitProduct(Term.Product product, int sum) {
    int to = count++;
    instructions.add(
        product instanceof Term.Times t
            ? new Instruction.Product(
                to, sum, t.weights(), t.transposed(), t.operand(), t.lag(), t.skipsFirst())
            : new Instruction.Gather(to, sum, product.weights()));
    return to;
  }

  /** Finds the largest sums that contain products. */
  private void findSums(int term, Set<Integer> seen) {
    if (!seen.add(term) || isElsewhere(term) || draft.rows(term) != rows) {
      return;
    }
    Sum sum = new Sum(new ArrayList<>(), new ArrayList<>());
    flatten(term, sum);
    if (!sum.products.isEmpty()) {
      sums.put(term, sum);
      for (int other : sum.others) {
        findSums(other, seen);
      }
    } else {
      for (int operand : read(draft.term(term))) {
        findSums(operand, seen);
      }
    }
  }

  /** Divides a sum into its products and what else is added. */
  private void flatten(int term, Sum sum) {
    if (draft.term(term) instanceof Term.Product product) {
      sum.products.add(product);
    } else if (draft.term(term) instanceof Term.Combine t && isSum(t)) {
      flattenOperand(t.a(), sum);
      flattenOperand(t.b(), sum);
    } else {
      sum.others.add(term);
    }
  }

  private void flattenOperand(int term, Sum sum) {
    if (hasProduct(term)) {
      flatten(term, sum);
    } else {
      sum.others.add(term);
    }
  }

  private boolean isSum(Term.Combine t) {
    return t.f() == Binary.ADD && t.rows() == rows && (hasProduct(t.a()) || hasProduct(t.b()));
  }

  /** Whether a term is a product, or a sum with one, that nobody reads but the sum around it. */
  private boolean hasProduct(int term) {
    if (isElsewhere(term) || draft.rows(term) != rows || schedule.readers(term) > 1) {
      return false;
    }
    return draft.term(term) instanceof Term.Product
        || draft.term(term) instanceof Term.Combine t && isSum(t);
  }

  /** Whether a term needs nothing that is still to be computed. */
  private boolean isEarly(int term) {
    return draft.isLeaf(term) || isElsewhere(term) || draft.isRepeatable(term);
  }

  private boolean isElsewhere(int term) {
    return schedule.waiting(term, phase) >= 0;
  }

  /** Adds to a total what is early, or what is not. */
  private int total(int before, Sum sum, boolean early) {
    int total = before;
    for (int term : sum.others) {
      if (isEarly(term) != early) {
        continue;
      }
      int value = value(term);
      if (total < 0) {
        total = value;
      } else {
        int to = count++;
        instructions.add(new Instruction.Combine(to, Binary.ADD, total, value));
        total = to;
      }
    }
    return total;
  }

  // Values.

  private int value(int term) {
    Integer known = values.get(term);
    if (known == null) {
      known = emit(term);
      values.put(term, known);
    }
    return known;
  }

  private int emit(int number) {
    int array = schedule.waiting(number, phase);
    if (array >= 0) {
      int to = count++;
      instructions.add(new Instruction.Load(to, array, 0, 0));
      return to;
    }
    if (totals.containsKey(number)) {
      return total(totals.get(number), sums.get(number), false);
    }
    Instruction made = instruction(draft.term(number), number);
    instructions.add(made);
    return count++;
  }

  /** The operands that this section computes: a reduction has been made by an earlier phase. */
  private static int[] read(Term term) {
    return term instanceof Term.Reduced ? new int[0] : term.operands();
  }

  /** The instruction of a term whose value is the next one after its operands. */
  private Instruction instruction(Term term, int number) {
    int[] read = read(term);
    for (int i = 0; i < read.length; i++) {
      read[i] = value(read[i]);
    }
    int to = count;
    return switch (term) {
      case Term.Load t ->
          t.rows() == rows
              ? new Instruction.Load(to, t.array(), t.row(), t.lag())
              : new Instruction.LoadRow(to, t.array(), t.row(), t.lag());
      case Term.Vector t ->
          t.rows() == rows
              ? new Instruction.LoadVector(to, t.vector(), t.row())
              : new Instruction.LoadScalar(to, t.vector(), t.row());
      case Term.Number t -> new Instruction.Constant(to, t.number());
      case Term.Map t -> new Instruction.Map(to, t.f(), read[0]);
      case Term.Derivative t ->
          new Instruction.Derivative(
              to,
              t.f(),
              read[0],
              t.x() < 0 ? Instruction.NONE : read[1],
              t.y() < 0 ? Instruction.NONE : read[read.length - 1]);
      case Term.Affine t -> new Instruction.Affine(to, read[0], t.factor(), t.constant());
      case Term.Combine t -> new Instruction.Combine(to, t.f(), read[0], read[1]);
      case Term.Reduced _ -> new Instruction.Reduced(to, schedule.reduction(number));
      case Term.Dropped t ->
          new Instruction.Drop(to, read[0], t.rate(), t.draw(), t.all(), t.row());
      case Term.Product _ -> throw new IllegalStateException("compile: a product is part of a sum");
    };
  }
}

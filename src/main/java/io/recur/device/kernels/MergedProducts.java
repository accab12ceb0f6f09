package io.recur.device.kernels;

import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction.Combine;
import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.Product;
import io.recur.device.kernels.PassScheduler.Part;
import io.recur.device.kernels.ProductSchedule.Call;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes calls of the products that sections read, and loads of what the calls give. Adjacent blocks
 * of a matrix are one call. A chain, products that are each the sum of the next one, is one array
 * where the calls allow it.
 */
final class MergedProducts {
  private final PassScheduler scheduler;
  private final List<Member> members = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();

  MergedProducts(PassScheduler scheduler) {
    this.scheduler = scheduler;
  }

  /** What products of one call have in common. The phase is −1 for products of all steps. */
  private record Key(
      int phase,
      int matrix,
      boolean transposed,
      int otherStart,
      int otherCount,
      int operand,
      int lag,
      boolean skipsFirst) {}

  /** A product in its chain. */
  private static final class Member {
    final Key key;
    final int start;
    final int end;
    private @Nullable Member before;
    private @Nullable Member next;
    private Group group;

    Member(Key key, int start, int count) {
      this.key = key;
      this.start = start;
      this.end = start + count;
    }

    /** Whether the next product of the chain is added to the array that has this one. */
    boolean isContinued() {
      return next != null && next.group.base == group;
    }
  }

  /** The products of one call. */
  private static final class Group {
    final Key key;
    final int start;
    final List<Member> members = new ArrayList<>();
    private int end;

    /** The group to whose result this one is added, from this row on; or none. */
    private @Nullable Group base;

    private int baseRow;
    private int space = PassScheduler.NONE;
    private boolean isCalled;

    Group(Member first) {
      key = first.key;
      start = first.start;
      end = first.end;
    }

    int array() {
      return base == null ? space : base.array();
    }

    int row() {
      return base == null ? 0 : base.row() + baseRow;
    }
  }

  /** Takes all products out of the parts. */
  void take() {
    List<Runnable> replacements = new ArrayList<>();
    for (Part part : scheduler.parts) {
      int[] uses = Values.uses(part.instructions);
      for (Instruction instruction : part.instructions) {
        if (instruction instanceof Product last && !isOnlySum(part, last, uses)) {
          List<Product> products = chain(part, last, uses);
          int root = products.getFirst().sum();
          List<Member> chain = members(part, products);
          replacements.add(() -> replace(part, last, products, root, chain));
        }
      }
    }
    group();
    groups.forEach(this::join);
    groups.forEach(this::call);
    replacements.forEach(Runnable::run);
  }

  private static boolean isOnlySum(Part part, Product product, int[] uses) {
    return uses[product.to()] == 1
        && part.instructions.stream()
            .anyMatch(i -> i instanceof Product other && other.sum() == product.to());
  }

  /** {@return the products that end in this one, the first one first} */
  private static List<Product> chain(Part part, Product last, int[] uses) {
    List<Product> chain = new ArrayList<>(List.of(last));
    int sum = last.sum();
    while (sum != Instruction.NONE
        && uses[sum] == 1
        && part.definition(sum) instanceof Product before) {
      chain.addFirst(before);
      sum = before.sum();
    }
    return chain;
  }

  /** {@return the members of a chain; those of all steps, which are computed first, are first} */
  private List<Member> members(Part part, List<Product> products) {
    List<Member> chain = new ArrayList<>();
    for (Product product : products) {
      chain.add(member(part, product));
    }
    chain.sort(Comparator.comparing(member -> member.key.phase() != PassScheduler.NONE));
    for (int i = 1; i < chain.size(); i++) {
      chain.get(i).before = chain.get(i - 1);
      chain.get(i - 1).next = chain.get(i);
    }
    members.addAll(chain);
    return chain;
  }

  private Member member(Part part, Product product) {
    Weights weights = scheduler.program.weights().get(product.weights());
    boolean isOfAllSteps =
        !part.isEnd
            && !product.skipsFirst()
            && scheduler.program.arrays().get(product.operand()).isInput();
    boolean transposed = product.transposed();
    Key key =
        new Key(
            isOfAllSteps ? PassScheduler.NONE : part.phase,
            weights.matrix(),
            transposed,
            transposed ? weights.row() : weights.column(),
            transposed ? weights.rows() : weights.columns(),
            product.operand(),
            product.lag(),
            product.skipsFirst());
    return transposed
        ? new Member(key, weights.column(), weights.columns())
        : new Member(key, weights.row(), weights.rows());
  }

  private void group() {
    Map<Key, List<Member>> byKey = new LinkedHashMap<>();
    members.forEach(m -> byKey.computeIfAbsent(m.key, k -> new ArrayList<>()).add(m));
    for (List<Member> same : byKey.values()) {
      same.sort(Comparator.comparingInt(member -> member.start));
      @Nullable Group group = null;
      for (Member member : same) {
        if (group == null || member.start > group.end) {
          group = new Group(member);
          groups.add(group);
        }
        group.end = Math.max(group.end, member.end);
        group.members.add(member);
        member.group = group;
      }
    }
  }

  /**
   * Adds a group to the one before it in the chains of its members, where that changes no other.
   */
  private void join(Group group) {
    Member before = group.members.getFirst().before;
    if (before == null) {
      return;
    }
    Group base = before.group;
    int row = before.start - base.start - (group.members.getFirst().start - group.start);
    for (Member member : group.members) {
      Member other = member.before;
      if (other == null
          || other.group != base
          || other.start - base.start - (member.start - group.start) != row) {
        return;
      }
    }
    for (Member member : base.members) {
      boolean overlaps =
          member.start - base.start < row + group.end - group.start
              && member.end - base.start > row;
      if (overlaps && (member.next == null || member.next.group != group)) {
        return;
      }
    }
    group.base = base;
    group.baseRow = row;
  }

  private void call(Group group) {
    if (group.isCalled) {
      return;
    }
    group.isCalled = true;
    if (group.base != null) {
      call(group.base);
    }
    Key key = group.key;
    boolean isOfAllSteps = key.phase() == PassScheduler.NONE;
    int rows = group.end - group.start;
    if (group.base == null) {
      group.space = scheduler.space(rows, isOfAllSteps);
    }
    Weights weights =
        key.transposed()
            ? new Weights(key.matrix(), key.otherStart(), key.otherCount(), group.start, rows)
            : new Weights(key.matrix(), group.start, rows, key.otherStart(), key.otherCount());
    List<Call> calls = isOfAllSteps ? scheduler.hoisted : scheduler.calls(key.phase());
    calls.add(
        new Call(
            weights,
            key.transposed(),
            key.operand(),
            key.lag(),
            key.skipsFirst(),
            group.base != null,
            group.array(),
            group.row(),
            0,
            false));
  }

  /** Reads the results in place of the products of a chain. */
  private static void replace(
      Part part, Product last, List<Product> products, int root, List<Member> chain) {
    List<Instruction> loads = new ArrayList<>();
    int sum = root;
    List<Member> read = chain.stream().filter(member -> !member.isContinued()).toList();
    for (Member member : read) {
      boolean isLast = member == read.getLast();
      boolean isAlone = sum == Instruction.NONE;
      int to = isAlone && isLast ? last.to() : part.value();
      Group group = member.group;
      loads.add(new Load(to, group.array(), group.row() + member.start - group.start, 0));
      if (!isAlone) {
        int both = isLast ? last.to() : part.value();
        loads.add(new Combine(both, Binary.ADD, sum, to));
        to = both;
      }
      sum = to;
    }
    part.instructions.addAll(part.instructions.indexOf(last), loads);
    part.instructions.removeAll(products);
  }
}

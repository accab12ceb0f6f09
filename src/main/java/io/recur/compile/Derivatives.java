package io.recur.compile;

import io.recur.compile.Draft.Effect;
import io.recur.compile.Tables.Purpose;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The derivatives of terms: what the gradient of a term gives its operands. What they need of the
 * forward pass is read from where it is stored, computed again where that is cheap, or kept.
 */
final class Derivatives {
  private final Draft forward;
  private final Draft draft;
  private final Tables tables;
  private final Map<Integer, Integer> adjoints = new HashMap<>();
  private final Map<Integer, Effect.Store> stored = new HashMap<>();

  Derivatives(Draft forward, Draft backward, Tables tables) {
    this.forward = forward;
    this.draft = backward;
    this.tables = tables;
    for (Effect effect : forward.effects) {
      if (effect instanceof Effect.Store store && store.rows() == forward.rows(store.term())) {
        stored.putIfAbsent(store.term(), store);
      }
    }
  }

  /** The gradient of a term so far, or {@link Instruction#NONE}. */
  int of(int term) {
    return adjoints.getOrDefault(term, Instruction.NONE);
  }

  /** Adds to the gradient of a term. */
  void add(int term, int gradient) {
    if (gradient < 0) {
      return;
    }
    int fitting = gradient;
    int rows = forward.rows(term);
    if (rows == 1 && draft.rows(gradient) > 1) {
      fitting = draft.reduced(Reduction.SUM, gradient);
    } else if (rows > 1) {
      fitting = row(gradient);
    }
    adjoints.put(term, draft.sum(of(term), fitting));
  }

  /** A gradient of one row that can be repeated over others. */
  int row(int gradient) {
    if (draft.rows(gradient) > 1 || draft.isRepeatable(gradient)) {
      return gradient;
    }
    int array = tables.matrix(1, Purpose.PASSING);
    draft.store(gradient, 1, array, 0, 0);
    return draft.load(array, 0, 1, 0);
  }

  /** Hands the gradient d of a term to its operands. */
  void pass(int number, int d) {
    Draft.Stacked stacked = forward.variances.get(number);
    if (stacked != null) {
      passVariance(stacked, row(d));
      return;
    }
    switch (forward.term(number)) {
      case Term.Map t -> add(t.a(), derivative(t, number, d));
      case Term.Affine t -> add(t.a(), draft.affine(d, t.factor(), 0));
      case Term.Combine t -> passCombined(t, number, d);
      case Term.Reduced t -> passReduced(t, number, d);
      case Term.Dropped t ->
          add(
              t.a(),
              draft.add(new Term.Dropped(t.rows(), d, t.rate(), t.draw(), t.all(), t.row())));
      case Term.Derivative _ -> throw new IllegalStateException("compile: a second derivative");
      case Term.Load _, Term.Vector _, Term.Number _, Term.Product _ -> {}
    }
  }

  private int derivative(Term.Map t, int number, int d) {
    boolean fromOutput = usesOutput(t.f());
    int x = fromOutput ? Instruction.NONE : value(t.a());
    int y = fromOutput ? value(number) : Instruction.NONE;
    return draft.add(new Term.Derivative(Math.max(t.rows(), draft.rows(d)), t.f(), d, x, y));
  }

  /** Whether a derivative is a function of y alone; the others are functions of x alone. */
  static boolean usesOutput(Elementwise f) {
    return switch (f) {
      case TANH, SIGMOID, EXP, SQRT, RECIPROCAL -> true;
      default -> false;
    };
  }

  private void passCombined(Term.Combine t, int number, int d) {
    switch (t.f()) {
      case ADD -> {
        add(t.a(), summed(t, t.a(), d));
        add(t.b(), summed(t, t.b(), d));
      }
      case SUBTRACT -> {
        add(t.a(), summed(t, t.a(), d));
        add(t.b(), draft.affine(summed(t, t.b(), d), -1, 0));
      }
      case MULTIPLY -> {
        add(t.a(), draft.multiply(d, value(t.b())));
        add(t.b(), draft.multiply(d, value(t.a())));
      }
      case DIVIDE -> {
        int share = draft.combine(Binary.DIVIDE, d, value(t.b()));
        add(t.a(), share);
        add(t.b(), draft.affine(draft.multiply(share, value(number)), -1, 0));
      }
      case MINIMUM -> passChosen(t, Binary.LESS, d);
      case MAXIMUM -> passChosen(t, Binary.GREATER, d);
      case GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, EQUAL -> {}
    }
  }

  /** What an operand of one row gets of a gradient that is the same in all rows of t. */
  private int summed(Term.Combine t, int operand, int d) {
    boolean isSame = forward.rows(operand) == 1 && draft.rows(d) == 1;
    return isSame ? draft.affine(d, t.rows(), 0) : d;
  }

  /** To the chosen operand, half to each of two equal ones. */
  private void passChosen(Term.Combine t, Binary chooses, int d) {
    int a = value(t.a());
    int b = value(t.b());
    int tie = draft.affine(draft.combine(Binary.EQUAL, a, b), 0.5f, 0);
    int share = draft.combine(Binary.ADD, draft.combine(chooses, a, b), tie);
    add(t.a(), draft.multiply(d, share));
    add(t.b(), draft.multiply(d, draft.affine(share, -1, 1)));
  }

  private void passReduced(Term.Reduced t, int number, int d) {
    int rows = forward.rows(t.a());
    int repeated = row(d);
    switch (t.kind()) {
      case SUM -> add(t.a(), repeated);
      case MEAN -> add(t.a(), draft.affine(repeated, 1f / rows, 0));
      case MAX -> {
        int mask = draft.combine(Binary.EQUAL, value(t.a()), value(number));
        int count = draft.reduced(Reduction.SUM, mask);
        int share = draft.combine(Binary.DIVIDE, repeated, count);
        add(t.a(), draft.multiply(mask, share));
      }
      case VARIANCE -> {
        int mean = forward.reduced(Reduction.MEAN, t.a());
        passVariance(new Draft.Stacked(List.of(t.a()), mean), repeated);
      }
    }
  }

  /** Hands the gradient of a variance, one that can be repeated, to the parts. */
  private void passVariance(Draft.Stacked stacked, int repeated) {
    int rows = forward.rows(stacked.parts().getFirst()) * stacked.parts().size();
    int factor = draft.affine(repeated, 2f / rows, 0);
    for (int part : stacked.parts()) {
      add(part, distance(part, stacked.mean(), factor));
    }
  }

  /**
   * {@code (a − mean)·factor}: where the forward pass keeps that distance over a divisor of all
   * rows, as layer normalisation does, from there, so that a need not be kept too.
   */
  private int distance(int a, int mean, int factor) {
    int distance = forward.known(new Term.Combine(forward.rows(a), Binary.SUBTRACT, a, mean));
    for (int kept : stored.keySet()) {
      if (forward.term(kept) instanceof Term.Combine t
          && t.f() == Binary.DIVIDE
          && t.a() == distance
          && forward.rows(t.b()) == 1) {
        return draft.multiply(value(kept), draft.multiply(value(t.b()), factor));
      }
    }
    return draft.multiply(draft.combine(Binary.SUBTRACT, value(a), value(mean)), factor);
  }

  // Values of the forward pass.

  /** A term of the backward pass that has the value of one of the forward pass. */
  int value(int number) {
    return switch (forward.term(number)) {
      case Term.Load t -> draft.add(t);
      case Term.Vector t -> draft.add(t);
      case Term.Number t -> draft.add(t);
      case Term.Affine t -> draft.affine(value(t.a()), t.factor(), t.constant());
      case Term.Combine t when !stored.containsKey(number) && isAtHand(t.a()) && isAtHand(t.b()) ->
          draft.combine(t.f(), value(t.a()), value(t.b()));
      default -> kept(number);
    };
  }

  /** Whether reading a term costs a load at most. */
  private boolean isAtHand(int number) {
    return forward.isLeaf(number)
        || stored.containsKey(number)
        || (forward.term(number) instanceof Term.Affine t && isAtHand(t.a()));
  }

  private int kept(int number) {
    Effect.Store store = stored.get(number);
    int rows = forward.rows(number);
    if (store == null) {
      Layout layout = rows == 1 ? Layout.MATRIX : Layout.TILES;
      int array = tables.array(rows, layout, Purpose.KEPT, 0);
      store = new Effect.Store(number, rows, array, 0, 0);
      forward.effects.add(store);
      stored.put(number, store);
    }
    return draft.load(store.array(), store.row(), rows, store.lag());
  }
}

package io.recur.compile;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The terms of one pass, equal ones once, and what the pass writes. */
final class Draft {
  /** What a pass writes. */
  sealed interface Effect {
    int term();

    int rows();

    /** A term, repeated if it has one row, becomes rows of an array at step t + lag. */
    record Store(int term, int rows, int array, int row, int lag) implements Effect {}

    /** A term is added to the columns of a gradient that one-hot x names. */
    record Scatter(int term, int rows, int weights) implements Effect {}

    /** A term's rows are reduced. */
    record Reduce(int term, int rows, int reduced) implements Effect {}
  }

  /**
   * Some terms of as many rows, one below the other.
   *
   * @param parts the terms
   * @param mean of all their rows
   */
  record Stacked(List<Integer> parts, int mean) {}

  /** The variances of several parts: terms whose gradient goes to the parts themselves. */
  final Map<Integer, Stacked> variances = new HashMap<>();

  final List<Term> terms = new ArrayList<>();
  final List<Effect> effects = new ArrayList<>();
  private final Map<Term, Integer> known = new HashMap<>();
  private final Map<Integer, Boolean> repeatable = new HashMap<>();

  int add(Term term) {
    Integer found = known.get(term);
    if (found != null) {
      return found;
    }
    known.put(term, terms.size());
    terms.add(term);
    return terms.size() - 1;
  }

  /** The number of a term, or {@link Instruction#NONE}. */
  int known(Term term) {
    return known.getOrDefault(term, Instruction.NONE);
  }

  Term term(int number) {
    return terms.get(number);
  }

  int rows(int number) {
    return term(number).rows();
  }

  void store(int term, int rows, int array, int row, int lag) {
    effects.add(new Effect.Store(term, rows, array, row, lag));
  }

  /** Whether a term of one row can be computed, repeated, in a section of any number of rows. */
  boolean isRepeatable(int number) {
    Boolean found = repeatable.get(number);
    if (found == null) {
      found = rows(number) == 1;
      Term term = term(number);
      found &= !(term instanceof Term.Product || term instanceof Term.Dropped);
      if (found && !(term instanceof Term.Reduced)) {
        for (int operand : term.operands()) {
          found &= isRepeatable(operand);
        }
      }
      repeatable.put(number, found);
    }
    return found;
  }

  /** Whether a term costs no more than reading it again. */
  boolean isLeaf(int number) {
    Term term = term(number);
    return term instanceof Term.Load || term instanceof Term.Vector || term instanceof Term.Number;
  }

  // Terms with what is simpler where it is the same.

  int number(float number) {
    return add(new Term.Number(number));
  }

  int load(int array, int row, int rows, int lag) {
    return add(new Term.Load(rows, array, row, lag));
  }

  int map(Elementwise f, int a) {
    return switch (f) {
      case IDENTITY -> a;
      case NEGATE -> affine(a, -1, 0);
      default -> add(new Term.Map(rows(a), f, a));
    };
  }

  int affine(int a, float factor, float constant) {
    if (factor == 1 && constant == 0) {
      return a;
    }
    if (term(a) instanceof Term.Number n) {
      return number(factor * n.number() + constant);
    }
    return add(new Term.Affine(rows(a), a, factor, constant));
  }

  int combine(Binary f, int a, int b) {
    Term right = term(b);
    Term left = term(a);
    if (right instanceof Term.Number n) {
      switch (f) {
        case ADD -> {
          return affine(a, 1, n.number());
        }
        case SUBTRACT -> {
          return affine(a, 1, -n.number());
        }
        case MULTIPLY -> {
          return affine(a, n.number(), 0);
        }
        default -> {}
      }
    }
    if (left instanceof Term.Number n) {
      switch (f) {
        case ADD -> {
          return affine(b, 1, n.number());
        }
        case SUBTRACT -> {
          return affine(b, -1, n.number());
        }
        case MULTIPLY -> {
          return affine(b, n.number(), 0);
        }
        default -> {}
      }
    }
    return add(new Term.Combine(Math.max(rows(a), rows(b)), f, a, b));
  }

  int multiply(int a, int b) {
    return combine(Binary.MULTIPLY, a, b);
  }

  int reduced(Reduction kind, int a) {
    boolean isLinear = kind == Reduction.SUM || kind == Reduction.MEAN;
    int negated = isLinear ? negated(a) : Instruction.NONE;
    return negated < 0 ? add(new Term.Reduced(kind, a)) : negate(reduced(kind, negated));
  }

  /**
   * A sum, mean or variance of all rows of terms of as many rows. The variance is that of the means
   * over the terms, and the mean over all rows of what is within each.
   */
  int reduced(Reduction kind, List<Integer> parts) {
    int sum = Instruction.NONE;
    for (int part : parts) {
      sum = sum(sum, part);
    }
    if (kind == Reduction.SUM) {
      return reduced(kind, sum);
    }
    int centre = affine(sum, 1f / parts.size(), 0);
    int mean = reduced(Reduction.MEAN, centre);
    if (kind == Reduction.MEAN) {
      return mean;
    }
    int within = Instruction.NONE;
    for (int part : parts) {
      int distance = combine(Binary.SUBTRACT, part, centre);
      within = sum(within, multiply(distance, distance));
    }
    int all = rows(centre) * parts.size();
    int variance =
        sum(
            reduced(Reduction.VARIANCE, centre),
            affine(reduced(Reduction.SUM, within), 1f / all, 0));
    variances.put(variance, new Stacked(parts, mean));
    return variance;
  }

  private int negate(int a) {
    return affine(a, -1, 0);
  }

  /** What a term is the negative of, or {@link Instruction#NONE}. */
  private int negated(int number) {
    return term(number) instanceof Term.Affine t && t.factor() == -1 && t.constant() == 0
        ? t.a()
        : Instruction.NONE;
  }

  /**
   * {@code a + b}, where {@link Instruction#NONE} counts as zero. Two sums over as many rows are
   * one of the sums of these rows.
   */
  int sum(int a, int b) {
    if (a < 0 || b < 0) {
      return Math.max(a, b);
    }
    if (negated(a) >= 0 && negated(b) >= 0) {
      return negate(sum(negated(a), negated(b)));
    }
    return term(a) instanceof Term.Reduced x
            && term(b) instanceof Term.Reduced y
            && x.kind() == Reduction.SUM
            && y.kind() == Reduction.SUM
            && rows(x.a()) == rows(y.a())
        ? reduced(Reduction.SUM, sum(x.a(), y.a()))
        : combine(Binary.ADD, a, b);
  }
}

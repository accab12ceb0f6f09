package io.recur.compile;

import io.recur.compile.Draft.Effect;
import io.recur.compile.Tables.Purpose;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.RowReduction;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Deals the terms of a pass to phases, each as late as its readers allow, so that few values wait
 * in memory for a later phase. A product or a reduction reads what an earlier phase has written.
 */
final class Schedule {
  private final Draft draft;
  private final Tables tables;
  private final Purpose forWaiting;
  private final List<RowReduction> reductions;

  /** The first phase in which a term can be computed, and the one in which it is. */
  private int[] level;

  private int[] phase;

  private int[] readers;
  private int count = 1;

  /** What this pass writes at the present step, by array. */
  private final Map<Integer, List<Effect.Store>> written = new HashMap<>();

  /** The numbers of the reductions, by term. */
  private final Map<Integer, Integer> numbers = new HashMap<>();

  /** The arrays in which values wait for later phases. */
  private final Map<Integer, Integer> waiting = new HashMap<>();

  /**
   * A schedule of one pass.
   *
   * @param forWaiting the purpose of the arrays in which values wait
   * @param reductions to which those of this pass are added
   */
  Schedule(Draft draft, Tables tables, Purpose forWaiting, List<RowReduction> reductions) {
    this.draft = draft;
    this.tables = tables;
    this.forWaiting = forWaiting;
    this.reductions = reductions;
  }

  List<Phase> phases() {
    findWritten();
    findLevels();
    for (Effect effect : draft.effects) {
      count = Math.max(count, level[effect.term()] + 1);
    }
    findPhases();
    hastenGradients();
    addReductions();
    addWaiting();
    countReaders();
    return emit();
  }

  private void findWritten() {
    for (Effect effect : draft.effects) {
      if (effect instanceof Effect.Store store && store.lag() == 0) {
        written.computeIfAbsent(store.array(), _ -> new ArrayList<>()).add(store);
      }
    }
  }

  /** What must be written before a term can be read. */
  private List<Effect.Store> sources(Term term) {
    if (term instanceof Term.Load load && load.lag() == 0) {
      return written.getOrDefault(load.array(), List.of());
    }
    return term instanceof Term.Times times && times.lag() == 0
        ? written.getOrDefault(times.operand(), List.of())
        : List.of();
  }

  private void findLevels() {
    level = new int[draft.terms.size()];
    Arrays.fill(level, -1);
    for (int i = 0; i < level.length; i++) {
      level(i);
    }
  }

  private int level(int number) {
    if (level[number] < 0) {
      Term term = draft.term(number);
      int found = 0;
      for (int operand : term.operands()) {
        found = Math.max(found, level(operand) + (term instanceof Term.Reduced ? 1 : 0));
      }
      for (Effect.Store source : sources(term)) {
        found = Math.max(found, level(source.term()) + 1);
      }
      level[number] = found;
    }
    return level[number];
  }

  private void findPhases() {
    phase = new int[draft.terms.size()];
    Arrays.fill(phase, count);
    for (Effect effect : draft.effects) {
      phase[effect.term()] = Math.min(phase[effect.term()], count - 1);
    }
    for (int at = count - 1; at >= 0; at--) {
      for (int i = phase.length - 1; i >= 0; i--) {
        if (level[i] == at && isUsed(i)) {
          findPhasesOfRead(i);
        }
      }
    }
  }

  /** What a term reads is computed in its phase at the latest, or before it. */
  private void findPhasesOfRead(int number) {
    Term term = draft.term(number);
    int before = phase[number] - 1;
    for (int operand : term.operands()) {
      int latest = term instanceof Term.Reduced ? before : phase[number];
      phase[operand] = Math.min(phase[operand], latest);
    }
    for (Effect.Store source : sources(term)) {
      phase[source.term()] = Math.min(phase[source.term()], before);
    }
  }

  /**
   * A gradient that the pass leaves, and that no term reads, is computed where what it consists of
   * is still at hand.
   */
  private void hastenGradients() {
    Set<Integer> read = new HashSet<>();
    for (int i = 0; i < phase.length; i++) {
      if (isUsed(i)) {
        for (int operand : draft.term(i).operands()) {
          read.add(operand);
        }
      }
    }
    for (Effect effect : draft.effects) {
      if (effect instanceof Effect.Store store
          && tables.purpose(store.array()) == Purpose.GRADIENT
          && !read.contains(store.term())) {
        phase[store.term()] = Math.min(phase[store.term()], earliest(store.term()));
      }
    }
  }

  /** The first phase that finds what a term reads, where that is computed now. */
  private int earliest(int number) {
    Term term = draft.term(number);
    int found = level[number];
    for (Effect.Store source : sources(term)) {
      found = Math.max(found, phase[source.term()] + 1);
    }
    for (int operand : term.operands()) {
      boolean isHere = draft.isLeaf(operand) || draft.isRepeatable(operand);
      int of = isHere ? earliest(operand) : phase[operand];
      found = Math.max(found, of + (term instanceof Term.Reduced ? 1 : 0));
    }
    return found;
  }

  /** Each reduction in use becomes an effect of the phase that computes its operand. */
  private void addReductions() {
    for (int i = 0; i < phase.length; i++) {
      if (draft.term(i) instanceof Term.Reduced reduced && isUsed(i)) {
        int rows = draft.rows(reduced.a());
        reductions.add(new RowReduction(reduced.kind(), rows));
        numbers.put(i, reductions.size() - 1);
        draft.effects.add(new Effect.Reduce(reduced.a(), rows, i));
      }
    }
  }

  /** The number of a reduction. */
  int reduction(int term) {
    return numbers.get(term);
  }

  private boolean isUsed(int number) {
    return phase[number] < count;
  }

  private void countReaders() {
    readers = new int[phase.length];
    for (int i = 0; i < phase.length; i++) {
      if (isUsed(i)) {
        for (int operand : draft.term(i).operands()) {
          readers[operand]++;
        }
      }
    }
    for (Effect effect : draft.effects) {
      readers[effect.term()]++;
    }
  }

  Purpose purpose(int array) {
    return tables.purpose(array);
  }

  Weights weights(int number) {
    return tables.weights.get(number);
  }

  /** The number of terms and effects that read a term. */
  int readers(int term) {
    return readers[term];
  }

  /**
   * Stores values that later phases read. Terms of one row that are repeated are computed there.
   */
  private void addWaiting() {
    Map<Integer, Effect.Store> stored = new HashMap<>();
    for (Effect effect : draft.effects) {
      if (effect instanceof Effect.Store store
          && tables.purpose(store.array()) == Purpose.KEPT
          && store.rows() > 1) {
        stored.put(store.term(), store);
      }
    }
    for (int i = 0; i < phase.length; i++) {
      if (!draft.isLeaf(i) && !isFree(i) && isReadLater(i)) {
        Effect.Store store = stored.get(i);
        if (store == null) {
          int rows = draft.rows(i);
          int array = tables.array(rows, Layout.TILES, forWaiting, 0);
          store = new Effect.Store(i, rows, array, 0, 0);
          draft.effects.add(store);
        }
        waiting.put(i, store.array());
      }
    }
  }

  /** Whether a term is computed wherever it is read. */
  private boolean isFree(int number) {
    return draft.term(number) instanceof Term.Reduced || draft.isRepeatable(number);
  }

  private boolean isReadLater(int number) {
    for (int i = 0; i < phase.length; i++) {
      if (isUsed(i) && phase[i] > phase[number] && !(draft.term(i) instanceof Term.Reduced)) {
        for (int operand : draft.term(i).operands()) {
          if (operand == number) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** The array in which a term waits for this phase; negative where the phase computes it. */
  int waiting(int term, int inPhase) {
    return phase[term] < inPhase ? waiting.getOrDefault(term, -1) : -1;
  }

  private List<Phase> emit() {
    List<Phase> phases = new ArrayList<>();
    for (int p = 0; p < count; p++) {
      Map<Integer, List<Effect>> sections = new TreeMap<>(Comparator.reverseOrder());
      for (Effect effect : draft.effects) {
        if (phase[effect.term()] == p) {
          sections.computeIfAbsent(effect.rows(), _ -> new ArrayList<>()).add(effect);
        }
      }
      List<Section> emitted = new ArrayList<>();
      for (var section : sections.entrySet()) {
        emitted.add(new Emission(draft, this, p, section.getKey()).section(section.getValue()));
      }
      phases.add(new Phase(emitted));
    }
    return phases;
  }
}

package io.recur.compile;

import io.recur.compile.Draft.Effect;
import io.recur.compile.Groups.Group;
import io.recur.compile.Groups.Piece;
import io.recur.compile.Layers.Range;
import io.recur.compile.Tables.Purpose;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.VectorGradient;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The backward pass of a forward pass, by reverse-mode differentiation. The gradient of a part of
 * the state is what the next step has stored in {@link Purpose#CARRY} plus the transposed products
 * of the gradients that it has stored, so that a step needs no barrier for them.
 */
final class Backward {
  final Draft steps = new Draft();
  final Draft end = new Draft();
  final List<WeightGradient> weightGradients = new ArrayList<>();
  final List<VectorGradient> vectorGradients = new ArrayList<>();

  /** The products that give x its gradient: {@code dX += Wᵀ·array}, of all steps. */
  final List<WeightGradient> inputProducts = new ArrayList<>();

  private final Lowering lowering;
  private final Draft forward;
  private final Tables tables;
  private Groups groups;
  private Derivatives derivatives;
  private int outputGradient;

  /** The layers of each part of the state, and their arrays. */
  private final List<List<List<Range>>> carried = new ArrayList<>();

  private final List<List<Integer>> carries = new ArrayList<>();

  /** The gradients of rows of arrays that forward terms load, and where they are added up. */
  private final Map<Integer, Map<Range, Integer>> loaded = new HashMap<>();

  private final Map<Integer, List<Integer>> passing = new HashMap<>();

  /** Arrays by what is stored in them. */
  private final Map<List<Piece>, Integer> contents = new HashMap<>();

  Backward(Lowering lowering) {
    this.lowering = lowering;
    this.forward = lowering.draft;
    this.tables = lowering.tables;
  }

  /** Fills the pass. Before this call it is empty. */
  void differentiate() {
    groups = new Groups(forward, tables);
    derivatives = new Derivatives(forward, steps, tables);
    int rows = tables.arrays.get(lowering.output).array().rows();
    outputGradient = tables.matrix(rows, Purpose.OUTPUT_GRADIENT);
    prepareCarries();
    walk();
    storeGroups();
    storeVectors();
    storeInputGradient();
    storeCarries();
    complete();
  }

  /** Whether a part of the state is the output too: its gradient after the last step is dy's. */
  private boolean isOutput(int part) {
    return lowering.states[part] == lowering.output;
  }

  private void prepareCarries() {
    for (int i = 0; i < lowering.states.length; i++) {
      int array = lowering.states[i];
      int rows = tables.arrays.get(array).array().rows();
      List<Range> read = new ArrayList<>();
      for (Term term : forward.terms) {
        if (term instanceof Term.Load load && load.array() == array) {
          read.add(new Range(load.row(), load.rows()));
        }
      }
      List<List<Range>> layers = Layers.of(read);
      if (layers.isEmpty() && !isOutput(i)) {
        layers.add(new ArrayList<>());
      }
      List<Integer> arrays = new ArrayList<>();
      for (int k = 0; k < layers.size(); k++) {
        arrays.add(tables.array(rows, Layout.MATRIX, Purpose.CARRY, i));
      }
      carried.add(layers);
      carries.add(arrays);
    }
  }

  /** The arrays of a part's carries; the first takes what its last state is given. */
  List<Integer> carries(int part) {
    return carries.get(part);
  }

  // The walk.

  private void walk() {
    Map<Integer, List<Effect.Store>> stores = new HashMap<>();
    for (Effect effect : List.copyOf(forward.effects)) {
      if (effect instanceof Effect.Store store) {
        stores.computeIfAbsent(store.term(), _ -> new ArrayList<>()).add(store);
      }
    }
    for (int i = forward.terms.size() - 1; i >= 0; i--) {
      for (Effect.Store store : stores.getOrDefault(i, List.of())) {
        derivatives.add(i, given(store));
      }
      int d = derivatives.of(i);
      if (d >= 0) {
        pass(i, d);
      }
    }
  }

  private void pass(int number, int d) {
    switch (forward.term(number)) {
      case Term.Load load ->
          loaded
              .computeIfAbsent(load.array(), _ -> new LinkedHashMap<>())
              .merge(new Range(load.row(), load.rows()), d, steps::sum);
      case Term.Gathered gathered -> {
        int rows = gathered.rows();
        steps.effects.add(new Effect.Scatter(fitting(d, rows), rows, gathered.weights()));
      }
      default -> derivatives.pass(number, d);
    }
  }

  private int fitting(int gradient, int rows) {
    return rows > 1 ? derivatives.row(gradient) : gradient;
  }

  /** The gradient that a stored term is given by those who read it. */
  private int given(Effect.Store store) {
    int sum =
        switch (tables.purpose(store.array())) {
          case STATE -> ofState(steps, tables.arrays.get(store.array()).part(), store, true);
          case OPERAND -> ofOperand(store);
          default -> Instruction.NONE;
        };
    return store.array() == lowering.output
        ? steps.sum(steps.load(outputGradient, store.row(), store.rows(), 0), sum)
        : sum;
  }

  /** The gradient of some rows of a part of the state after this step, from the next step. */
  private int ofState(Draft draft, int part, Effect.Store rows, boolean skipsFirst) {
    int sum = Instruction.NONE;
    for (int carry : carries.get(part)) {
      sum = draft.sum(sum, draft.load(carry, rows.row(), rows.rows(), 1));
    }
    return pulled(draft, lowering.states[part], rows, 1, skipsFirst, sum);
  }

  /** Adds {@code Wᵀ·d} of all products that read an array. */
  private int pulled(
      Draft draft, int array, Effect.Store rows, int lag, boolean skipsFirst, int sum) {
    int total = sum;
    for (Group group : groups.all) {
      if (group.operand() == array) {
        Weights all = tables.weights.get(group.weights());
        int part =
            tables.weights(
                all.matrix(), all.row(), all.rows(), all.column() + rows.row(), rows.rows());
        total =
            draft.sum(
                total,
                draft.add(
                    new Term.Times(rows.rows(), part, true, group.gradient(), lag, skipsFirst)));
      }
    }
    return total;
  }

  /** The gradient of some rows of an array from the same step. */
  private int ofOperand(Effect.Store store) {
    Map<Range, Integer> readers = loaded.getOrDefault(store.array(), Map.of());
    int sum = readers.getOrDefault(new Range(store.row(), store.rows()), Instruction.NONE);
    for (int array : passing.computeIfAbsent(store.array(), this::passParts)) {
      sum = steps.sum(sum, steps.load(array, store.row(), store.rows(), 0));
    }
    return pulled(steps, store.array(), store, 0, false, sum);
  }

  /** Stores the gradients of rows that are not those that are stored together. */
  private List<Integer> passParts(int array) {
    Map<Range, Integer> readers = new LinkedHashMap<>(loaded.getOrDefault(array, Map.of()));
    for (Effect effect : forward.effects) {
      if (effect instanceof Effect.Store store && store.array() == array) {
        readers.remove(new Range(store.row(), store.rows()));
      }
    }
    return storeLayers(Layers.of(List.copyOf(readers.keySet())), readers, array, Purpose.PASSING);
  }

  private List<Integer> storeLayers(
      List<List<Range>> layers, Map<Range, Integer> gradients, int like, Purpose purpose) {
    List<Integer> arrays = new ArrayList<>();
    for (List<Range> layer : layers) {
      int array = tables.matrix(tables.arrays.get(like).array().rows(), purpose);
      storeLayer(layer, gradients, array);
      arrays.add(array);
    }
    return arrays;
  }

  /** Stores the gradients of a layer, and zeros between them. */
  private void storeLayer(List<Range> layer, Map<Range, Integer> gradients, int array) {
    for (Range range : layer) {
      int gradient = gradients.getOrDefault(range, Instruction.NONE);
      storeRows(gradient, range, array);
    }
    int rows = tables.arrays.get(array).array().rows();
    for (Range gap : Layers.gaps(layer, rows)) {
      storeRows(Instruction.NONE, gap, array);
    }
  }

  private void storeRows(int gradient, Range range, int array) {
    int term = gradient < 0 ? steps.number(0) : fitting(gradient, range.rows());
    steps.store(term, range.rows(), array, range.row(), 0);
  }

  // What the pass leaves.

  private void storeGroups() {
    List<Group> pulledFirst = new ArrayList<>(groups.all);
    pulledFirst.sort((a, b) -> Boolean.compare(isRead(b.gradient()), isRead(a.gradient())));
    for (Group group : pulledFirst) {
      List<Piece> gradients = new ArrayList<>();
      for (Piece piece : group.pieces()) {
        int d = derivatives.of(piece.term());
        int term = d < 0 ? steps.number(0) : fitting(d, piece.rows());
        gradients.add(new Piece(piece.row() - group.first(), piece.rows(), term));
      }
      int array =
          isRead(group.gradient()) ? group.gradient() : contents.getOrDefault(gradients, -1);
      if (array < 0 || array == group.gradient()) {
        array = group.gradient();
        contents.putIfAbsent(gradients, array);
        store(gradients, array);
      }
      var gradient = new WeightGradient(group.weights(), array, group.operand(), 0);
      weightGradients.add(gradient);
      if (group.operand() == lowering.input) {
        inputProducts.add(gradient);
      }
    }
  }

  private void store(List<Piece> gradients, int array) {
    for (Piece piece : gradients) {
      steps.store(piece.term(), piece.rows(), array, piece.row(), 0);
    }
  }

  /** Whether a product of the backward pass reads an array. */
  private boolean isRead(int array) {
    return steps.terms.stream()
        .anyMatch(term -> term instanceof Term.Times times && times.operand() == array);
  }

  private void storeVectors() {
    Map<Integer, List<Piece>> vectors = new LinkedHashMap<>();
    for (int i = 0; i < forward.terms.size(); i++) {
      if (forward.term(i) instanceof Term.Vector vector && derivatives.of(i) >= 0) {
        vectors
            .computeIfAbsent(vector.vector(), _ -> new ArrayList<>())
            .add(new Piece(vector.row(), vector.rows(), i));
      }
    }
    vectors.forEach(
        (vector, pieces) -> Groups.runs(pieces).forEach(run -> storeVector(vector, run)));
  }

  private void storeVector(int vector, List<Piece> run) {
    int first = Math.max(run.getFirst().row(), 0); // rows of a band begin before and end behind it
    int end = Math.min(run.getLast().row() + run.getLast().rows(), lowering.length(vector));
    List<Piece> gradients = new ArrayList<>();
    for (Piece piece : run) {
      int term = fitting(derivatives.of(piece.term()), piece.rows());
      gradients.add(new Piece(piece.row() - first, piece.rows(), term));
    }
    Integer array = contents.get(gradients);
    if (array == null || tables.arrays.get(array).array().rows() != end - first) {
      array = tables.matrix(end - first, Purpose.GRADIENT);
      contents.put(gradients, array);
      store(gradients, array);
    }
    vectorGradients.add(new VectorGradient(vector, first, array));
  }

  private void storeInputGradient() {
    Map<Range, Integer> readers = loaded.getOrDefault(lowering.input, Map.of());
    storeLayers(
        Layers.of(List.copyOf(readers.keySet())), readers, lowering.input, Purpose.INPUT_GRADIENT);
  }

  private void storeCarries() {
    for (int i = 0; i < carried.size(); i++) {
      Map<Range, Integer> gradients = loaded.getOrDefault(lowering.states[i], Map.of());
      for (int k = 0; k < carried.get(i).size(); k++) {
        storeLayer(carried.get(i).get(k), gradients, carries.get(i).get(k));
      }
    }
  }

  /** After the last step: the gradients of the state before the first one. */
  private void complete() {
    for (int i = 0; i < lowering.states.length; i++) {
      int rows = tables.arrays.get(lowering.states[i]).array().rows();
      int array = tables.array(rows, Layout.MATRIX, Purpose.STATE_GRADIENT, i);
      int sum = ofState(end, i, new Effect.Store(0, rows, array, 0, 1), false);
      end.store(sum < 0 ? end.number(0) : sum, rows, array, 0, 1);
    }
  }
}

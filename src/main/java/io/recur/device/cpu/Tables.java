package io.recur.device.cpu;

import io.recur.bindings.kernels.recur_gradient;
import io.recur.bindings.kernels.recur_hidden;
import io.recur.bindings.kernels.recur_kept;
import io.recur.bindings.kernels.recur_multiplication;
import io.recur.bindings.kernels.recur_pass;
import io.recur.bindings.kernels.recur_phase;
import io.recur.bindings.kernels.recur_place;
import io.recur.bindings.kernels.recur_section;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A program as tables of {@code native/recur.h}, before these are written to memory. */
final class Tables {
  /** Packed weights: those of products with the same operand, side by side. */
  record Panels(List<Integer> weights, boolean transposed) {}

  /** A tile that lies in an array, in a panel of gradients, or where a vector is. */
  record Place(Kind kind, int number, int lag) implements Row {
    enum Kind {
      ARRAY,
      PANEL,
      VECTOR
    }

    /** Of the vector that is loaded there. */
    static final Place OF_VECTOR = new Place(Kind.VECTOR, 0, 0);

    boolean isPanel() {
      return kind == Kind.PANEL;
    }

    @Override
    public void write(MemorySegment to) {
      recur_place.kind(to, kind.ordinal());
      recur_place.number(to, number);
      recur_place.lag(to, lag);
    }
  }

  /**
   * Rows of an array in scratch, the array of the program that it stands for, −1 for none, and
   * whether it is there for the backward pass.
   */
  record Hidden(int rows, int same, boolean isBackward) implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_hidden.rows(to, rows);
      recur_hidden.same(to, same);
      recur_hidden.is_backward(to, isBackward ? 1 : 0);
    }
  }

  /** Panels that multiply one operand. */
  record Multiplication(
      int packed, int panels, int terms, int operand, int lag, boolean skipsFirst, int first)
      implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_multiplication.packed(to, packed);
      recur_multiplication.panels(to, panels);
      recur_multiplication.terms(to, terms);
      recur_multiplication.operand(to, operand);
      recur_multiplication.lag(to, lag);
      recur_multiplication.skips_first(to, skipsFirst ? 1 : 0);
      recur_multiplication.first(to, first);
    }
  }

  /** Where the tables of a section begin, and how many instructions its groups have. */
  record Section(int rows, int first, int[] groups, int firstPlace, int places, boolean isFree)
      implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_section.rows(to, rows);
      recur_section.first(to, first);
      recur_section.before(to, groups[0]);
      recur_section.recurrent(to, groups[1]);
      recur_section.after(to, groups[2]);
      recur_section.first_place(to, firstPlace);
      recur_section.places(to, places);
      recur_section.is_free(to, isFree ? 1 : 0);
    }
  }

  record Phase(int first, int sections) implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_phase.first(to, first);
      recur_phase.sections(to, sections);
    }
  }

  record Pass(
      int aside,
      int asides,
      int first,
      int phases,
      int end,
      int ends,
      boolean isFree,
      boolean cuts,
      boolean isFar,
      long work,
      int gradient,
      int gradients,
      long keptRows)
      implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_pass.aside(to, aside);
      recur_pass.asides(to, asides);
      recur_pass.first(to, first);
      recur_pass.phases(to, phases);
      recur_pass.end(to, end);
      recur_pass.ends(to, ends);
      recur_pass.is_free(to, isFree ? 1 : 0);
      recur_pass.cuts(to, cuts ? 1 : 0);
      recur_pass.is_far(to, isFar ? 1 : 0);
      recur_pass.work(to, work);
      recur_pass.gradient(to, gradient);
      recur_pass.gradients(to, gradients);
      recur_pass.kept_rows(to, keptRows);
    }
  }

  /** The rows of a panel, and those of the panels in front. */
  record Kept(int rows, long before) implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_kept.rows(to, rows);
      recur_kept.before(to, before);
    }
  }

  /**
   * What panels of gradients are added to: rows of a matrix, or of a vector, whose operand is −1,
   * or −2 where the panels hold sums over some steps.
   */
  record Gradient(int kept, int parameter, int row, int column, int operand, int lag, int shared)
      implements Row {
    @Override
    public void write(MemorySegment to) {
      recur_gradient.kept(to, kept);
      recur_gradient.parameter(to, parameter);
      recur_gradient.row(to, row);
      recur_gradient.column(to, column);
      recur_gradient.operand(to, operand);
      recur_gradient.lag(to, lag);
      recur_gradient.is_shared(to, shared);
    }

    Gradient shared(int as) {
      return new Gradient(kept, parameter, row, column, operand, lag, as);
    }
  }

  private final CellProgram program;
  private final int width;
  final Moments moments;

  /** The arrays of the program, then hidden ones. */
  final List<CellProgram.Array> arrays;

  final List<Hidden> hidden = new ArrayList<>();

  final List<Panels> packed = new ArrayList<>();
  final List<Multiplication> multiplications = new ArrayList<>();

  /** The tiles of multiplications. */
  final List<Integer> tiles = new ArrayList<>();

  final List<Place> places = new ArrayList<>();
  final List<Code> codes = new ArrayList<>();
  final List<Section> sections = new ArrayList<>();
  final List<Phase> phases = new ArrayList<>();
  final List<Pass> passes = new ArrayList<>();
  final List<Kept> kept = new ArrayList<>();
  final List<Gradient> gradients = new ArrayList<>();
  int mostTiles;
  int mostPlaces;

  private final Set<Integer> gradientArrays = new HashSet<>();

  /** Arrays that a forward step loads. */
  private final Set<Integer> loaded = new HashSet<>();

  /**
   * Begins empty tables.
   *
   * @param width rows of a panel
   */
  Tables(CellProgram program, int width) {
    this.program = program;
    this.width = width;
    this.moments = new Moments(program);
    this.arrays = new ArrayList<>(program.arrays());
    for (CellProgram.WeightGradient gradient : program.weightGradients()) {
      gradientArrays.add(gradient.array());
    }
    for (CellProgram.VectorGradient gradient : program.vectorGradients()) {
      gradientArrays.add(gradient.array());
    }
    for (Instruction instruction : program.forward().instructions()) {
      if (instruction instanceof Instruction.Load i) {
        loaded.add(i.array());
      }
    }
  }

  // What a section asks for.

  boolean isGradient(int array) {
    return gradientArrays.contains(array);
  }

  /** Whether gradients of vectors follow from an array, and of no matrix. */
  boolean isOfVectors(int array) {
    return isGradient(array)
        && program.weightGradients().stream().noneMatch(its -> its.array() == array);
  }

  boolean isInTiles(int array) {
    return arrays.get(array).layout() == CellProgram.Layout.TILES;
  }

  boolean isHidden(int array) {
    return array >= program.arrays().size();
  }

  /** Adds an array in scratch for a pass and returns its number. */
  int hide(int rows, boolean isBackward) {
    arrays.add(new CellProgram.Array(rows, CellProgram.Layout.TILES, false));
    hidden.add(new Hidden(rows, -1, isBackward));
    return arrays.size() - 1;
  }

  /** Keeps an array of the program in scratch where its own memory has not all steps. */
  void keepAll(int array, boolean isBackward) {
    arrays.add(arrays.get(array));
    hidden.add(new Hidden(arrays.get(array).rows(), array, isBackward));
  }

  /**
   * Lets a hidden array be one of the program that no forward step reads, and returns whether it
   * can.
   */
  boolean join(int array, Place place) {
    int number = array - program.arrays().size();
    boolean fits =
        number >= 0
            && hidden.get(number).same < 0
            && !hidden.get(number).isBackward
            && !place.isPanel()
            && place.lag == 0
            && !loaded.contains(place.number)
            && arrays.get(place.number).rows() == arrays.get(array).rows()
            && hidden.stream().noneMatch(other -> other.same == place.number);
    if (fits) {
      hidden.set(number, new Hidden(arrays.get(array).rows(), place.number, false));
    }
    return fits;
  }

  /** The blocks of the values that the reductions reduce which are in front of one's numbers. */
  int blocksBefore(int reduction) {
    long rows = 0;
    int source = moments.source(reduction);
    for (CellProgram.RowReduction before : program.reductions().subList(0, source)) {
      rows += padded(before.rows());
    }
    return (int) (rows / width);
  }

  /** The number of a multiplication of the same operand. */
  int multiplication(List<Node> products, List<Integer> sums) {
    Instruction.Product one = (Instruction.Product) products.getFirst().its();
    List<Integer> weights = new ArrayList<>();
    for (Node product : products) {
      weights.add(((Instruction.Product) product.its()).weights());
    }
    Panels panels = new Panels(weights, one.transposed());
    if (!packed.contains(panels)) {
      packed.add(panels);
    }
    multiplications.add(
        new Multiplication(
            packed.indexOf(panels),
            products.size(),
            arrays.get(one.operand()).rows(),
            one.operand(),
            one.lag(),
            one.skipsFirst(),
            tiles.size()));
    tiles.addAll(sums);
    for (Node product : products) {
      Instruction.LoadVector begin = product.begin();
      tiles.add(begin == null ? -1 : begin.vector());
      tiles.add(begin == null ? 0 : begin.row());
    }
    return multiplications.size() - 1;
  }

  // What the tables hold.

  CellProgram program() {
    return program;
  }

  long padded(long rows) {
    return (rows + width - 1) / width * width;
  }

  int mostTerms() {
    int most = 0;
    for (Gradient gradient : gradients) {
      if (gradient.operand() >= 0) {
        most = Math.max(most, arrays.get(gradient.operand()).rows());
      }
    }
    return most;
  }

  long weightGradients() {
    long values = 0;
    for (CellProgram.WeightGradient gradient : program.weightGradients()) {
      CellProgram.Weights its = program.weights().get(gradient.weights());
      values += (long) its.rows() * its.columns();
    }
    return values;
  }

  /** Rows of the values that the panels of weights multiply into. */
  int rowsOf(Panels panels) {
    CellProgram.Weights w = program.weights().get(panels.weights.getFirst());
    return panels.transposed ? w.columns() : w.rows();
  }

  int termsOf(Panels panels) {
    CellProgram.Weights w = program.weights().get(panels.weights.getFirst());
    return panels.transposed ? w.rows() : w.columns();
  }
}

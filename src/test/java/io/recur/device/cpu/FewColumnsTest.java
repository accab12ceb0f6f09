package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Array;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Matrix;
import io.recur.device.kernels.CellProgram.Pass;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.RowReduction;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which parts of a step are computed before the first step, and which after the last one. */
@Tag(Devices.CPU)
class FewColumnsTest {
  private static final int ROWS = 5;
  private static final int WIDTH = 16;

  // The arrays.
  private static final int X = 0;
  private static final int STATE = 1;
  private static final int OPERAND = 2;
  private static final int OUTPUT = 3;

  private static final Pass NONE = new Pass(List.of(), List.of());

  /** h' = tanh(x + h), which a product of a later phase reads. */
  private static Phase next() {
    return phase(
        new Instruction.Load(0, X, 0, 0),
        new Instruction.Load(1, STATE, 0, 0),
        new Instruction.Combine(2, Binary.ADD, 0, 1),
        new Instruction.Map(3, Elementwise.TANH, 2),
        new Instruction.Store(3, STATE, 0, 1),
        new Instruction.Store(3, OPERAND, 0, 0));
  }

  /** y = W·operand, with what else the phase does. */
  private static Phase product(int operand, Instruction... more) {
    List<Instruction> all = new ArrayList<>();
    all.add(new Instruction.Product(0, Instruction.NONE, 0, false, operand, 0, false));
    all.add(new Instruction.Store(0, OUTPUT, 0, 0));
    all.addAll(List.of(more));
    return new Phase(List.of(new Section(ROWS, all)));
  }

  private static Phase phase(Instruction... instructions) {
    return new Phase(List.of(new Section(ROWS, List.of(instructions))));
  }

  private static FewColumns split(Pass backward, Tables[] tables, Phase... phases) {
    Array matrix = new Array(ROWS, Layout.MATRIX, false);
    CellProgram program =
        new CellProgram(
            List.of(new Array(ROWS, Layout.MATRIX, true), matrix, matrix, matrix),
            List.of(),
            List.of(new Matrix(ROWS, ROWS)),
            List.of(new Weights(0, 0, ROWS, 0, ROWS)),
            List.of(new RowReduction(Reduction.MEAN, ROWS), new RowReduction(Reduction.MEAN, ROWS)),
            1,
            new Pass(List.of(phases), List.of()),
            backward,
            List.of(),
            List.of());
    tables[0] = new Tables(program, WIDTH);
    return new FewColumns(program, tables[0]);
  }

  private static FewColumns split(Phase... phases) {
    return split(NONE, new Tables[1], phases);
  }

  @Test
  void anOutputThatNoStepReadsIsComputedAfterTheLastOne() {
    Tables[] tables = new Tables[1];
    FewColumns few = split(NONE, tables, next(), product(OPERAND));
    assertEquals(List.of(product(OPERAND)), few.late());
    assertEquals(List.of(next()), few.phases());
    assertTrue(Freedom.of(few.phases()), "blocks wait for no other block");
    assertEquals(List.of(new Tables.Hidden(ROWS, OPERAND, false)), tables[0].hidden);
  }

  @Test
  void whatABackwardPassKeepsNeedsNoOtherMemory() {
    Tables[] tables = new Tables[1];
    Pass readsOther = new Pass(List.of(next()), List.of());
    FewColumns few = split(readsOther, tables, next(), product(OPERAND));
    assertEquals(1, few.late().size());
    assertEquals(List.of(new Tables.Hidden(ROWS, OPERAND, false)), tables[0].hidden);
    Pass reads = new Pass(List.of(product(OPERAND)), List.of());
    assertEquals(1, split(reads, tables, next(), product(OPERAND)).late().size());
    assertEquals(List.of(), tables[0].hidden);
  }

  @Test
  void whatTheNextStepReadsStaysInTheStep() {
    FewColumns few = split(next(), product(OPERAND, new Instruction.Store(0, STATE, 0, 1)));
    assertFalse(few.isSplit());
  }

  @Test
  void whatReadsTheStateBeforeTheStepStaysThere() {
    assertEquals(List.of(), split(next(), product(STATE)).late()); // kept for all steps or not
  }

  @Test
  void aReductionOrADrawStaysThere() {
    Instruction drop = new Instruction.Drop(1, 0, 0.5f, 0, ROWS, 0);
    assertEquals(List.of(), split(next(), product(OPERAND, drop)).late());
  }

  @Test
  void productsOfXAreComputedBeforeTheFirstStep() {
    Phase early =
        phase(
            new Instruction.Product(0, Instruction.NONE, 0, false, X, 0, false),
            new Instruction.Product(1, 0, 0, false, STATE, 0, false),
            new Instruction.Store(1, STATE, 0, 1));
    FewColumns few = split(early);
    assertEquals(1, few.begin().size());
    assertEquals(List.of(), few.late());
  }

  private static final Instruction OF_X =
      new Instruction.Product(0, Instruction.NONE, 0, false, X, 0, false);

  private static List<Instruction> begun(FewColumns few) {
    return Pass.instructions(few.begin());
  }

  private static List<Instruction> left(FewColumns few) {
    return Pass.instructions(few.phases());
  }

  /** W·x, its mean, and in the next phase h' = W·x − mean + h, all of which waits in an array. */
  private static Phase[] centred(Instruction... more) {
    List<Instruction> all = new ArrayList<>();
    all.add(new Instruction.Load(0, OPERAND, 0, 0));
    all.add(new Instruction.Reduced(1, 0));
    all.add(new Instruction.Combine(2, Binary.SUBTRACT, 0, 1));
    all.add(new Instruction.Load(3, STATE, 0, 0));
    all.add(new Instruction.Combine(4, Binary.ADD, 2, 3));
    all.add(new Instruction.Store(4, STATE, 0, 1));
    all.addAll(List.of(more));
    return new Phase[] {
      phase(OF_X, new Instruction.Reduce(0, 0), new Instruction.Store(0, OPERAND, 0, 0)),
      new Phase(List.of(new Section(ROWS, all)))
    };
  }

  @Test
  void whatFollowsFromAReductionOfXIsComputedBeforeTheFirstStep() {
    Tables[] tables = new Tables[1];
    FewColumns few = split(NONE, tables, centred());
    assertEquals(2, few.begin().size());
    assertTrue(begun(few).contains(new Instruction.Reduce(0, 0)));
    assertTrue(begun(few).contains(new Instruction.Combine(2, Binary.SUBTRACT, 0, 1)));
    assertEquals(
        List.of(
            new Instruction.Load(2, 4, 0, 0), // the first hidden array
            new Instruction.Load(3, STATE, 0, 0),
            new Instruction.Combine(4, Binary.ADD, 2, 3),
            new Instruction.Store(4, STATE, 0, 1)),
        left(few).stream()
            .filter(its -> !its.equals(new Instruction.Load(0, OPERAND, 0, 0)))
            .toList());
    assertEquals(
        List.of(new Tables.Hidden(ROWS, -1, false), new Tables.Hidden(ROWS, OPERAND, false)),
        tables[0].hidden);
  }

  @Test
  void aReductionOfTheStateStaysInTheStep() {
    FewColumns few =
        split(
            phase(
                OF_X,
                new Instruction.Load(1, STATE, 0, 0),
                new Instruction.Combine(2, Binary.ADD, 0, 1),
                new Instruction.Reduce(2, 0),
                new Instruction.Store(2, OPERAND, 0, 0)),
            centred()[1]);
    assertEquals(List.of(OF_X, new Instruction.Store(0, 4, 0, 0)), begun(few));
    assertTrue(left(few).contains(new Instruction.Reduced(1, 0)));
  }

  @Test
  void whatIsRoundedOnceWithTheStateStaysWithIt() {
    Instruction product = new Instruction.Combine(1, Binary.MULTIPLY, 0, 0);
    FewColumns few =
        split(
            phase(
                OF_X,
                product,
                new Instruction.Load(2, STATE, 0, 0),
                new Instruction.Combine(3, Binary.ADD, 1, 2),
                new Instruction.Store(3, STATE, 0, 1)));
    assertTrue(left(few).contains(product), "one operation with the sum");
    assertFalse(begun(few).contains(product));
  }

  @Test
  void anArrayOfTwoStepsIsReadWhereBothAreWritten() {
    Phase first =
        phase(
            OF_X,
            new Instruction.Store(0, OPERAND, 0, 0),
            new Instruction.Load(1, STATE, 0, 0),
            new Instruction.Store(1, OPERAND, 1, 0));
    FewColumns few = split(first, product(OPERAND, new Instruction.Store(0, STATE, 0, 1)));
    assertTrue(begun(few).contains(new Instruction.Store(0, OPERAND, 0, 0)));
    assertTrue(left(few).containsAll(product(OPERAND).sections().getFirst().instructions()));
  }

  @Test
  void aDrawStaysInItsStep() {
    Instruction drop = new Instruction.Drop(1, 0, 0.5f, 0, ROWS, 0);
    FewColumns few = split(phase(OF_X, drop, new Instruction.Store(1, STATE, 0, 1)));
    assertTrue(left(few).contains(drop));
    assertEquals(List.of(OF_X, new Instruction.Store(0, 4, 0, 0)), begun(few));
  }
}

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
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
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
            List.of(),
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
    assertEquals(List.of(new Tables.Hidden(ROWS, OPERAND)), tables[0].hidden);
  }

  @Test
  void whatABackwardPassKeepsNeedsNoOtherMemory() {
    Tables[] tables = new Tables[1];
    Pass readsOther = new Pass(List.of(next()), List.of());
    FewColumns few = split(readsOther, tables, next(), product(OPERAND));
    assertEquals(1, few.late().size());
    assertEquals(List.of(new Tables.Hidden(ROWS, OPERAND)), tables[0].hidden);
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
}

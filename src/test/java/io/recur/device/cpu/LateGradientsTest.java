package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Array;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Pass;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.RowReduction;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which parts of a backward step are computed after a run of steps. */
@Tag(Devices.CPU)
class LateGradientsTest {
  private static final int ROWS = 5;
  private static final int WIDTH = 16;

  // The arrays.
  private static final int DY = 0;
  private static final int CARRY = 1;
  private static final int PASSING = 2;
  private static final int GRADIENT = 3;
  private static final int HIDDEN = 4; // the first one

  private static final Instruction REDUCE = new Instruction.Reduce(2, 0);
  private static final Instruction REDUCED = new Instruction.Reduced(1, 0);
  private static final Instruction GIVEN = new Instruction.Store(2, GRADIENT, 0, 0);

  private final Tables tables;
  private final CellProgram program;

  LateGradientsTest() {
    program = program(new Pass(List.of(), List.of()));
    tables = new Tables(program, WIDTH);
  }

  private static CellProgram program(Pass backward) {
    Array matrix = new Array(ROWS, Layout.MATRIX, false);
    return new CellProgram(
        List.of(new Array(ROWS, Layout.MATRIX, true), matrix, matrix, matrix),
        List.of(),
        List.of(),
        List.of(),
        List.of(new RowReduction(Reduction.SUM, ROWS), new RowReduction(Reduction.SUM, ROWS)),
        1,
        new Pass(List.of(), List.of()),
        backward,
        List.of(),
        List.of());
  }

  /** d = dy + the gradient that the next step has left; what else the phase does reads it. */
  private static Phase first(Instruction... more) {
    return phase(
        List.of(
            new Instruction.Load(0, DY, 0, 0),
            new Instruction.Load(1, CARRY, 0, 0),
            new Instruction.Combine(2, Binary.ADD, 0, 1),
            new Instruction.Store(2, CARRY, 0, -1)),
        more);
  }

  /** d is what the next step has left. */
  private static Phase given() {
    return phase(
        List.of(new Instruction.Load(2, CARRY, 0, 0)),
        REDUCE,
        new Instruction.Store(2, PASSING, 0, 0));
  }

  /** d − its sum, which what else the phase does reads. */
  private static Phase second(Instruction... more) {
    return phase(
        List.of(
            new Instruction.Load(0, PASSING, 0, 0),
            REDUCED,
            new Instruction.Combine(2, Binary.SUBTRACT, 0, 1)),
        more);
  }

  private static Phase phase(List<Instruction> instructions, Instruction... more) {
    List<Instruction> all = new ArrayList<>(instructions);
    all.addAll(List.of(more));
    return new Phase(List.of(new Section(ROWS, all)));
  }

  private LateGradients split(Phase... phases) {
    return new LateGradients(program(new Pass(List.of(phases), List.of())), tables);
  }

  private static List<Instruction> late(LateGradients its) {
    return Pass.instructions(its.late);
  }

  @Test
  void aReductionThatNoStepWaitsForComesAfterTheSteps() {
    LateGradients its =
        split(first(REDUCE, new Instruction.Store(2, PASSING, 0, 0)), second(GIVEN));
    assertEquals(
        List.of(
            new Instruction.Load(2, HIDDEN, 0, 0),
            REDUCE,
            new Instruction.Load(0, PASSING, 0, 0),
            REDUCED,
            new Instruction.Combine(2, Binary.SUBTRACT, 0, 1),
            GIVEN),
        late(its));
    assertEquals(2, its.late.size());
    assertEquals(
        List.of(
            new Tables.Hidden(ROWS, -1, true), // d
            new Tables.Hidden(ROWS, PASSING, true)),
        tables.hidden);
    assertTrue(Pass.instructions(its.phases).contains(new Instruction.Store(2, PASSING, 0, 0)));
    assertTrue(Freedom.of(its.phases), "blocks wait for no other block");
  }

  @Test
  void whatTheStepsNeedStays() {
    Instruction carried = new Instruction.Store(2, CARRY, 0, -1);
    LateGradients its = split(given(), second(carried, GIVEN));
    assertEquals(List.of(), its.late);
    assertEquals(List.of(), tables.hidden);
  }

  @Test
  void whatFollowsFromNoReductionStays() {
    Instruction square = new Instruction.Combine(3, Binary.MULTIPLY, 2, 2);
    LateGradients its =
        split(
            first(square, new Instruction.Store(3, GRADIENT, 0, 0)),
            phase(List.of(new Instruction.Load(0, CARRY, 0, 0)), new Instruction.Reduce(0, 1)),
            phase(List.of(new Instruction.Reduced(0, 1)), new Instruction.Store(0, CARRY, 0, -1)));
    assertEquals(List.of(), its.late);
  }

  @Test
  void aReductionOfBothIsReadInItsStep() {
    Instruction carried = new Instruction.Store(2, CARRY, 0, -1);
    Instruction other = new Instruction.Reduce(3, 1);
    LateGradients its =
        split(
            given(),
            second(
                carried,
                new Instruction.Combine(3, Binary.MULTIPLY, 1, 1),
                other,
                new Instruction.Store(3, PASSING, 0, 0)),
            phase(
                List.of(new Instruction.Reduced(0, 1)), new Instruction.Store(0, GRADIENT, 0, 0)));
    assertTrue(late(its).contains(other));
    assertFalse(late(its).contains(REDUCED), "its numbers are those of the step");
    assertTrue(Pass.instructions(its.phases).contains(REDUCED));
  }

  @Test
  void aDrawStaysInItsStep() {
    Instruction drop = new Instruction.Drop(3, 2, 0.5f, 0, ROWS, 0);
    LateGradients its =
        split(
            first(drop, new Instruction.Reduce(3, 0), new Instruction.Store(3, PASSING, 0, 0)),
            second(GIVEN));
    assertFalse(late(its).contains(drop));
    assertTrue(late(its).contains(new Instruction.Reduce(3, 0)));
  }

  @Test
  void whatTheEndReadsIsWrittenByTheSteps() {
    Phase end =
        phase(
            List.of(new Instruction.Load(0, GRADIENT, 0, 1)),
            new Instruction.Store(0, CARRY, 0, 0));
    Pass backward =
        new Pass(
            List.of(first(REDUCE, new Instruction.Store(2, PASSING, 0, 0)), second(GIVEN)),
            List.of(end));
    assertEquals(List.of(), new LateGradients(program(backward), tables).late);
  }
}

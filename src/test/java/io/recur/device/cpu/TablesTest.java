package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.bindings.kernels.recur_gradient;
import io.recur.bindings.kernels.recur_program;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Array;
import io.recur.device.kernels.CellProgram.Layout;
import io.recur.device.kernels.CellProgram.Matrix;
import io.recur.device.kernels.CellProgram.Pass;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.VectorGradient;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whether threads may share gradients that reach the same values, as the C kernels read it. */
@Tag(Devices.CPU)
class TablesTest {
  private static final int WIDTH = 16;
  private static final int OTHER_ROWS = 1;
  private static final int OTHER_COLUMNS = 2;

  /** What a cell stores as gradients, and where these are added. */
  private static final class Gradients {
    private final List<Array> arrays = new ArrayList<>();
    private final List<Section> sections = new ArrayList<>();
    private final List<Weights> weights = new ArrayList<>();
    private final List<WeightGradient> ofMatrices = new ArrayList<>();
    private final List<VectorGradient> ofVectors = new ArrayList<>();

    private int stored(int rows) {
      int array = arrays.size();
      arrays.add(new Array(rows, Layout.MATRIX, false));
      sections.add(
          new Section(
              rows,
              List.of(new Instruction.Constant(0, 1), new Instruction.Store(0, array, 0, 0))));
      return array;
    }

    Gradients add(Weights part) {
      int gradient = stored(part.rows());
      arrays.add(new Array(part.columns(), Layout.MATRIX, true));
      ofMatrices.add(new WeightGradient(weights.size(), gradient, gradient + 1, 0));
      weights.add(part);
      return this;
    }

    Gradients addVector(int row, int rows) {
      ofVectors.add(new VectorGradient(0, row, stored(rows)));
      return this;
    }

    Tables assembled() {
      Pass none = new Pass(List.of(), List.of());
      Pass backward = new Pass(List.of(new Phase(sections)), List.of());
      return Assembly.of(
          new CellProgram(
              arrays,
              List.of(100),
              List.of(new Matrix(100, 100), new Matrix(100, 100)),
              weights,
              List.of(),
              0,
              none,
              backward,
              ofMatrices,
              ofVectors),
          WIDTH);
    }

    /** Of vectors, then of matrices, each in the order in which they were added. */
    List<Integer> kinds() {
      return assembled().gradients.stream().map(Tables.Gradient::shared).toList();
    }
  }

  /** Rows and columns of the first matrix. */
  private static Weights part(int row, int rows, int column, int columns) {
    return new Weights(0, row, rows, column, columns);
  }

  private static void assertKinds(List<Integer> kinds, Weights... parts) {
    Gradients its = new Gradients();
    Arrays.stream(parts).forEach(its::add);
    assertEquals(kinds, its.kinds(), Arrays.toString(parts));
  }

  @Test
  void gradientsOfValuesOfTheirOwnAreNotShared() {
    assertKinds(List.of(0), part(0, 40, 0, 30));
    assertKinds(List.of(0, 0), part(0, 40, 0, 30), part(40, 40, 0, 30));
    assertKinds(List.of(0, 0), part(0, 40, 0, 30), part(0, 40, 30, 30));
    assertKinds(List.of(0, 0), part(0, 40, 0, 30), part(20, 40, 30, 30));
    assertKinds(List.of(0, 0), part(0, 40, 0, 30), new Weights(1, 20, 40, 0, 30));
  }

  /** The same thread then adds both to a value. */
  @Test
  void gradientsOfTheSameValuesMayBeDealtAlike() {
    assertKinds(List.of(0, 0, 0), part(5, 40, 7, 30), part(5, 40, 7, 30), part(5, 40, 37, 30));
  }

  @Test
  void otherRowsAreToldFromOtherColumns() {
    List<Integer> rows = List.of(OTHER_ROWS, OTHER_ROWS);
    assertKinds(rows, part(0, 40, 0, 30), part(39, 40, 0, 30));
    assertKinds(rows, part(0, 40, 0, 30), part(39, 40, 29, 30));
    assertKinds(rows, part(0, 40, 0, 30), part(0, 39, 0, 30));
    assertKinds(rows, part(0, 40, 0, 30), part(1, 39, 0, 30));
    List<Integer> columns = List.of(OTHER_COLUMNS, OTHER_COLUMNS);
    assertKinds(columns, part(0, 40, 0, 30), part(0, 40, 29, 30));
    assertKinds(columns, part(0, 40, 0, 30), part(0, 40, 0, 29));
    assertKinds(columns, part(0, 40, 0, 30), part(0, 40, 1, 29));
  }

  /** The first has no value in common with the last, and must be dealt as the one between them. */
  @Test
  void gradientsThatMeetByWayOfOthersAreDealtAlike() {
    assertKinds(
        List.of(OTHER_ROWS, OTHER_ROWS, OTHER_ROWS, 0),
        part(0, 40, 0, 30),
        part(0, 40, 20, 30),
        part(20, 40, 40, 30),
        part(0, 20, 50, 30));
    assertKinds(
        List.of(OTHER_COLUMNS, OTHER_COLUMNS, OTHER_COLUMNS, OTHER_COLUMNS),
        part(0, 40, 0, 30),
        part(0, 40, 0, 30),
        part(0, 40, 20, 30),
        part(0, 40, 40, 30));
  }

  @Test
  void vectorsHaveRowsAlone() {
    assertEquals(List.of(0, 0), new Gradients().addVector(0, 40).addVector(40, 40).kinds());
    assertEquals(List.of(0, 0), new Gradients().addVector(0, 40).addVector(0, 40).kinds());
    assertEquals(
        List.of(OTHER_ROWS, OTHER_ROWS),
        new Gradients().addVector(0, 40).addVector(39, 40).kinds());
    assertEquals(List.of(0, 0), new Gradients().add(part(20, 40, 0, 30)).addVector(0, 40).kinds());
  }

  @Test
  void theTablesInMemorySayTheSame() {
    Tables tables =
        new Gradients()
            .add(part(0, 40, 0, 30))
            .add(part(0, 40, 20, 30))
            .add(part(40, 40, 0, 30))
            .add(part(60, 40, 0, 30))
            .add(part(0, 40, 50, 30))
            .assembled();
    List<Integer> kinds = List.of(OTHER_COLUMNS, OTHER_COLUMNS, OTHER_ROWS, OTHER_ROWS, 0);
    try (Device device = Device.cpu(1)) {
      MemorySegment written =
          recur_gradient.reinterpret(
              recur_program.gradients(ProgramTables.write(device, tables).target()),
              kinds.size(),
              Arena.global(),
              null);
      assertEquals(
          kinds,
          IntStream.range(0, kinds.size())
              .mapToObj(i -> recur_gradient.is_shared(recur_gradient.asSlice(written, i)))
              .toList());
    }
  }
}

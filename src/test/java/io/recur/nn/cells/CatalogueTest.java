package io.recur.nn.cells;

import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import io.recur.nn.Recur;
import io.recur.nn.State;
import java.io.File;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every cell of the catalogue against its equations in PyTorch, in float64, whose gradients agree
 * with finite differences; {@code make_cells.py} beside the pinned files made them. The laws of a
 * Recur hold the catalogue in the tests of {@code io.recur.nn}.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class CatalogueTest {
  /**
   * Of the largest magnitude of each tensor: float32 has 6e-8, a gradient here is a sum of up to 30
   * products that have passed up to 5 steps.
   */
  private static final double TOLERANCE = 2e-5;

  private final Device device;
  @AutoClose private final Tape tape;

  CatalogueTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  static Stream<Cells> catalogue() {
    return Cells.catalogue();
  }

  private static String file(Cells cells) {
    return cells.paper(1, 1).getClass().getSimpleName() + ".txt";
  }

  @Test
  @Tag(Devices.CPU) // it reads the sources, which lie in a checkout alone
  void everyCellIsInTheListAndHasItsFile() throws URISyntaxException {
    File sources = new File("src/main/java/io/recur/nn/cells");
    File files = new File(CatalogueTest.class.getResource("/pytorch/catalogue").toURI());
    TreeSet<String> listed = catalogue().map(CatalogueTest::file).collect(sorted());
    assertEquals(listed, new TreeSet<>(List.of(files.list())));
    assertEquals(
        listed,
        Stream.of(sources.list())
            .filter(name -> name.endsWith("Cell.java") && !name.equals("PaperCell.java"))
            .map(name -> name.replace(".java", ".txt"))
            .collect(sorted()));
  }

  private static Collector<String, ?, TreeSet<String>> sorted() {
    return Collectors.toCollection(TreeSet::new);
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void aSequenceIsThatOfPyTorch(Cells cells) {
    Run run = new Run(cells);
    run.check(run.recur.apply(run.x));
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void stepsAreThoseOfPyTorch(Cells cells) {
    Run run = new Run(cells);
    List<Tensor> outputs = new ArrayList<>();
    for (int t = 0; t < run.x.shape().time(); t++) {
      outputs.add(run.recur.apply(run.x.time(t)));
    }
    run.check(Concat.time(outputs));
  }

  /** A cell with the parameters of its file. */
  private final class Run {
    final Pinned pinned;
    final Recur recur;
    final Tensor x;

    Run(Cells cells) {
      pinned = Pinned.of("catalogue/" + file(cells));
      x = tape.variable(Shape.of(pinned.dims("x")), pinned.floats("x"));
      recur = new Recur(cells.paper(x.shape().rows(), pinned.dims("y")[0])).on(device, 0);
      named().forEach((name, parameter) -> parameter.value().write(pinned.floats(name)));
    }

    private Map<String, Parameter> named() {
      return recur.parameters().named();
    }

    /** Compares outputs and states, walks backward from the file's loss, compares gradients. */
    void check(Tensor y) {
      assertEquals(Shape.of(pinned.dims("y")), y.shape());
      same("y", y.toArray());
      Tensor loss = against(y, "r");
      State last = recur.state();
      List<Parameter> state0 = recur.cell().state0();
      for (int part = 0; part < state0.size(); part++) {
        String name = state0.get(part).name().replace("0", "");
        same(name + "T", last.parts().get(part).toArray());
        loss = loss.add(against(last.parts().get(part), "rT_" + name));
      }
      tape.backward(loss);
      same("dx", x.gradientArray());
      named()
          .forEach(
              (name, parameter) -> {
                if (parameter.isTrainable()) {
                  same("d" + name, parameter.gradientArray());
                }
              });
    }

    private Tensor against(Tensor y, String weights) {
      return y.mul(tape.input(y.shape(), pinned.floats(weights))).sum();
    }

    private void same(String name, float[] actual) {
      near(name, pinned.doubles(name), actual, TOLERANCE);
    }
  }

  /** Those without a kink that a difference crosses: a ReLU, the maxima of the mLSTM. */
  static Stream<Cells> smooth() {
    Set<Cells> kinked = EnumSet.of(Cells.NAS, Cells.LI_GRU, Cells.MLSTM);
    return catalogue().filter(cells -> !kinked.contains(cells));
  }

  @ParameterizedTest
  @MethodSource("smooth")
  void gradientsAreDifferences(Cells cells) {
    new Differences(cells.make(3, 5).on(device, 1), tape).check();
  }

  // What a cell says of itself, and what it refuses.

  @ParameterizedTest
  @MethodSource("catalogue")
  void aCellPrintsItsSizesAndCountsItsParameters(Cells cells) {
    Cell cell = cells.paper(3, 5);
    String name = cell.getClass().getSimpleName();
    assertEquals(name + "(3 => 5)", cell.toString());
    long values =
        cell.parameters().stream()
            .filter(Parameter::isTrainable)
            .mapToLong(p -> p.shape().count())
            .sum();
    long state = cell.state0().stream().mapToLong(p -> p.shape().count()).sum();
    assertTrue(
        new Recur(cell)
            .toString()
            .startsWith(
                "Recur(%s(3 => 5))  # %d parameters, state %d\n".formatted(name, values, state)),
        new Recur(cell).toString());
    assertTrue(cell.parameters().containsAll(cell.state0()));
    assertTrue(cell.state0().stream().allMatch(p -> p.name().endsWith("0")));
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void sizesThatNoCellHasAreRefused(Cells cells) {
    for (int[] size : new int[][] {{0, 5}, {3, 0}, {-1, 5}, {3, Integer.MAX_VALUE / 2}}) {
      Thrown.says(
          ShapeException.class,
          () -> cells.paper(size[0], size[1]),
          "Cell: in=" + size[0] + ", out=" + size[1]);
    }
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void aStateOfTheWrongSizeIsRefused(Cells cells) {
    Cell cell = new Recur(cells.paper(3, 5)).on(device, 1).cell();
    Tensor x = Cells.input(tape, 1, 3, 2);
    List<Tensor> parts =
        cell.state0().stream().map(p -> Cells.input(tape, 2, p.shape().rows(), 2)).toList();
    cell.step(new State(parts), x);
    Tensor narrow = Cells.input(tape, 2, parts.getFirst().shape().rows(), 1);
    Tensor low = Cells.input(tape, 2, parts.getFirst().shape().rows() + 1, 2);
    for (Tensor wrong : List.of(narrow, low)) {
      List<Tensor> others = new ArrayList<>(parts);
      others.set(0, wrong);
      refused(cell, others, x);
    }
    List<Tensor> more = new ArrayList<>(parts);
    more.add(parts.getFirst());
    refused(cell, more, x);
  }

  private static void refused(Cell cell, List<Tensor> parts, Tensor x) {
    String sizes = Arrays.toString(parts.stream().map(Tensor::shape).toArray());
    Thrown.says(
        ShapeException.class,
        () -> cell.step(new State(parts), x),
        "x=3×2, state=" + sizes.substring(1, sizes.length() - 1));
  }
}

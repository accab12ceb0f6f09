package io.recur.compile;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.cuda.CpuDouble;
import io.recur.device.kernels.CellProgram;
import io.recur.grad.Graph;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import io.recur.nn.Recur;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A step of a compiled cell launches no more than its phases and the products of its equations,
 * forward, and as many products again backward. Counted on the double.
 */
class CellLaunchesTest {
  private static final String GRAPHS = "io.recur.cuda.graphs";
  private static final int IN = 4;
  private static final int OUT = 5;
  private static final int[] BATCHES = {1, 3, 33};

  /** Both times give the sums over all columns of a batch as many kernels, one or two each. */
  private static final int FEW = 5;

  private static final int MANY = 9;

  @BeforeEach
  void onlyPieceByPiece() {
    CpuDouble.assumeHere();
    System.setProperty(GRAPHS, "false");
  }

  @AfterEach
  void withGraphs() {
    System.clearProperty(GRAPHS);
  }

  /**
   * What is launched.
   *
   * @param kernels of phases, and others
   * @param products of matrices
   * @param moves copies and fills within the device
   */
  private record Launches(long kernels, long products, long moves) {
    static Launches made() {
      return new Launches(
          CpuDouble.count("cuLaunchKernel"),
          CpuDouble.count("cublasGemmEx_64") + CpuDouble.count("cublasSgemv_v2_64"),
          CpuDouble.count("cuMemcpyDtoDAsync_v2") + CpuDouble.count("cuMemsetD32Async"));
    }

    /** Those of a run, the third: the first one is compared with the steps. */
    static Launches of(Runnable run) {
      run.run();
      run.run();
      Launches before = made();
      run.run();
      return made().since(before);
    }

    long all() {
      return kernels + products + moves;
    }

    Launches since(Launches before) {
      return new Launches(
          kernels - before.kernels, products - before.products, moves - before.moves);
    }
  }

  /** A cell, its program, the parts of its state, and the products in its equations. */
  private record Case(Cells cells, CellProgram program, int parts, long products) {
    static Case of(Cells cells, Device device) {
      Cell cell = cells.make(IN, OUT).cell();
      Graph graph = CellPrograms.graph(cell, IN, device);
      long products =
          graph.nodes().stream()
              .filter(
                  node ->
                      node instanceof Graph.Node.Product || node instanceof Graph.Node.BandProduct)
              .count();
      return new Case(
          cells, Compiler.compile(graph, IN, true).program(), graph.states().size(), products);
    }

    /** The launches of a sequence, with its backward pass where it trains. */
    Launches sequence(Device device, int batch, int time, boolean trains) {
      Shape shape = Shape.of(IN, batch, time);
      try (Recur recur = recur(device);
          Tape tape = trains ? Tape.on(device) : Tape.inference(device)) {
        Runnable pass =
            () -> {
              Tensor y = recur.apply(tape.input(shape, new float[shape.count()]));
              if (trains) {
                tape.backward(y.sum());
              }
              y.toArray();
              recur.reset();
              tape.clear();
            };
        return Launches.of(pass);
      }
    }

    /** The launches of a step in a stream. */
    Launches step(Device device, int batch) {
      try (Recur recur = recur(device);
          Tape tape = Tape.inference(device)) {
        Shape shape = Shape.of(IN, batch);
        return Launches.of(
            () -> {
              recur.apply(tape.input(shape, new float[shape.count()])).toArray();
              tape.clear();
            });
      }
    }

    private Recur recur(Device device) {
      return cells.make(IN, OUT).on(device, 1).requireCompiled();
    }

    void checkSequence(Device device, int batch, boolean trains) {
      Launches further =
          sequence(device, batch, MANY, trains).since(sequence(device, batch, FEW, trains));
      int steps = MANY - FEW;
      long phases = program.forward().phases().size();
      phases += trains ? program.backward().phases().size() : 0;
      long most = trains ? 2 * products : products;
      String what =
          "%s, batch %d, %s: %d steps are %s; phases=%d, products=%d"
              .formatted(
                  cells, batch, trains ? "training" : "inference", steps, further, phases, most);
      assertTrue(further.kernels > 0, what);
      assertTrue(further.all() <= steps * (phases + most), what);
    }

    /** A stream copies each part of the state from the step before, and keeps it for the next. */
    void checkStep(Device device, int batch) {
      Launches step = step(device, batch);
      int phases = program.forward().phases().size();
      String what =
          "%s, batch %d: a step is %s; phases=%d, products=%d, parts=%d"
              .formatted(cells, batch, step, phases, products, parts);
      assertTrue(step.all() <= phases + products + 2 * parts + 1, what + "; 1 copy of x");
    }
  }

  static List<Cells> catalogue() {
    return Cells.compiled().toList();
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void aStepLaunchesNoMoreThanItsPhasesAndProducts(Cells cells) {
    try (Device device = Devices.opened()) {
      Case its = Case.of(cells, device);
      for (int batch : BATCHES) {
        its.checkStep(device, batch);
        its.checkSequence(device, batch, false);
        its.checkSequence(device, batch, true);
      }
    }
  }
}

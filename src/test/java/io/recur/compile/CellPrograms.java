package io.recur.compile;

import io.recur.device.Device;
import io.recur.device.kernels.CellProgram;
import io.recur.grad.Graph;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.grad.Trace;
import io.recur.nn.Cell;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The programs of cells, made from their equations. */
public final class CellPrograms {
  private static final int BATCH = 2;

  private CellPrograms() {}

  /** The program of a cell, with its backward pass, for dense x of so many rows. */
  public static CellProgram of(Cell cell, int in, Device device) {
    return Compiler.compile(graph(cell, in, device), in, true).program();
  }

  static Graph graph(Cell cell, int in, Device device) {
    List<Shape> shapes = new ArrayList<>();
    cell.parameters().forEach(parameter -> parameter.on(device));
    cell.state0().forEach(part -> shapes.add(Shape.of(part.shape().rows(), BATCH)));
    Trace.Result trace =
        Trace.of(
            device,
            true,
            Shape.of(in, BATCH),
            false,
            shapes,
            (state, x) -> {
              Step step = cell.step(new State(state), x);
              List<Tensor> results = new ArrayList<>(step.state().parts());
              results.add(step.y());
              return results;
            });
    return Objects.requireNonNull(trace.graph(), trace::reason);
  }
}

package io.recur.device.cpu;

import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Instruction.Affine;
import io.recur.device.kernels.Instruction.Combine;
import io.recur.device.kernels.Instruction.Constant;
import io.recur.device.kernels.Instruction.Derivative;
import io.recur.device.kernels.Instruction.Drop;
import io.recur.device.kernels.Instruction.Gather;
import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.LoadRow;
import io.recur.device.kernels.Instruction.LoadScalar;
import io.recur.device.kernels.Instruction.LoadVector;
import io.recur.device.kernels.Instruction.Map;
import io.recur.device.kernels.Instruction.Reduce;
import io.recur.device.kernels.Instruction.Store;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.Reduction;
import java.util.Arrays;

/** An instruction as loops over the arrays of a tile. */
@FunctionalInterface
interface JavaInstruction {
  /** Computes all values of the tile. */
  void run(JavaTile tile);

  /** The loops of an instruction, where value v is in array {@code places[v]}. */
  static JavaInstruction of(
      ProductSchedule schedule, ProductSchedule.Pass pass, Instruction instruction, int[] places) {
    return switch (instruction) {
      case Load(int to, int array, int row, int lag) -> {
        int y = places[to];
        yield tile -> tile.load(tile.values[y], array, row, lag);
      }
      case LoadRow(int to, int array, int row, int lag) -> {
        int y = places[to];
        yield tile -> tile.loadRow(tile.values[y], tile.heads, array, row, lag);
      }
      case LoadVector(int to, int vector, int row) -> {
        int y = places[to];
        yield tile -> tile.loadVector(tile.values[y], vector, row);
      }
      case LoadScalar(int to, int vector, int row) -> {
        int y = places[to];
        yield tile -> tile.loadScalar(tile.values[y], vector, row);
      }
      case Constant(int to, float number) -> {
        int y = places[to];
        yield tile -> Arrays.fill(tile.values[y], 0, tile.n, number);
      }
      case Store(int value, int array, int row, int lag) -> {
        int x = places[value];
        yield tile -> tile.store(tile.values[x], array, row, lag);
      }
      case Gather gather -> of(schedule, gather, places);
      case Map(int to, var f, int a) -> {
        JavaFunction function = JavaFunction.of(f);
        int x = places[a];
        int y = places[to];
        yield tile -> function.value(tile.work, tile.values[x], tile.values[y], tile.n);
      }
      case Derivative derivative -> of(derivative, places);
      case Affine(int to, int a, float factor, float constant) -> {
        int x = places[a];
        int y = places[to];
        yield tile -> Loops.affine(tile.values[x], factor, constant, tile.values[y], tile.n);
      }
      case Combine(int to, Binary f, int a, int b) -> {
        int first = places[a];
        int second = places[b];
        int y = places[to];
        JavaBinary function = JavaBinary.of(f);
        yield tile ->
            function.value(tile.values[first], tile.values[second], tile.values[y], tile.n);
      }
      case Reduce(int value, int reduction) -> {
        Reduction kind = schedule.program().reductions().get(reduction).kind();
        int array = pass.reductions().get(reduction);
        int x = places[value];
        yield tile -> {
          Loops.reduce(kind, tile.values[x], tile.rows, tile.columns, tile.heads);
          tile.reduced(tile.heads, array);
        };
      }
      case Drop drop -> of(drop, places, schedule.program().draws());
      default ->
          throw new IllegalArgumentException("schedule: " + instruction + " is left in a section");
    };
  }

  private static JavaInstruction of(ProductSchedule schedule, Gather gather, int[] places) {
    CellProgram.Weights part = schedule.program().weights().get(gather.weights());
    int height = schedule.program().matrices().get(part.matrix()).rows();
    int y = places[gather.to()];
    JavaInstruction columns =
        tile ->
            tile.gather(
                tile.values[y], tile.classes, part.matrix(), height, part.row(), part.column());
    if (gather.sum() == Instruction.NONE) {
      return columns;
    }
    int sum = places[gather.sum()];
    return tile -> {
      columns.run(tile);
      Loops.addTo(tile.values[y], tile.values[sum], tile.n);
    };
  }

  private static JavaInstruction of(Derivative derivative, int[] places) {
    JavaFunction function = JavaFunction.of(derivative.f());
    int dy = places[derivative.dy()];
    int x = places[derivative.x() == Instruction.NONE ? derivative.dy() : derivative.x()];
    int y = places[derivative.y() == Instruction.NONE ? derivative.dy() : derivative.y()];
    int to = places[derivative.to()];
    return tile -> {
      function.derivative(tile.work, tile.values[x], tile.values[y], tile.values[to], tile.n);
      Loops.multiplyBy(tile.values[to], tile.values[dy], tile.n);
    };
  }

  private static JavaInstruction of(Drop drop, int[] places, int draws) {
    int x = places[drop.a()];
    int y = places[drop.to()];
    float kept = 1 / (1 - drop.rate());
    int threshold = (int) (drop.rate() * (1 << 24));
    return tile -> {
      long seed = tile.seed(draws, drop.draw());
      float[] from = tile.values[x];
      float[] to = tile.values[y];
      for (int j = 0; j < tile.columns; j++) {
        int coins = (tile.first + j) * drop.rows() + drop.row();
        for (int i = 0; i < tile.rows; i++) {
          boolean isKept = JavaPointwise.coin(seed, coins + i) >= threshold;
          int at = j * tile.rows + i;
          to[at] = isKept ? kept * from[at] : 0;
        }
      }
    };
  }
}

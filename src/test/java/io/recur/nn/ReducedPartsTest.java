package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.sqrt;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.compile.CellPrograms;
import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A cell that reduces all rows of some sums, and of which gates read parts, gives what its
 * equations give, operation by operation: outputs, states and gradients.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ReducedPartsTest {
  private static final int IN = 3;
  private static final int[] UNITS = {2, 5, 16, 37};
  private static final int[] BATCHES = {1, 3, 20};
  private static final int TIME = 4;

  private final Device device;

  ReducedPartsTest(Device device) {
    this.device = device;
  }

  /** What is taken of all rows, to be added to each of them or to divide it. */
  enum Of {
    SUM(a -> a.sub(a.sum(Dimension.ROWS).scale(0.1f))),
    MEAN(a -> a.sub(a.mean(Dimension.ROWS))),
    VARIANCE(a -> a.mul(a.variance(Dimension.ROWS).scale(0.1f))),
    MAX(a -> a.sub(a.max(Dimension.ROWS))),
    NORM(a -> a.sub(a.mean(Dimension.ROWS)).div(sqrt(a.variance(Dimension.ROWS).add(0.1f)))),
    /** The distance from the mean, over a divisor that is not the root of its variance. */
    RATIO(a -> a.sub(a.mean(Dimension.ROWS)).div(a.variance(Dimension.ROWS).add(2f))),
    /** Quotients of one row, computed once per column. */
    ROWS(
        a -> {
          Tensor mean = a.mean(Dimension.ROWS);
          Tensor variance = a.variance(Dimension.ROWS);
          Tensor divisor = variance.add(2f);
          return a.add(mean.sub(variance).div(divisor)).add(mean.mul(variance).div(divisor));
        }),
    /** A mean, of which two read. */
    BOTH(a -> a.sub(a.mean(Dimension.ROWS)).mul(a.mean(Dimension.ROWS)));

    private final UnaryOperator<Tensor> of;

    Of(UnaryOperator<Tensor> of) {
      this.of = of;
    }
  }

  /** Who reads which of the 4·units rows. */
  enum Readers {
    QUARTERS {
      @Override
      Tensor next(Tensor sums, Tensor h, int n) {
        Tensor gate = sigmoid(sums.rows(0, n)).mul(tanh(sums.rows(n, 2 * n)));
        return gate.add(sigmoid(sums.rows(2 * n, 3 * n)).mul(h)).sub(sums.rows(3 * n, 4 * n));
      }
    },
    /** Not all parts are read but by the reduction. */
    FIRST {
      @Override
      Tensor next(Tensor sums, Tensor h, int n) {
        return tanh(sums.rows(0, n)).add(h.scale(0.5f));
      }
    },
    /** Parts of two sizes. */
    UNEQUAL {
      @Override
      Tensor next(Tensor sums, Tensor h, int n) {
        Tensor half = sigmoid(sums.rows(2 * n, 4 * n));
        return tanh(sums.rows(0, n)).mul(h.add(half.mean(Dimension.ROWS)));
      }
    },
    /** Parts that do not lie side by side. */
    SHIFTED {
      @Override
      Tensor next(Tensor sums, Tensor h, int n) {
        int by = (n + 1) / 2;
        return tanh(sums.rows(by, by + n)).add(sigmoid(sums.rows(3 * n, 4 * n)).mul(h));
      }
    };

    /** The next state, of n units. */
    abstract Tensor next(Tensor sums, Tensor h, int n);
  }

  /** What the output is. */
  enum Output {
    STATE,
    /** The sums of the state, as a whole. */
    SUMS,
    /** A product of these. */
    PRODUCT
  }

  private record Reducing(
      int n,
      Parameter wi,
      Parameter wh,
      Parameter g,
      Parameter wo,
      Parameter h0,
      Of of,
      Readers readers,
      Output output)
      implements Cell {
    Reducing(int n, Of of, Readers readers, Output output) {
      this(
          n,
          Cells.random(4 * n, IN).named("Wi"),
          Cells.random(4 * n, n).named("Wh"),
          Cells.random(4 * n).named("g"),
          Cells.random(n, 4 * n).named("Wo"),
          Cells.random(n, 1).named("h0"),
          of,
          readers,
          output);
    }

    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h();
      Tensor fromState = wh.matmul(h);
      Tensor sums = of.of.apply(wi.matmul(x)).mul(g).add(of.of.apply(fromState));
      Tensor next = tanh(readers.next(sums.scale(0.5f), h, n)); // forgets, or rounding grows
      Tensor y =
          switch (output) {
            case STATE -> next;
            case SUMS -> fromState;
            case PRODUCT -> wo.matmul(fromState);
          };
      return Step.step(next, y);
    }

    @Override
    public String toString() {
      return "%s %s %s H%d".formatted(of, readers, output, n);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return output == Output.PRODUCT ? List.of(wi, wh, g, wo, h0) : List.of(wi, wh, g, h0);
    }
  }

  private static List<Reducing> cells(int units, Of of) {
    List<Reducing> cells = new ArrayList<>();
    for (Readers readers : Readers.values()) {
      for (Output output : Output.values()) {
        cells.add(new Reducing(units, of, readers, output));
      }
    }
    return cells;
  }

  @ParameterizedTest
  @EnumSource
  void theCompiledCellGivesWhatItsEquationsGive(Of of) {
    for (int units : UNITS) {
      for (Reducing cell : cells(units, of)) {
        Recur recur = new Recur(cell).on(device, 7).requireCompiled();
        for (int batch : BATCHES) {
          String here = cell + " B" + batch;
          near(here, results(recur.fork().stepwise(), batch), results(recur, batch), FLOAT);
        }
      }
    }
  }

  /** Whoever reads parts, each weight is multiplied once. */
  @ParameterizedTest
  @EnumSource
  void noProductIsComputedTwice(Of of) {
    for (Reducing cell : cells(37, of)) {
      CellProgram program = CellPrograms.of(cell, IN, device);
      int[] multiplied = new int[program.matrices().size()];
      for (Instruction instruction : program.forward().instructions()) {
        if (instruction instanceof Instruction.Product product) {
          CellProgram.Weights weights = program.weights().get(product.weights());
          multiplied[weights.matrix()] += weights.rows() * weights.columns();
        }
      }
      int[] all =
          program.matrices().stream()
              .mapToInt(matrix -> matrix.rows() * matrix.columns())
              .toArray();
      assertArrayEquals(all, multiplied, cell.toString());
    }
  }

  /** The output and the gradients. */
  private Map<String, float[]> results(Recur recur, int batch) {
    recur.parameters().zeroGradients();
    recur.reset();
    try (Tape tape = Tape.on(device)) {
      Tensor y = recur.apply(Cells.input(tape, 5, IN, batch, TIME));
      tape.backward(Cells.weighed(tape, y, 2));
      Map<String, float[]> found = new LinkedHashMap<>(Cells.gradients(recur));
      found.put("y", y.toArray());
      recur.reset();
      return found;
    }
  }
}

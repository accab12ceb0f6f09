package io.recur.nn.cells;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import io.recur.nn.Recur;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Cells whose state is a matrix per head. */
class HeadsTest {
  private static final int IN = 3;
  private static final int OUT = 6;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private enum Kind {
    MLSTM,
    GATED_DELTA_NET,
    RWKV7;

    Cell make(int out, int heads) {
      return switch (this) {
        case MLSTM -> new MLSTMCell(IN, out, heads);
        case GATED_DELTA_NET -> new GatedDeltaNetCell(IN, out, heads);
        case RWKV7 -> new RWKV7Cell(IN, out, heads);
      };
    }
  }

  private Recur recur(Kind kind, int out, int heads, long seed) {
    Recur recur = new Recur(kind.make(out, heads)).on(device, seed);
    Random random = new Random(seed);
    for (Parameter part : recur.parameters()) {
      if (part.isTrainable()) {
        part.value().write(Cells.values(random, part.shape().count()));
      }
    }
    return recur;
  }

  /** Gives one of some heads the rows of its own of each part. */
  private static void copyHead(Recur whole, Recur head, int number, int heads) {
    Map<String, Parameter> from = whole.parameters().named();
    head.parameters()
        .named()
        .forEach(
            (name, part) -> {
              int columns = part.shape().columns();
              int rows = part.shape().rows();
              int all = from.get(name).shape().rows();
              int gates = gates(name, all, rows, heads);
              float[] values = from.get(name).toArray();
              float[] its = new float[rows * columns];
              for (int i = 0; i < its.length; i++) {
                int row = i % rows;
                int perGate = rows / gates;
                int at = row / perGate * perGate * heads + number * perGate + row % perGate;
                its[i] = values[i / rows * all + at];
              }
              part.value().write(its);
            });
  }

  /** The gates of a part; its rows are those of all heads for the first gate, then the next. */
  private static int gates(String name, int all, int rows, int heads) {
    assertEquals(all, rows * heads, name);
    return switch (name) {
      case "Wi" -> rows % 4 == 0 ? 4 : 3;
      case "Wg", "bg" -> 2;
      case "b" -> rows == 1 ? 1 : rows % 4 == 0 ? 4 : 2;
      default -> 1;
    };
  }

  @ParameterizedTest
  @EnumSource
  void headsDoNotSeeEachOther(Kind kind) {
    int heads = 2;
    Recur whole = recur(kind, OUT, heads, 1);
    Tensor x = Cells.input(tape, 1, IN, 2, 4);
    Tensor y = whole.apply(x);
    for (int head = 0; head < heads; head++) {
      Recur alone = recur(kind, OUT / heads, 1, 2);
      copyHead(whole, alone, head, heads);
      Tensor its = alone.apply(x);
      for (int t = 0; t < 4; t++) {
        int from = head * OUT / heads;
        float[] expected = y.time(t).rows(from, from + OUT / heads).toArray();
        near(kind + " head " + head, expected, its.time(t).toArray(), FLOAT);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void gradientsOfSeveralHeadsAreDifferences(Kind kind) {
    Recur recur = recur(kind, 4, 2, 3);
    if (kind == Kind.MLSTM) {
      float[] biases = {-3, -3, 6, 6}; // m' stays near m, and |n'·q| below exp(−m'): no kinks
      recur.parameters().named().get("bg").value().write(biases);
    }
    new Differences(recur, tape).check();
  }

  @ParameterizedTest
  @EnumSource
  void theyRunStepByStepAndSayWhy(Kind kind) {
    Recur recur = recur(kind, OUT, 1, 1);
    recur.apply(Cells.input(tape, 1, IN, 2, 3));
    assertTrue(
        recur
            .explain()
            .contains(
                "step by step: "
                    + (kind == Kind.MLSTM ? "outer" : "product")
                    + ": a matrix per column has no compiled form"),
        recur.explain());
  }

  @ParameterizedTest
  @EnumSource
  void headsThatDoNotDivideTheUnitsAreRefused(Kind kind) {
    for (int heads : new int[] {0, -1, 4}) {
      Thrown.says(
          ShapeException.class,
          () -> kind.make(OUT, heads),
          "Cell: out=6, heads=" + heads,
          "a multiple of the heads");
    }
  }

  @Test
  void largeGatesOverflowNowhere() {
    Recur recur = recur(Kind.MLSTM, OUT, 2, 1);
    float[] biases = new float[4];
    Arrays.fill(biases, 300); // exp(300) is no float
    recur.parameters().named().get("bg").value().write(biases);
    Tensor y = recur.apply(Cells.input(tape, 1, IN, 2, 20));
    tape.backward(y.sum());
    for (float value : y.toArray()) {
      assertTrue(Float.isFinite(value));
    }
    Cells.gradients(recur)
        .values()
        .forEach(
            gradient -> {
              for (float value : gradient) {
                assertTrue(Float.isFinite(value));
              }
            });
  }
}

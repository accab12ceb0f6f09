package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Matrix;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class DropConnectTest {
  private static final int ROWS = 1000;
  private static final float RATE = 0.25f;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Parameter w = Parameter.of(Shape.of(ROWS, 1), filled(3)).named("W").on(device);
  private final Tensor one = tape.input(Shape.of(1, 1), 1);

  private static float[] filled(float value) {
    float[] values = new float[ROWS];
    Arrays.fill(values, value);
    return values;
  }

  private static double share(float[] values, float value) {
    int count = 0;
    for (float each : values) {
      count += each == value ? 1 : 0;
    }
    return (double) count / values.length;
  }

  private float[] product() {
    return w.matmul(one).toArray();
  }

  @Test
  void aWeightIsDroppedOrScaled() {
    try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
      float[] y = product();
      assertEquals(RATE, share(y, 0), 0.06); // four standard deviations
      assertEquals(1, share(y, 0) + share(y, 3 / (1 - RATE)), 1e-9);
    }
    assertArrayEquals(filled(3), product());
  }

  @Test
  void theGradientPassesWhereTheWeightDid() {
    try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
      Tensor y = w.matmul(one).add(w.matmul(one));
      tape.backward(y, filled(0.5f));
      float[] expected = y.toArray();
      for (int i = 0; i < ROWS; i++) {
        assertEquals(expected[i] / 6, w.gradientArray()[i], 1e-6f, "row " + i);
      }
    }
  }

  @Test
  void aDiagonalMatrixIsDroppedToo() {
    Matrix diagonal = Matrix.diagonal(ROWS, ROWS, diagonal());
    diagonal.values().on(device);
    Tensor x = tape.variable(Shape.of(ROWS, 1), filled(1));
    try (var _ = DropConnect.on(tape, Map.of(diagonal.values(), RATE))) {
      Tensor y = diagonal.times(x);
      tape.backward(y, filled(1));
      assertEquals(RATE, share(y.toArray(), 0), 0.06);
      assertArrayEquals(y.toArray(), x.gradientArray());
    }
    float[] gradient = diagonal.values().gradientArray();
    assertEquals(RATE, share(gradient, 0), 0.06);
    assertEquals(1, share(gradient, 0) + share(gradient, 1 / (1 - RATE)), 1e-9);
  }

  private static float[] diagonal() {
    float[] dense = new float[ROWS * ROWS];
    for (int i = 0; i < ROWS; i++) {
      dense[i * (ROWS + 1)] = 1;
    }
    return dense;
  }

  @Test
  void aMaskLastsUntilTheOutermostIsClosed() {
    float[] first;
    try (var _ = DropConnect.on(tape, Map.of())) {
      assertArrayEquals(filled(3), product());
      first = dropped(RATE);
      assertArrayEquals(first, dropped(RATE));
      assertArrayEquals(filled(3), product(), "between two of them");
      assertFalse(Arrays.equals(first, dropped(0.5f)), "another rate is another mask");
    }
    assertFalse(Arrays.equals(first, dropped(RATE)), "another sequence");
  }

  private float[] dropped(float rate) {
    try (var _ = DropConnect.on(tape, Map.of(w, rate))) {
      return product();
    }
  }

  @Test
  void theSeedDecidesTheMask() {
    tape.seed(7);
    float[] first = dropped(RATE);
    float[] second = dropped(RATE);
    assertFalse(Arrays.equals(first, second));
    tape.seed(7);
    assertArrayEquals(first, dropped(RATE));
  }

  @Test
  void nothingIsDroppedWhereNothingIsRecordedOrAtARateOfZero() {
    assertArrayEquals(filled(3), tape.withoutGradient(() -> dropped(RATE)));
    assertArrayEquals(filled(3), dropped(0));
    assertSame(w, DropConnect.dropped(tape, w, 0));
    try (Tape inference = Tape.inference(device)) {
      assertSame(w, DropConnect.dropped(inference, w, RATE));
    }
  }

  @Test
  void anOperationThatIsNoProductRefusesADroppedWeight() {
    Tensor x = tape.input(Shape.of(ROWS, 1), filled(1));
    try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
      Thrown.says(IllegalStateException.class, () -> x.mul(w), "mul: ", "W 1000×1", "matmul");
      Thrown.says(IllegalStateException.class, () -> tape.use(w), "use", "W 1000×1");
    }
    x.mul(w);
  }

  @Test
  void aClosedOneCannotEndAnother() {
    DropConnect.Scope closed = DropConnect.on(tape, Map.of(w, RATE));
    closed.close();
    try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
      float[] y = product();
      closed.close();
      assertArrayEquals(y, product());
    }
  }

  @Test
  void aClearedTapeDrawsAgain() {
    try (var _ = DropConnect.on(tape, Map.of())) {
      float[] first = dropped(RATE);
      tape.clear();
      try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
        float[] second = w.matmul(tape.input(Shape.of(1, 1), 1)).toArray();
        assertFalse(Arrays.equals(first, second));
      }
    }
  }

  @Test
  void aWrittenWeightRefusesItsBackward() {
    try (var _ = DropConnect.on(tape, Map.of(w, RATE))) {
      Tensor y = w.matmul(one).sum();
      w.value().write(filled(1));
      Thrown.says(IllegalStateException.class, () -> tape.backward(y), "written since");
    }
  }

  @Test
  void aRateThatIsNoneIsRefused() {
    for (float rate : new float[] {-0.1f, 1, Float.NaN}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> DropConnect.on(tape, Map.of(w, rate)),
          "dropConnect",
          "rate=" + rate,
          "0 ≤ rate < 1");
      Thrown.says(
          IllegalArgumentException.class, () -> DropConnect.dropped(tape, w, rate), "rate=" + rate);
    }
    assertArrayEquals(filled(3), product());
  }

  private Trace.Result trace(Trace.Body step) {
    return Trace.of(device, true, Shape.of(1, 2), false, List.of(Shape.of(ROWS, 2)), step);
  }

  @Test
  void aGraphNamesADroppedMatrixBesideTheMatrix() {
    Trace.Result result =
        trace(
            (state, x) -> {
              Tensor y = w.matmul(x);
              try (var _ = DropConnect.on(x.tape(), Map.of(w, RATE))) {
                return List.of(state.getFirst(), y.add(w.matmul(x)).add(w.matmul(x)));
              }
            });
    Graph graph = Objects.requireNonNull(result.graph(), result.reason());
    assertEquals(List.of(w, w), graph.parameters());
    assertEquals(List.of(new Graph.Dropped(1, RATE)), graph.dropped());
    assertEquals(0, graph.draws());
    long products = graph.nodes().stream().filter(Graph.Node.Product.class::isInstance).count();
    assertEquals(2, products);
  }

  @Test
  void aMaskPerSequenceAfterOnePerStepIsNotTraced() {
    Trace.Result result =
        trace(
            (state, x) -> {
              Tensor y = Drop.dropout(state.getFirst(), RATE);
              return List.of(y, DropConnect.dropped(x.tape(), w, RATE).matmul(x));
            });
    assertNull(result.graph());
    assertTrue(result.reason().contains("drop weights first"), result.reason());
  }
}

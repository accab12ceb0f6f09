package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Contexts, weights and gradients as PyTorch computes them in float64 from the papers' equations;
 * {@code make_directions.py} beside the pinned files made them.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class AttentionTest {
  private final Device device;
  @AutoClose private final Tape tape;

  AttentionTest(Device device) {
    this.device = device;
    this.tape = Tape.on(device);
  }

  /** An attention with a file's figures. */
  private final class Case {
    final Pinned pinned;
    final Attention attention;
    final Tensor m;
    final Tensor q;

    Case(String file) {
      pinned = Pinned.of("attention/" + file + ".txt");
      attention =
          pinned.has("v")
              ? Attention.bahdanau(matrix("Wq"), matrix("Wm"), matrix("v"))
              : pinned.has("W") ? Attention.luong(matrix("W")) : Attention.dot();
      attention.on(device, 0);
      m = tape.variable(Shape.of(pinned.dims("m")), pinned.floats("m"));
      q = tape.variable(Shape.of(pinned.dims("q")), pinned.floats("q"));
    }

    private Matrix matrix(String name) {
      return Matrix.dense(Parameter.of(Shape.of(pinned.dims(name)), pinned.floats(name)));
    }

    void check(Attention.Memory memory) {
      for (int s = 0; s < q.shape().time(); s++) {
        same("weights" + s, memory.weights(q.time(s)));
      }
      Tensor context = memory.context(q);
      assertArrayEquals(pinned.dims("context"), context.shape().dimensions());
      same("context", context);
      tape.backward(context, pinned.floats("r"));
      near("dm", pinned.doubles("dm"), m.gradientArray(), FLOAT);
      near("dq", pinned.doubles("dq"), q.gradientArray(), FLOAT);
      attention
          .parameters()
          .named()
          .forEach(
              (name, weight) ->
                  near("d" + name, pinned.doubles("d" + name), weight.gradientArray(), FLOAT));
    }

    private void same(String name, Tensor actual) {
      near(name, pinned.doubles(name), actual.toArray(), FLOAT);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bahdanau", "luong", "dot"})
  void theFiguresArePyTorchs(String kind) {
    Case figures = new Case(kind);
    figures.check(figures.attention.memory(figures.m));
  }

  /** What stands behind the ends is NaN, and has no weight. */
  @ParameterizedTest
  @ValueSource(strings = {"bahdanau_lengths", "luong_lengths", "dot_lengths"})
  void stepsBehindTheEndHaveNoWeight(String kind) {
    Case figures = new Case(kind);
    float[] values = figures.pinned.floats("m");
    double[] lengths = figures.pinned.doubles("lengths");
    Shape shape = figures.m.shape();
    for (int i = 0; i < values.length; i++) {
      int column = i / shape.rows();
      if (column / shape.batch() >= lengths[column % shape.batch()]) {
        values[i] = Float.NaN;
      }
    }
    figures.m.value().write(values);
    int[] steps = Arrays.stream(lengths).mapToInt(length -> (int) length).toArray();
    figures.check(figures.attention.memory(Padded.of(figures.m, steps)));
  }

  @Test
  void anEmptySequenceHasNoContext() {
    Attention attention = Attention.bahdanau(3, 4, 5).on(device, 1);
    Tensor q = Cells.input(tape, 2, 3, 2);
    Padded m = Padded.of(Cells.input(tape, 1, 4, 2, 5), 0, 5);
    Tensor context = attention.memory(m).context(q);
    assertArrayEquals(new float[4], context.column(0).toArray());
    tape.backward(context.sum());
    for (Parameter weight : attention.parameters()) {
      for (float gradient : weight.gradientArray()) {
        assertTrue(Float.isFinite(gradient));
      }
    }
    assertArrayEquals(new float[3], Arrays.copyOf(q.gradientArray(), 3));
    Tensor two = Cells.input(tape, 3, 3, 2, 2);
    Tensor contexts = attention.memory(m).context(two);
    assertArrayEquals(new float[4], contexts.time(0).column(0).toArray());
    tape.backward(contexts.sum());
    assertArrayEquals(new float[3], Arrays.copyOf(two.gradientArray(), 3));
  }

  @Test
  void oneQueryIsAStepOfMany() {
    Case figures = new Case("luong");
    Attention.Memory memory = figures.attention.memory(figures.m);
    Tensor first = memory.context(figures.q.time(0));
    assertEquals(Shape.of(4, 3), first.shape());
    Tensor second = memory.context(figures.q.time(1));
    near(
        "both",
        Concat.time(List.of(first, second)).toArray(),
        memory.context(figures.q).toArray(),
        FLOAT);
    Attention.Memory one = figures.attention.memory(figures.m.columns(1, 2));
    Tensor vector = one.context(figures.q.time(0).column(1));
    assertEquals(Shape.of(4), vector.shape());
    near("a vector", first.column(1).toArray(), vector.toArray(), FLOAT);
    Tensor step = figures.attention.memory(figures.m.time(0)).context(figures.q.time(0));
    near("one step is its own mean", figures.m.time(0).toArray(), step.toArray(), FLOAT);
  }

  /**
   * Contexts and gradients are those of query after query, in as many operations for any number.
   */
  @ParameterizedTest
  @ValueSource(strings = {"bahdanau", "luong", "dot"})
  void manyQueriesAreOneComputation(String kind) {
    Attention attention =
        switch (kind) {
          case "bahdanau" -> Attention.bahdanau(5, 5, 7);
          case "luong" -> Attention.luong(5, 5);
          default -> Attention.dot();
        };
    attention.on(device, 3);
    for (boolean hasLengths : new boolean[] {false, true}) {
      List<Integer> recorded = new ArrayList<>();
      for (int queries : new int[] {3, 11}) {
        Map<String, float[]> together = gradients(attention, queries, hasLengths, true);
        recorded.add(tape.length());
        Map<String, float[]> alone = gradients(attention, queries, hasLengths, false);
        assertTrue(recorded.getLast() < tape.length(), recorded + " of " + tape.length());
        alone.forEach((name, values) -> near(kind + " " + name, values, together.get(name), FLOAT));
      }
      assertEquals(recorded.getFirst(), recorded.getLast());
    }
  }

  /** The contexts and the gradients, on a tape that begins empty; NaN stands behind the ends. */
  private Map<String, float[]> gradients(
      Attention attention, int queries, boolean hasLengths, boolean together) {
    tape.clear();
    attention.parameters().zeroGradients();
    int[] lengths = hasLengths ? new int[] {4, 0, 6, 1} : new int[] {6, 6, 6, 6};
    float[] values = Cells.values(new Random(1), 5 * 4 * 6);
    for (int i = 0; i < values.length; i++) {
      if (i / 20 >= lengths[i / 5 % 4]) {
        values[i] = Float.NaN;
      }
    }
    Tensor m = tape.variable(Shape.of(5, 4, 6), values);
    Tensor q = tape.variable(Shape.of(5, 4, queries), Cells.values(new Random(2), 5 * 4 * queries));
    Attention.Memory memory =
        hasLengths ? attention.memory(Padded.of(m, lengths)) : attention.memory(m);
    List<Tensor> steps = new ArrayList<>();
    for (int s = 0; !together && s < queries; s++) {
      steps.add(memory.context(q.time(s)));
    }
    Tensor context = together ? memory.context(q) : Concat.time(steps);
    tape.backward(context, Cells.values(new Random(3), context.shape().count()));
    Map<String, float[]> found = new TreeMap<>();
    found.put("context", context.toArray());
    found.put("dm", m.gradientArray());
    found.put("dq", q.gradientArray());
    attention.parameters().named().forEach((name, w) -> found.put(name, w.gradientArray()));
    return found;
  }

  @Test
  void appliedToASequenceItAttendsToItself() {
    Attention dot = Attention.dot();
    Tensor x = Cells.input(tape, 1, 3, 2, 4);
    assertArrayEquals(dot.memory(x).context(x).toArray(), dot.apply(x).toArray());
    assertEquals(x.shape(), dot.apply(x).shape());
    assertSame(dot, dot.fork());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Attention attention = Attention.luong(3, 4).on(device, 1);
    Tensor m = Cells.input(tape, 1, 4, 2, 5);
    Thrown.says(
        ShapeException.class, () -> attention.memory(Cells.input(tape, 1, 3, 2, 5)), "W=3×4");
    Attention.Memory memory = attention.memory(m);
    for (int[] q : new int[][] {{4, 2}, {3, 1}, {3, 5}, {3}}) {
      Thrown.says(
          ShapeException.class,
          () -> memory.context(Cells.input(tape, 1, q)),
          "attention: q=",
          "memory=4×2×5; need q of 3 rows and the batch 2");
    }
    Thrown.says(
        ShapeException.class,
        () -> memory.weights(Cells.input(tape, 1, 3, 2, 2)),
        "need one step, of several q.time(s)");
    Thrown.says(
        ShapeException.class,
        () -> Attention.bahdanau(Matrix.dense(5, 3), Matrix.dense(5, 4), Matrix.dense(1, 4)),
        "v=dense(1×4); need units×query, units×memory and 1×units");
  }

  @Test
  void itPrintsItsSizes() {
    assertEquals("Attention(bahdanau, 3, 4)", Attention.bahdanau(3, 4, 5).describe());
    assertEquals("Attention(luong, 4)", Attention.luong(3, 4).describe());
    assertEquals("Attention(dot)", Attention.dot().describe());
  }
}

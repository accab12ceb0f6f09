package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.highway;
import static io.recur.nn.Layers.residual;
import static io.recur.nn.Layers.stack;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Functions;
import io.recur.grad.GradientCheck;
import io.recur.grad.Padded;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Residual and highway connections, and stacks with dropout between. */
class ConnectionsTest {
  private static final int SIZE = 3;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** {@code σ(x)}, without parameters. */
  private record Function(Elementwise function) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return Functions.apply(function, x);
    }
  }

  private static final Layer TANH = new Function(Elementwise.TANH);
  private static final Layer SIGMOID = new Function(Elementwise.SIGMOID);

  @Test
  void connectionsHaveTheDerivativesOfTheirEquations() {
    Residual residual = residual(TANH);
    Residual projected = residual(TANH, SIGMOID);
    Highway highway = new Highway(TANH, SIGMOID);
    for (Shape shape : new Shape[] {Shape.of(SIZE), Shape.of(SIZE, 4), Shape.of(SIZE, 2, 3)}) {
      GradientCheck.of(shape)
          .check("residual", x -> residual.apply(x[0]), x -> map(x[0], v -> Math.tanh(v) + v));
      GradientCheck.of(shape)
          .check(
              "projected",
              x -> projected.apply(x[0]),
              x -> map(x[0], v -> Math.tanh(v) + Reference.sigmoid(v)));
      GradientCheck.of(shape)
          .check(
              "highway",
              x -> highway.apply(x[0]),
              x ->
                  map(
                      x[0],
                      v -> {
                        double t = Reference.sigmoid(v);
                        return t * Math.tanh(v) + (1 - t) * v;
                      }));
    }
  }

  private static double[] map(double[] x, DoubleUnaryOperator f) {
    return Arrays.stream(x).map(f).toArray();
  }

  @Test
  void aHighwayLetsMostPassAtFirst() {
    Highway layer = highway(SIZE, Cells.LSTM.make(SIZE, SIZE)).on(device, 1);
    assertArrayEquals(new float[] {-1, -1, -1}, layer.parameters().named().get("1.b").toArray());
  }

  private Chain model(Cells cells) {
    return chain(
            residual(cells.make(SIZE, SIZE)),
            highway(SIZE, cells.make(SIZE, SIZE)),
            residual(cells.make(SIZE, 5), dense(SIZE, 5)))
        .on(device, 7);
  }

  @ParameterizedTest
  @EnumSource
  void theLawsOfStateHoldWithin(Cells cells) {
    Chain model = model(cells);
    Tensor x = Cells.input(tape, 1, SIZE, 2, 6);
    float[] whole = model.apply(x).toArray();
    model.reset();
    float[] first = model.apply(x.times(0, 3)).toArray();
    byte[] session = model.save().toBytes();
    Chain fork = model.fork();
    assertEquals(3, fork.recurs().size());
    assertNotSame(model.recurs().getFirst(), fork.recurs().getFirst());
    float[] second = model.apply(x.times(3, 6)).toArray();
    near("two calls are one", whole, joined(first, second), FLOAT);
    assertArrayEquals(second, fork.apply(x.times(3, 6)).toArray());
    model.restore(Snapshot.of(session));
    assertArrayEquals(second, model.apply(x.times(3, 6)).toArray());
    model.reset();
    assertTrue(model.recurs().stream().allMatch(Recur::isFresh));
    assertArrayEquals(first, model.apply(x.times(0, 3)).toArray());
    model.truncate();
    fork.truncate();
    tape.clear();
  }

  /** With lengths, each sequence has the outputs that it has alone. */
  @ParameterizedTest
  @EnumSource
  void eachSequenceIsAsItIsAlone(Cells cells) {
    Chain model = model(cells);
    int[] lengths = {2, 5, 0, 5};
    Tensor x = Cells.input(tape, 1, SIZE, lengths.length, 5);
    Padded y = model.apply(Padded.of(x, lengths));
    assertArrayEquals(lengths, y.lengths());
    for (int b = 0; b < lengths.length; b++) {
      if (lengths[b] > 0) {
        model.reset();
        float[] alone = model.apply(x.columns(b, b + 1).times(0, lengths[b])).toArray();
        Tensor its = y.data().columns(b, b + 1).times(0, lengths[b]);
        near("sequence " + b, alone, its.toArray(), FLOAT);
      }
    }
    Padded padded = Padded.of(x, lengths);
    Residual narrow = residual(dense(SIZE, 1)).on(device, 1);
    Thrown.says(ShapeException.class, () -> narrow.apply(padded), "the layer gives 1×12");
    Highway highway = highway(SIZE, dense(SIZE, 1)).on(device, 1);
    Thrown.says(ShapeException.class, () -> highway.apply(padded), "the layer gives 1×12");
  }

  private static float[] joined(float[] first, float[] second) {
    float[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  @Test
  void aStackHasDropoutBetweenItsLayersAlone() {
    Chain deep = stack(0.5f, Layers.lstm(2, 3), Layers.lstm(3, 3), Layers.lstm(3, 3));
    List<Layer> layers = deep.layers();
    assertEquals(5, layers.size());
    assertEquals(dropout(0.5f), layers.get(1));
    assertEquals(dropout(0.5f), layers.get(3));
    assertTrue(layers.getLast() instanceof Recur);
    assertEquals(List.of(), stack(0.5f).layers());
    assertEquals(1, stack(0.5f, dense(1, 1)).layers().size());
    Thrown.says(IllegalArgumentException.class, () -> stack(1, dense(1, 1)), "rate=1");
  }

  @Test
  void sizesThatDifferAreRefused() {
    Tensor x = Cells.input(tape, 1, SIZE, 2);
    Residual narrow = residual(dense(SIZE, 1)).on(device, 1); // one row would be repeated
    Thrown.says(
        ShapeException.class,
        () -> narrow.apply(x),
        "residual: the layer gives 1×2, what passes it is 3×2; need equal shapes, or a projection");
    Highway highway = highway(SIZE, dense(SIZE, 1)).on(device, 1);
    Thrown.says(ShapeException.class, () -> highway.apply(x), "highway: the layer gives 1×2");
    Recur moved = Cells.GRU.make(SIZE, SIZE);
    Layer projected = residual(moved, dense(SIZE, SIZE)).on(device, 1);
    Thrown.says(ShapeException.class, () -> projected.apply(Cells.input(tape, 1, 4, 2)), "3×3");
    assertTrue(moved.isFresh());
  }

  @Test
  void connectionsPrintWhatIsInside() {
    Chain model = chain(residual(dense(2, 2)), highway(2, dense(2, 2)));
    assertTrue(model.toString().contains("  Residual(\n    Dense(2 => 2),"), model.toString());
    assertTrue(model.toString().contains("  Highway(\n    Dense(2 => 2),"), model.toString());
    assertTrue(model.columnsAreIndependent() && model.keepsBatch());
    Layer plain = residual(dense(2, 2));
    assertEquals(List.of(), plain.recurs());
    assertNotSame(plain, plain.fork());
    assertSame(plain.parameters().named().get("0.W"), plain.fork().parameters().named().get("0.W"));
  }
}

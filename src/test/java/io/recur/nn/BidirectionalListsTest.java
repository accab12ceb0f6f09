package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.residual;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A list of steps is one sequence for layers that have two directions inside. */
class BidirectionalListsTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int BATCH = 2;
  private static final int STEPS = 6;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Tensor input(int seed, int steps) {
    return Cells.input(tape, seed, IN, BATCH, steps);
  }

  /** Law 9, but for single calls. */
  @Test
  void aListOfStepsIsASequence() {
    Bidirectional layer = bidirectional(Cells.GRU.make(IN, OUT), Cells.LSTM.make(IN, OUT));
    Chain model = chain(Cells.RNN.make(IN, IN), residual(layer, dense(IN, 2 * OUT))).on(device, 1);
    Tensor x = input(1, STEPS);
    Tensor whole = model.apply(x);
    model.reset();
    List<Tensor> steps = List.of(x.time(0), x.time(1), x.time(2), x.time(3), x.time(4), x.time(5));
    List<Tensor> outputs = model.over(steps);
    assertEquals(Shape.of(2 * OUT, BATCH), outputs.getFirst().shape());
    near("steps", whole.toArray(), Concat.time(outputs).toArray(), FLOAT);
    model.reset();
    Tensor vector = tape.input(1, 2, 3);
    assertEquals(Shape.of(2 * OUT), layer.over(List.of(vector, vector)).getFirst().shape());
    model.reset();
    assertEquals(2, model.over(List.of(x.times(0, 3), x.times(3, STEPS))).size());
    assertEquals(List.of(), layer.over(List.of()));
  }

  /** A layer of a user's own around one of two directions, which says nothing of lists. */
  private record Doubled(Layer inner) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x).scale(2);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }
  }

  @Test
  void aListOfStepsIsASequenceForALayerOfAUsersOwn() {
    Layer layer = new Doubled(bidirectional(Cells.GRU.make(IN, OUT), Cells.RNN.make(IN, OUT)));
    layer.parameters().place(device, 1);
    Tensor x = input(1, 2);
    Tensor whole = layer.apply(x);
    layer.reset();
    near(
        "steps",
        whole.toArray(),
        Concat.time(layer.over(List.of(x.time(0), x.time(1)))).toArray(),
        FLOAT);
  }
}

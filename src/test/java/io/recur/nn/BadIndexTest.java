package io.recur.nn;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.grad.OneHot;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** An index that was written to a one-hot's buffer afterwards is refused wherever it is used. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class BadIndexTest {
  private static final int CLASSES = 5;
  private static final int BATCH = 3;
  private static final int TIME = 4;
  private static final Shape SHAPE = Shape.of(CLASSES, BATCH, TIME);

  private final Device device;

  BadIndexTest(Device device) {
    this.device = device;
  }

  private static OneHot good(Tape tape) {
    return tape.oneHot(SHAPE, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1);
  }

  private static OneHot bad(Tape tape) {
    OneHot x = good(tape);
    x.index().slice(0, 5).writeIndexes(0, 1, 2, 3, CLASSES);
    return x;
  }

  private interface Use {
    Tensor of(OneHot index);
  }

  /**
   * Refused with index and range, on an inference tape and on one that records; then all is well.
   */
  private void refuses(Chain model, Use use) {
    for (boolean recording : new boolean[] {false, true}) {
      try (Tape tape = recording ? Tape.on(device) : Tape.inference(device)) {
        float[] right = use.of(good(tape)).toArray();
        model.reset();
        tape.clear();
        var refusal =
            assertThrows(IndexOutOfBoundsException.class, () -> use.of(bad(tape)).toArray());
        assertTrue(
            refusal.getMessage().contains(": index[4]=5; need 0 ≤ index < 5"),
            refusal.getMessage());
        model.reset();
        tape.clear();
        assertArrayEquals(right, use.of(good(tape)).toArray());
        model.reset();
        tape.clear();
      }
    }
  }

  @Test
  void anEmbeddingRefuses() {
    Chain model = chain(embedding(CLASSES, 2)).on(device, 1);
    refuses(model, model::apply);
  }

  @Test
  void aRecurRefuses() {
    Chain model = chain(lstm(CLASSES, 4)).on(device, 1);
    refuses(model, model::apply);
  }

  @Test
  void aLossRefusesItsLabels() {
    Chain model = chain(dense(CLASSES, CLASSES)).on(device, 1);
    refuses(model, labels -> crossEntropy(model.apply(good(labels.tape())), labels));
  }

  @Test
  void anOperationOnTheDenseValuesRefuses() {
    Chain model = chain(dense(CLASSES, CLASSES)).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      assertThrows(ShapeException.class, () -> bad(tape).scale(2).toArray());
      assertTrue(Float.isFinite(model.apply(good(tape)).toArray()[0]));
    }
  }

  @Test
  void aBackwardPassRefuses() {
    Chain model = chain(lstm(CLASSES, 4)).on(device, 1);
    try (Tape tape = Tape.on(device)) {
      OneHot x = good(tape);
      Tensor loss = model.apply(x).sum();
      assertTrue(Float.isFinite(loss.scalar()));
      x.index().slice(0, 1).writeIndexes(-1);
      var refusal =
          assertThrows(
              IndexOutOfBoundsException.class,
              () -> {
                tape.backward(loss);
                model.parameters().iterator().next().gradientArray();
              });
      assertTrue(
          refusal.getMessage().contains(": index[0]=-1; need 0 ≤ index < 5"), refusal.getMessage());
    }
  }
}

package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Law 12: a state that is given is the state, gradient and all; without a state0 it must be. */
class GivenStateTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  private Recur recur(Cells cells) {
    return cells.make(IN, OUT).on(device, 1);
  }

  /** One Recur over 6 steps, and one that gives its state to another one over the same weights. */
  @ParameterizedTest
  @EnumSource
  void aStateThatIsHandedOnIsTheSameAsOneRecur(Cells cells) {
    Recur whole = recur(cells);
    Tensor x = Cells.input(tape, 1, IN, 2, 6);
    whole.apply(x.times(0, 3));
    Tensor y = whole.apply(x.times(3, 6));
    tape.backward(Cells.weighed(tape, y, 1));
    Map<String, float[]> gradients = Cells.gradients(whole);
    float[] dx = x.gradientArray();
    whole.parameters().zeroGradients();

    Recur encoder = whole.fork();
    encoder.reset();
    Recur decoder = encoder.withoutState0();
    encoder.apply(x.times(0, 3));
    decoder.state(encoder.state());
    assertFalse(decoder.isFresh());
    Tensor again = decoder.apply(x.times(3, 6));
    assertArrayEquals(y.toArray(), again.toArray());
    tape.backward(Cells.weighed(tape, again, 1));
    near("gradient", gradients, Cells.gradients(whole), FLOAT);
    near("dx", dx, x.gradientArray(), FLOAT);
  }

  /**
   *
   *
   * <pre>
   * import torch
   * wi, wh, h0 = (torch.tensor(v, requires_grad=True) for v in ([.5, -.3], [.2, .4], [.1, -.2]))
   * e = torch.tanh(wi * .7 + wh * h0)           # diagonal weights, one step of an encoder
   * d = torch.tanh(wi * -.4 + wh * e)           # and one of a decoder with the same weights
   * (d * torch.tensor([1., 2.])).sum().backward(); print(e, d, wi.grad, wh.grad, h0.grad)
   * </pre>
   */
  @Test
  void gradientsAreThoseOfPyTorch() {
    Parameter wi = Parameter.of(Shape.of(2, 2), .5f, 0, 0, -.3f);
    Parameter wh = Parameter.of(Shape.of(2, 2), .2f, 0, 0, .4f);
    Parameter h0 = Parameter.of(Shape.of(2, 1), .1f, -.2f);
    Recur encoder =
        new Recur(
                new RNNCell(
                    Elementwise.TANH,
                    Matrix.dense(wi),
                    Matrix.dense(wh),
                    Parameter.zeros(Shape.of(2)),
                    h0))
            .on(device, 0);
    Recur decoder = encoder.withoutState0();
    encoder.apply(tape.input(Shape.of(2, 1), .7f, .7f));
    decoder.state(encoder.state());
    Tensor d = decoder.apply(tape.input(Shape.of(2, 1), -.4f, -.4f));
    tape.backward(d, 1, 2);
    near("e", new float[] {0.3539917f, -0.2821348f}, encoder.state().h().toArray(), FLOAT);
    near("d", new float[] {-0.1284875f, 0.0071459f}, d.toArray(), FLOAT);
    float[] dwi = wi.gradientArray();
    float[] dwh = wh.gradientArray();
    near("dwi", new float[] {-0.2729614f, -0.2845615f}, new float[] {dwi[0], dwi[3]}, FLOAT);
    near("dwh", new float[] {0.3653527f, -0.7114973f}, new float[] {dwh[0], dwh[3]}, FLOAT);
    near("dh0", new float[] {0.0344100f, 0.2945130f}, h0.gradientArray(), FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void resetReturnsToState0(Cells cells) {
    Recur recur = recur(cells);
    Tensor x = Cells.input(tape, 1, IN, 2);
    float[] fresh = recur.apply(x).toArray();
    recur.state(recur.state());
    recur.reset();
    assertTrue(recur.isFresh());
    assertArrayEquals(fresh, recur.apply(x).toArray());
  }

  /** A state without history, such as that of a truncated encoder, is copied: the tape is free. */
  @ParameterizedTest
  @EnumSource
  void aStateWithoutHistoryIsCopied(Cells cells) {
    Recur encoder = recur(cells);
    Recur decoder = encoder.withoutState0();
    Tensor x = Cells.input(tape, 1, IN, 2);
    encoder.apply(x);
    float[] expected = encoder.apply(x).toArray();
    encoder.reset();
    encoder.apply(x);
    encoder.truncate();
    decoder.state(encoder.state());
    encoder.reset();
    tape.clear();
    assertArrayEquals(expected, decoder.apply(Cells.input(tape, 1, IN, 2)).toArray());
    decoder.truncate();
    tape.clear();
  }

  @Test
  void aStateOfBatch1FansOut() {
    Recur decoder = recur(Cells.LSTM);
    Tensor h = Cells.input(tape, 1, OUT, 1);
    Tensor c = Cells.input(tape, 2, OUT);
    decoder.state(State.of(h, c));
    tape.backward(decoder.apply(Cells.input(tape, 3, IN, 5)).sum());
    assertTrue(h.gradientArray()[0] != 0 && c.gradientArray()[0] != 0);
  }

  @Test
  void theTapeIsHeldUntilTheStateGoes() {
    Recur decoder = recur(Cells.GRU);
    decoder.state(State.of(Cells.input(tape, 1, OUT, 2)));
    assertThrows(IllegalStateException.class, tape::clear);
    decoder.truncate();
    tape.clear();
  }

  @Test
  void aStateOnAnotherTapeIsRefused() {
    try (Tape other = Tape.on(device)) {
      Recur decoder = recur(Cells.LSTM);
      State two = State.of(Cells.input(tape, 1, OUT, 2), Cells.input(other, 1, OUT, 2));
      assertRefused(IllegalStateException.class, "another tape", decoder, two);
      decoder.state(State.of(Cells.input(other, 1, OUT, 2), Cells.input(other, 1, OUT, 2)));
      assertThrows(IllegalStateException.class, () -> decoder.apply(Cells.input(tape, 1, IN, 2)));
      decoder.truncate();
      decoder.apply(Cells.input(tape, 1, IN, 2));
    }
  }

  @Test
  void aStateThatDoesNotFitIsRefused() {
    Recur decoder = recur(Cells.LSTM);
    Tensor h = Cells.input(tape, 1, OUT, 2);
    assertRefused(ShapeException.class, "[4×1, 4×1]", decoder, State.of(h));
    assertRefused(ShapeException.class, "4×3", decoder, State.of(h, Cells.input(tape, 1, OUT, 3)));
    assertRefused(ShapeException.class, "3×2", decoder, State.of(h, Cells.input(tape, 1, IN, 2)));
    Parameter c = Parameter.zeros(Shape.of(OUT, 1)).on(device);
    assertRefused(IllegalStateException.class, "tape.use", decoder, State.of(c, c));
    tape.clear();
    assertRefused(IllegalStateException.class, "cleared", decoder, State.of(h, h));
  }

  /** It is refused before anything has changed. */
  private static void assertRefused(
      Class<? extends RuntimeException> kind, String words, Recur recur, State state) {
    RuntimeException refused = assertThrows(kind, () -> recur.state(state));
    assertTrue(refused.getMessage().contains(words), refused.getMessage());
    assertTrue(recur.isFresh());
  }

  /** A parameter beside a tensor of the tape gets its gradient. */
  @Test
  void aParameterIsLifted() {
    Recur decoder = recur(Cells.LSTM);
    Parameter c = Parameter.zeros(Shape.of(OUT, 2)).on(device);
    decoder.state(State.of(Cells.input(tape, 1, OUT, 2), c));
    tape.backward(decoder.apply(Cells.input(tape, 3, IN, 2)).sum());
    assertTrue(c.gradientArray()[0] != 0);
  }

  // Without state0.

  @ParameterizedTest
  @EnumSource
  void withoutState0ItIsNoParameterAndAStepNeedsAState(Cells cells) {
    Recur whole = cells.make(IN, OUT);
    Recur decoder = cells.make(IN, OUT).withoutState0();
    Chain model = chain(decoder, dense(OUT, 2)).on(device, 1);
    whole.on(device, 1);
    long initial =
        decoder.cell().state0().stream()
            .filter(Parameter::isTrainable)
            .mapToLong(part -> part.shape().count())
            .sum();
    assertEquals(whole.parameters().count() - initial, decoder.parameters().count());
    Tensor x = Cells.input(tape, 1, IN, 2);
    for (Recur none : List.of(decoder, decoder.fork())) {
      IllegalStateException missing =
          assertThrows(IllegalStateException.class, () -> none.apply(x));
      assertTrue(missing.getMessage().contains("no state0"), missing.getMessage());
      assertThrows(IllegalStateException.class, none::state);
      assertThrows(IllegalStateException.class, () -> none.reset(0));
      none.truncate();
      assertTrue(none.isFresh());
    }
    assertTrue(model.toString().contains("state"), model.toString());
    whole.apply(x);
    decoder.state(whole.state());
    Snapshot saved = model.save();
    model.apply(x);
    model.reset();
    assertThrows(IllegalStateException.class, () -> model.apply(x));
    model.restore(saved);
    model.apply(x);
  }
}

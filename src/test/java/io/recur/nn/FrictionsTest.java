package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.train.Adam;
import io.recur.train.Optimiser;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a new user stumbled over: constants in a step, names, texts, messages. */
class FrictionsTest {
  private static final int IN = 3;
  private static final int OUT = 4;

  @AutoClose private final Device device = Devices.here();

  /** A state without history, as {@code state()} shows it, is on no tape. */
  @ParameterizedTest
  @EnumSource
  void aStepTakesAStateThatIsOnNoTape(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    for (boolean records : List.of(false, true)) {
      try (Tape tape = records ? Tape.on(device) : Tape.inference(device)) {
        Tensor x = Cells.input(tape, 1, IN, 2);
        recur.apply(x);
        recur.truncate();
        State constant = recur.state();
        State given = cells == Cells.CLASS ? constant.on(tape) : constant;
        Step step = recur.cell().step(given, x);
        Tensor run = recur.cell().run(constant, x).y();
        assertArrayEquals(step.y().toArray(), run.toArray());
        assertArrayEquals(step.y().toArray(), recur.stepwise().apply(x).toArray());
        recur.reset();
      }
    }
  }

  private record Decay(Parameter rate, Matrix mix, Parameter initial) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h().mul(rate).add(mix.times(x));
      return Step.step(h, h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(initial);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(rate, mix.values(), initial);
    }
  }

  private static Parameter vector() {
    return Parameter.zeros(Shape.of(OUT, 1));
  }

  @Test
  void aLayerKnowsItsDevice() {
    Chain model = Layers.chain(Layers.lstm(2, 3), Layers.dense(3, 1));
    Thrown.says(IllegalStateException.class, model::device, "it has no memory yet");
    assertSame(device, model.on(device, 1).device());
    assertSame(device, model.fork().layers().getFirst().device());
    Thrown.says(
        IllegalStateException.class,
        Layers.dropout(0.5f)::device,
        "Dropout(0.5): it has no parameters; it runs on the device of its input");
  }

  @Test
  void weightsOfARecordAreNamedAfterItsComponents() {
    Decay decay = new Decay(vector(), Matrix.dense(OUT, IN), vector().named("h0"));
    Recur recur = new Recur(decay);
    assertEquals(List.of("rate", "mix", "h0"), List.copyOf(recur.parameters().named().keySet()));
    assertTrue(told(recur).isEmpty());
  }

  @Test
  void weightsOfAFunctionAreNamedByAMap() {
    Parameter w = Parameter.glorot(OUT, IN);
    Parameter b = vector();
    Recur recur =
        new Recur(
            (h, x) -> Step.step(h.add(w.matmul(x)).add(b), h), vector(), Map.of("W", w, "b", b));
    assertEquals(List.of("W", "b", "state0"), List.copyOf(recur.parameters().named().keySet()));
    assertTrue(told(recur).isEmpty());
  }

  @Test
  void aMissingNameIsToldWhereTheModelIsPlaced() {
    Parameter w = Parameter.glorot(OUT, IN);
    Recur recur = new Recur((h, x) -> Step.step(h.add(w.matmul(x)), h), vector(), w);
    Chain model = chain(recur, dense(OUT, 2));
    List<String> told = told(model);
    assertEquals(1, told.size());
    assertTrue(told.getFirst().contains("named(…)"), told.getFirst());
    assertTrue(told(model).isEmpty());
    assertEquals(
        Set.of("0.parameter", "0.parameter.1", "1.W", "1.b"), model.parameters().named().keySet());
  }

  /** What placing a model logs. */
  private List<String> told(Layer model) {
    Logger logger = Logger.getLogger("io.recur");
    List<String> told = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            told.add(record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      model.on(device, 1);
      return told;
    } finally {
      logger.removeHandler(handler);
    }
  }

  @Test
  void everythingHasATextOfItsOwn() {
    Recur gru = Layers.gru(IN, OUT).on(device, 1);
    Optimiser adam = new Adam(0.002f);
    assertEquals("Adam(rate 0.002, 0 steps)", adam.toString());
    assertEquals(
        "Parameters(4 trainable arrays, 100 values: Wi 12×3, Wh 12×4, b 12, h0 4×1)",
        gru.parameters().toString());
    assertEquals("Snapshot(Recur(GRUCell(3 => 4)): Recur(GRUCell(3 => 4)) fresh)", text(gru));
    try (Tape tape = Tape.on(device)) {
      gru.apply(Cells.input(tape, 1, IN, 2));
      assertEquals("Snapshot(Recur(GRUCell(3 => 4)): Recur(GRUCell(3 => 4)) 4×2)", text(gru));
      assertEquals("Tape(" + device + ", recording, " + tape.length() + " operations)", "" + tape);
      gru.reset();
    }
    Tape closed = Tape.on(device);
    closed.close();
    assertTrue(closed.toString().contains("closed"), closed.toString());
    try (Tape tape = Tape.inference(device)) {
      assertTrue(tape.toString().contains("inference"), tape.toString());
    }
    assertEquals("Snapshot(Recur 0 fresh)", new Snapshot(List.of(List.of())).toString());
  }

  private static String text(Layer model) {
    return model.save().toString();
  }

  @Test
  void devicesOfOneNameAreToldApart() {
    try (Device first = Devices.opened();
        Device second = Devices.opened();
        Tape tape = Tape.on(second)) {
      assertEquals(first.name(), second.name());
      assertEquals(first.name() + ", opened first", first.nameBeside(second));
      assertEquals(second.name() + ", opened later", second.nameBeside(first));
      assertEquals(first.name(), first.nameBeside(first));
      Recur recur = Layers.rnn(IN, OUT).on(first, 1);
      RuntimeException refused =
          assertThrows(IllegalStateException.class, () -> recur.apply(Cells.input(tape, 1, IN, 2)));
      assertTrue(refused.getMessage().contains(", opened first"), refused.getMessage());
      assertTrue(refused.getMessage().contains(", opened later"), refused.getMessage());
      assertNotEquals(first, second);
    }
  }

  /** Columns are a batch, not time: the message says so. */
  @ParameterizedTest
  @EnumSource
  void aWrongNumberOfRowsRemindsOfTheLayout(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      Tensor x = Cells.input(tape, 1, 7, IN);
      RuntimeException refused = assertThrows(ShapeException.class, () -> recur.apply(x));
      assertTrue(refused.getMessage().contains("features × batch × time"), refused.getMessage());
    }
  }
}

package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import java.util.Locale;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Law 12: a printed model shows its structure with counts, then the totals. Bytes are those of the
 * parameters and their gradients, each padded to 64 bytes, and of the state.
 */
class PrintTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @Test
  void rnnHasFourArraysAndFiftyParameters() {
    assertCounts(rnn(3, 5), 4, 50);
    assertEquals(
        """
        Recur(RNNCell(3 => 5, tanh))  # 50 parameters, state 5
        # Total: 4 trainable arrays, 50 parameters,
        # plus 5 non-trainable state, 660 bytes off the heap.""",
        rnn(3, 5).toString());
  }

  /** A program's locale may have digits of its own. */
  @Test
  void theLocaleChangesNoFigure() {
    Chain model = chain(embedding(7, 3), lstm(3, 5), dense(5, 2));
    String text = model.toString();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertEquals(text, model.toString());
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void lstmHasFiveArraysAndAHundredAndNinetyParameters() {
    assertCounts(lstm(3, 5), 5, 190);
    assertEquals(
        """
        Recur(LSTMCell(3 => 5))  # 190 parameters, state 10
        # Total: 5 trainable arrays, 190 parameters,
        # plus 10 non-trainable state, 1 960 bytes off the heap.""",
        lstm(3, 5).toString());
  }

  @Test
  void gruHasFourArraysAndAHundredAndFortyParameters() {
    assertCounts(gru(3, 5), 4, 140);
    assertTrue(
        gru(3, 5).toString().startsWith("Recur(GRUCell(3 => 5))  # 140 parameters, state 5"));
  }

  @Test
  void gruV3HasFiveArraysAndAHundredAndFortyParameters() {
    assertCounts(gruV3(3, 5), 5, 140);
    assertTrue(
        gruV3(3, 5).toString().startsWith("Recur(GRUv3Cell(3 => 5))  # 140 parameters, state 5"));
  }

  @Test
  void theRecurrentBiasOfAGruCounts() {
    Cell cell =
        new GRUCell(
            Matrix.dense(15, 3),
            Matrix.dense(15, 5),
            Parameter.zeros(Shape.of(15)),
            Parameter.zeros(Shape.of(5)),
            Parameter.zeros(Shape.of(5, 1)));
    assertCounts(new Recur(cell), 5, 145);
  }

  @Test
  void aChainShowsItsLayers() {
    Chain model =
        chain(lstm(10, 15), chain(dense(15, 5, Elementwise.RELU), rnn(5, 2)), dense(2, 3));
    String printed = model.toString();
    String[] lines = printed.split("\n");
    assertEquals("Chain(", lines[0].strip());
    assertTrue(lines[1].startsWith("  Recur(LSTMCell(10 => 15)),"), printed);
    assertTrue(lines[1].endsWith("# 1 590 parameters, state 30"), printed);
    assertEquals("  Chain(", lines[2]);
    assertTrue(lines[3].startsWith("    Dense(15 => 5, relu),"), printed);
    assertTrue(lines[3].endsWith("# 80 parameters"), printed);
    assertTrue(lines[4].startsWith("    Recur(RNNCell(5 => 2, tanh)),"), printed);
    assertTrue(lines[4].endsWith("# 18 parameters, state 2"), printed);
    assertEquals("  ),", lines[5]);
    assertTrue(lines[6].startsWith("  Dense(2 => 3),"), printed);
    assertTrue(lines[6].endsWith("# 9 parameters"), printed);
    assertEquals(")", lines[7]);
    assertEquals("# Total: 13 trainable arrays, 1 697 parameters,", lines[8]);
    assertTrue(lines[9].startsWith("# plus 32 non-trainable state,"), printed);
    assertCounts(model, 13, 1590 + 80 + 18 + 9);
    assertEquals(lines[1].indexOf('#'), lines[3].indexOf('#'), "the comments stand in one column");
  }

  @Test
  void aSharedLayerCountsOnce() {
    Recur shared = rnn(5, 5);
    Chain model = chain(shared, dense(5, 5), shared);
    assertCounts(model, 4 + 2, 60 + 30);
    String printed = model.toString();
    assertEquals(2, printed.split("RNNCell", -1).length - 1, "it is shown where it stands");
    assertTrue(printed.contains("# Total: 6 trainable arrays, 90 parameters,"), printed);
    assertTrue(printed.contains("# plus 5 non-trainable state,"), printed);
  }

  @Test
  void aSharedWeightCountsOnce() {
    Parameter w = Parameter.glorot(5, 5);
    Dense first = new Dense(Elementwise.TANH, Matrix.dense(w), Parameter.zeros(Shape.of(5)));
    Dense second = new Dense(Elementwise.TANH, Matrix.dense(w), Parameter.zeros(Shape.of(5)));
    assertCounts(chain(first, second), 3, 25 + 5 + 5);
  }

  @Test
  void fixedParametersAreNotTrainable() {
    Recur recur =
        new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(4, 1), 0, 0, 0, 0));
    assertCounts(recur, 0, 0);
    assertEquals(
        """
        Recur(function, state 4×1)  # state 4
        # Total: 0 trainable arrays, 0 parameters,
        # plus 4 non-trainable state, 80 bytes off the heap.""",
        recur.toString());
  }

  @Test
  void structuredWeightsCountWhatTheyStore() {
    Cell cell =
        new RNNCell(
            Elementwise.TANH,
            Matrix.diagonal(5, 5),
            Matrix.tridiagonal(5, 5),
            Parameter.zeros(Shape.of(5)),
            Parameter.zeros(Shape.of(5, 1)));
    assertCounts(new Recur(cell), 4, 5 + 13 + 5 + 5);
    assertTrue(
        new Recur(cell)
            .toString()
            .startsWith(
                "Recur(RNNCell(5 => 5, tanh, Wi diagonal, Wh tridiagonal))  # 28 parameters"));
    Cell stacked =
        new LSTMCell(
            Matrix.dense(20, 3),
            Matrix.diagonal(20, 5),
            Parameter.zeros(Shape.of(20)),
            Parameter.zeros(Shape.of(5, 1)),
            Parameter.zeros(Shape.of(5, 1)));
    assertCounts(new Recur(stacked), 5, 60 + 20 + 20 + 10);
  }

  @Test
  void theStateThatIsShownIsTheStateThatThereIs() {
    Recur recur = lstm(3, 5).on(device, 1);
    assertTrue(recur.toString().contains("state 10"));
    recur.apply(Cells.input(tape, 1, 3, 4));
    assertTrue(recur.toString().contains("state 40"));
    recur.truncate();
    assertTrue(recur.toString().contains("state 40"));
    recur.reset();
    assertTrue(recur.toString().contains("state 10"));
    assertFalse(recur.toString().contains("state 40"));
  }

  @Test
  void parametersAreNamedByLayer() {
    assertEquals(
        "[0.Wi, 0.Wh, 0.b, 0.h0, 0.c0, 1.W, 1.b]",
        chain(lstm(3, 5), dense(5, 2)).parameters().named().keySet().toString());
    assertEquals("[Wi, Wh, b, h0]", rnn(3, 5).parameters().named().keySet().toString());
    assertEquals("[Wi, Wh, Whc, b, h0]", gruV3(3, 5).parameters().named().keySet().toString());
  }

  private static void assertCounts(Layer model, int arrays, long parameters) {
    assertEquals(arrays, model.parameters().arrays());
    assertEquals(parameters, model.parameters().count());
    assertTrue(
        model
            .toString()
            .contains(
                "# Total: %d trainable arrays, %s parameters,"
                    .formatted(arrays, grouped(parameters))));
  }

  /** Thousands are set apart by a blank. */
  private static String grouped(long value) {
    return value < 1000 ? "" + value : value / 1000 + " %03d".formatted(value % 1000);
  }
}

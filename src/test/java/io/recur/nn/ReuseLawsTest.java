package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A tape that is cleared and recorded again, with what it keeps for that, gives the same answers as
 * a new tape for each step, whatever the steps are.
 */
class ReuseLawsTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int STEPS = 60;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  @ParameterizedTest
  @EnumSource
  void aTapeThatWasClearedIsAsGoodAsANewOne(Cells cells) {
    List<float[]> expected = answers(cells, false);
    List<float[]> actual = answers(cells, true);
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), "answer " + i);
    }
  }

  private List<float[]> answers(Cells cells, boolean oneTape) {
    Chain model = chain(cells.make(IN, OUT), dense(OUT, 2)).on(device, 1);
    Random random = new Random(3);
    List<float[]> answers = new ArrayList<>();
    int batch = 2;
    for (int step = 0; step < STEPS; step++) {
      if (random.nextInt(4) == 0) {
        batch = 1 + random.nextInt(3);
        model.reset();
      }
      Tape its = oneTape ? tape : Tape.on(device);
      Tensor loss = its.input(0);
      int calls = 1 + random.nextInt(3);
      for (int call = 0; call < calls; call++) {
        Tensor y = model.apply(input(its, random, batch));
        answers.add(y.toArray());
        loss = Cells.weighed(its, y, call).add(loss);
        its.backward(loss);
        if (random.nextInt(3) == 0) {
          model.truncate();
        }
      }
      its.backward(loss);
      answers.addAll(Cells.gradients(model).values());
      answers.addAll(Cells.values(model.recurs().getFirst().state()));
      model.truncate();
      its.clear();
      if (!oneTape) {
        its.close();
      }
    }
    return answers;
  }

  private static Tensor input(Tape tape, Random random, int batch) {
    int time = 1 + random.nextInt(4);
    boolean one = random.nextBoolean();
    Shape shape = one ? Shape.of(IN, batch) : Shape.of(IN, batch, time);
    if (batch == 1 && random.nextBoolean()) {
      shape = Shape.of(IN);
    }
    if (random.nextBoolean()) {
      return tape.oneHot(shape, random.ints(shape.columns(), 0, IN).toArray());
    }
    return tape.input(shape, Cells.values(random, shape.count()));
  }

  @ParameterizedTest
  @EnumSource
  void aStateOfTheLastStepIsRefused(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    recur.apply(Cells.input(tape, 1, IN, 2));
    State old = recur.state();
    recur.truncate();
    tape.clear();
    recur.apply(Cells.input(tape, 1, IN, 2));
    for (Tensor part : old.parts()) {
      Thrown.says(IllegalStateException.class, part::value, "made before the tape was cleared");
    }
    for (Tensor part : recur.state().parts()) {
      part.value();
    }
    recur.reset();
  }

  @Test
  void aStateThatWasShownDoesNotChangeWithTheNextOne() {
    Recur recur = Cells.LSTM.make(IN, OUT).on(device, 1);
    recur.apply(Cells.input(tape, 1, IN, 2));
    recur.truncate();
    State shown = recur.state();
    List<float[]> values = Cells.values(shown);
    tape.clear();
    recur.apply(Cells.input(tape, 2, IN, 2));
    recur.truncate();
    for (int i = 0; i < values.size(); i++) {
      assertArrayEquals(values.get(i), shown.parts().get(i).toArray());
    }
  }
}

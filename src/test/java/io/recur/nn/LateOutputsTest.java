package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.tanh;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What no later step reads may be computed after the last step, of all steps at once, on tapes that
 * keep what it reads and on those that do not: a sequence gives what its steps give.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class LateOutputsTest {
  private static final int IN = 3;
  private static final int OUT = 37;
  private static final int[] BATCHES = {1, 3, 9, 50};

  /** Fewer steps than a tile holds, and more. */
  private static final int[] TIMES = {2, 61};

  private final Device device;

  LateOutputsTest(Device device) {
    this.device = device;
  }

  /** Cells whose output is a product of the new state. */
  enum Output {
    /** One phase of a step is left, whose products wait for those of other blocks. */
    PRODUCT {
      @Override
      Tensor of(Weights w, Tensor h, Tensor x) {
        return w.v.matmul(h).add(w.b);
      }
    },
    /** Two phases are late, and read x. */
    LAYERS {
      @Override
      Tensor of(Weights w, Tensor h, Tensor x) {
        return w.v.matmul(tanh(w.v.matmul(h))).add(w.i.matmul(x)).mul(x.rows(0, 1));
      }
    },
    /** A mean over all rows: it cannot be late. */
    MEAN {
      @Override
      Tensor of(Weights w, Tensor h, Tensor x) {
        Tensor y = w.v.matmul(h);
        return y.sub(y.mean(Dimension.ROWS));
      }
    },
    /** A later phase of other rows, half of which is late. */
    HALVES {
      @Override
      Tensor of(Weights w, Tensor h, Tensor x) {
        return Concat.rows(w.v.matmul(h), tanh(w.i.matmul(x)));
      }
    };

    abstract Tensor of(Weights w, Tensor h, Tensor x);
  }

  /** How the state goes on. */
  enum Steps {
    /** By a product. */
    PRODUCT {
      @Override
      Step next(Weights w, State state, Tensor x, BiFunction<Tensor, Tensor, Tensor> y) {
        Tensor h =
            tanh(
                w.i.matmul(x).add(w.h.matmul(state.h()).scale(0.2f))); // forgets, or rounding grows
        return Step.step(h, y.apply(h, x));
      }
    },
    /** Value by value: blocks wait for no other block once the output is late. */
    LINEAR {
      @Override
      Step next(Weights w, State state, Tensor x, BiFunction<Tensor, Tensor, Tensor> y) {
        Tensor h = w.a.mul(state.h()).add(w.i.matmul(x));
        return Step.step(h, y.apply(h, x));
      }
    },
    /** The output is the state's second part: the next step reads it. */
    READ {
      @Override
      Step next(Weights w, State state, Tensor x, BiFunction<Tensor, Tensor, Tensor> y) {
        Tensor before = state.c().rows(0, OUT);
        Tensor h = w.a.mul(tanh(before)).add(w.i.matmul(x)).add(w.a.mul(state.h()));
        Tensor out = tanh(y.apply(h, x));
        return new Step(State.of(h, out.rows(0, OUT)), out);
      }
    };

    abstract Step next(Weights w, State state, Tensor x, BiFunction<Tensor, Tensor, Tensor> y);
  }

  private record Weights(Parameter i, Parameter h, Parameter v, Parameter b, Parameter a) {
    Weights() {
      this(
          Cells.random(OUT, IN).named("Wi"),
          Cells.random(OUT, OUT).named("Wh"),
          Cells.random(OUT, OUT).named("V"),
          Cells.random(OUT).named("b"),
          Cells.random(OUT).named("a"));
    }

    List<Parameter> all() {
      return List.of(i, h, v, b, a);
    }
  }

  private record Late(Weights weights, List<Parameter> state0, Steps steps, Output output)
      implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return steps.next(weights, state, x, (h, in) -> output.of(weights, h, in));
    }

    @Override
    public List<Parameter> parameters() {
      List<Parameter> all = new ArrayList<>(weights.all());
      all.addAll(state0);
      return all;
    }
  }

  private Recur recur(Steps steps, Output output) {
    List<Parameter> state0 = new ArrayList<>();
    for (int i = 0; i < (steps == Steps.READ ? 2 : 1); i++) {
      state0.add(Cells.random(OUT, 1).named("s" + i));
    }
    Cell cell = new Late(new Weights(), state0, steps, output);
    return new Recur(cell).on(device, 7).requireCompiled();
  }

  @ParameterizedTest
  @EnumSource
  void aSequenceGivesWhatItsStepsGive(Steps steps) {
    for (Output output : Output.values()) {
      sequenceIsSteps(steps + " " + output, recur(steps, output));
    }
  }

  @ParameterizedTest
  @MethodSource("io.recur.nn.Cells#catalogue")
  void aCellOfTheCatalogueDoes(Cells cells) {
    sequenceIsSteps(cells.toString(), cells.make(IN, OUT).on(device, 7));
  }

  private void sequenceIsSteps(String what, Recur recur) {
    for (int batch : BATCHES) {
      for (int time : TIMES) {
        String here = "%s B%d T%d".formatted(what, batch, time);
        near(here, outputs(recur, batch, time, false), outputs(recur, batch, time, true), FLOAT);
      }
    }
  }

  /** The outputs of all steps, then the state, on a tape that records nothing. */
  private Map<String, float[]> outputs(Recur recur, int batch, int time, boolean isWhole) {
    try (Tape tape = Tape.inference(device)) {
      recur.reset();
      Tensor x = Cells.input(tape, 5, IN, batch, time);
      List<Tensor> steps = new ArrayList<>();
      for (int t = 0; t < time && !isWhole; t++) {
        steps.add(recur.apply(x.time(t)));
      }
      Tensor y = isWhole ? recur.apply(x) : Concat.time(steps);
      Map<String, float[]> found = new LinkedHashMap<>(Map.of("y", y.toArray()));
      for (Tensor part : recur.state().parts()) {
        found.put("state " + found.size(), part.toArray());
      }
      recur.reset();
      return found;
    }
  }

  @ParameterizedTest
  @EnumSource
  void gradientsAreThoseOfTheSteps(Steps steps) {
    for (Output output : Output.values()) {
      Recur recur = recur(steps, output);
      for (int batch : BATCHES) {
        for (int time : TIMES) {
          String here = "%s %s B%d T%d".formatted(steps, output, batch, time);
          Map<String, float[]> expected = gradients(recur.fork().stepwise(), batch, time);
          near(here, expected, gradients(recur, batch, time), FLOAT);
        }
      }
    }
  }

  private Map<String, float[]> gradients(Recur recur, int batch, int time) {
    recur.parameters().zeroGradients();
    recur.reset();
    try (Tape tape = Tape.on(device)) {
      Tensor x = Cells.input(tape, 5, IN, batch, time);
      tape.backward(Cells.weighed(tape, recur.apply(x), 2));
      recur.reset();
      return Cells.gradients(recur);
    }
  }
}

package io.recur.nn;

import static io.recur.Near.near;
import static io.recur.grad.Functions.sqrt;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.grad.Concat;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a step computes of x alone, reductions too, may be computed before the first step, and its
 * gradients after the last one: outputs and gradients are those of the steps.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class NormalisedInputsTest {
  private static final int IN = 3;
  private static final int OUT = 37;

  /** Sums of some thousand terms, in another order. */
  private static final double SUMS = 5e-5;

  private final Device device;

  NormalisedInputsTest(Device device) {
    this.device = device;
  }

  private record Weights(Parameter i, Parameter h, Parameter v, Parameter a, Parameter b) {
    Weights() {
      this(
          Cells.random(OUT, IN).named("Wi"),
          Cells.random(OUT, OUT).named("Wh"),
          Cells.random(OUT, OUT).named("V"),
          Cells.random(OUT).named("a"),
          Cells.random(OUT).named("b"));
    }
  }

  private static Tensor normalised(Tensor a) {
    Tensor mean = a.mean(Dimension.ROWS);
    return a.sub(mean).div(sqrt(a.variance(Dimension.ROWS).add(0.1f)));
  }

  /** What a step adds to Wh·h. */
  enum OfInput {
    NORMALISED {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        return normalised(w.i.matmul(x)).mul(w.a).add(w.b);
      }
    },
    /** A product of what is normalised: an array that is written early is multiplied early. */
    LAYERS {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        return w.v.matmul(tanh(normalised(w.i.matmul(x)))).mul(w.a);
      }
    },
    /** Rounded once with what is not early. */
    SCALED {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        return h.mul(w.b).add(normalised(w.i.matmul(x)).mul(w.a));
      }
    },
    /** The steps wait for one reduction, and not for the other. */
    BOTH {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        return normalised(w.i.matmul(x)).add(normalised(w.v.matmul(h))).mul(w.a);
      }
    },
    /** The mean is read by itself, by what is early and by what is not. */
    MEANS {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        Tensor a = w.i.matmul(x);
        Tensor mean = a.mean(Dimension.ROWS);
        return normalised(a).add(mean.mul(h)).add(a.max(Dimension.ROWS).mul(w.a));
      }
    },
    /** A mean and a variance of the same values, which the steps need. */
    MOMENTS {
      @Override
      Tensor of(Weights w, Tensor x, Tensor h) {
        Tensor a = w.i.matmul(x).add(h);
        return a.variance(Dimension.ROWS).add(a.mean(Dimension.ROWS)).mul(w.a);
      }
    };

    abstract Tensor of(Weights w, Tensor x, Tensor h);
  }

  private record Normalised(Weights w, Parameter h0, OfInput kind) implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h();
      Tensor next = tanh(kind.of(w, x, h).add(w.h.matmul(h).scale(0.2f)));
      return Step.step(next, next);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(w.i, w.h, w.v, w.a, w.b, h0);
    }
  }

  /** What x is. */
  enum Input {
    CONSTANT,
    /** Takes a gradient. */
    VARIABLE,
    /** The weights are frozen: only x takes a gradient. */
    ALONE,
    ONE_HOT
  }

  private Tensor input(Tape tape, Input kind, int batch, int time) {
    Shape shape = Shape.of(IN, batch, time);
    Random random = new Random(5);
    if (kind == Input.ONE_HOT) {
      return tape.oneHot(shape, random.ints((long) batch * time, 0, IN).toArray());
    }
    float[] x = Cells.values(random, shape.count());
    return kind == Input.CONSTANT ? tape.input(shape, x) : tape.variable(shape, x);
  }

  private Map<String, float[]> gradients(Recur recur, Input kind, int batch, int time) {
    recur.parameters().zeroGradients();
    recur.reset();
    try (Tape tape = Tape.on(device)) {
      Tensor x = input(tape, kind, batch, time);
      Tensor y = recur.apply(x);
      Map<String, float[]> found = new LinkedHashMap<>(Map.of("y", y.toArray()));
      tape.backward(Cells.weighed(tape, y, 2));
      recur.reset();
      if (x.isDifferentiable()) {
        found.put("dx", x.gradientArray());
      }
      if (kind != Input.ALONE) {
        found.putAll(Cells.gradients(recur));
      }
      return found;
    }
  }

  private void compare(String what, Recur recur, Input kind, int batch, int time) {
    if (kind == Input.ALONE) {
      recur.parameters().freeze();
    }
    Recur steps = recur.fork().stepwise();
    String here = "%s %s B%d T%d".formatted(what, kind, batch, time);
    near(here, gradients(steps, kind, batch, time), gradients(recur, kind, batch, time), SUMS);
    recur.parameters().unfreeze();
  }

  @ParameterizedTest
  @EnumSource
  void outputsAndGradientsAreThoseOfTheSteps(OfInput of) {
    Cell cell = new Normalised(new Weights(), Cells.random(OUT, 1).named("h0"), of);
    Recur recur = new Recur(cell).on(device, 7).requireCompiled();
    for (Input input : Input.values()) {
      for (int batch = 1; batch < 9; batch++) {
        compare(of.toString(), recur, input, batch, 2);
        compare(of.toString(), recur, input, batch, 61);
      }
    }
    // more than a run of steps
    compare(of.toString(), recur, Input.VARIABLE, 1, 300);
    compare(of.toString(), recur, Input.CONSTANT, 3, 200);
    compare(of.toString(), recur, Input.ALONE, 2, 300);
  }

  /** Bit for bit: what is rounded once in a step is rounded once in a sequence. */
  @ParameterizedTest
  @EnumSource
  void aSequenceIsItsSteps(OfInput of) {
    Cell cell = new Normalised(new Weights(), Cells.random(OUT, 1).named("h0"), of);
    Recur recur = new Recur(cell).on(device, 7).requireCompiled();
    for (int batch = 1; batch < 9; batch++) {
      try (Tape tape = Tape.inference(device)) {
        Tensor x = input(tape, Input.CONSTANT, batch, 20);
        float[] whole = recur.apply(x).toArray();
        recur.reset();
        List<Tensor> steps = new ArrayList<>();
        for (int t = 0; t < 20; t++) {
          steps.add(recur.apply(x.time(t)));
        }
        assertArrayEquals(whole, Concat.time(steps).toArray());
        recur.reset();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.recur.nn.Cells#catalogue")
  void thoseOfTheCatalogueAre(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 7);
    compare(cells.toString(), recur, Input.VARIABLE, 1, 5);
    compare(cells.toString(), recur, Input.CONSTANT, 3, 5);
  }
}

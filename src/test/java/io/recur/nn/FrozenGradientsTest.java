package io.recur.nn;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.cuda.CpuDouble;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** No gradient of a frozen parameter is computed. */
class FrozenGradientsTest {
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int BATCH = 2;
  private static final int TIME = 5;

  /** What is in the memory of gradients before a pass; a sum with anything else differs from it. */
  private static final float BEFORE = 0.625f;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** Each parameter frozen alone: its gradient is untouched, the others and that of x are whole. */
  @ParameterizedTest
  @EnumSource
  void theRestIsAsBefore(Cells cells) {
    for (boolean stepwise : new boolean[] {false, true}) {
      Recur recur = cells.make(IN, OUT).on(device, 1);
      if (stepwise) {
        recur.stepwise();
      }
      Tensor x = Cells.input(tape, 1, IN, BATCH, TIME);
      Map<String, float[]> free = gradients(recur, x);
      float[] dx = x.gradientArray();
      recur
          .parameters()
          .named()
          .forEach(
              (name, frozen) -> {
                frozen.freeze();
                Map<String, float[]> rest = gradients(recur, x);
                String what = cells + ", frozen " + name + (stepwise ? ", stepwise: " : ": ");
                near(what + "x", dx, x.gradientArray(), FLOAT);
                rest.forEach(
                    (other, gradient) -> {
                      if (other.equals(name)) {
                        float[] same = new float[gradient.length];
                        Arrays.fill(same, BEFORE);
                        assertArrayEquals(same, gradient, what + other);
                      } else {
                        near(what + other, free.get(other), gradient, FLOAT);
                      }
                    });
                frozen.unfreeze();
              });
      assertTrue(free.values().stream().allMatch(FrozenGradientsTest::isReached), cells.toString());
    }
  }

  /** What alone takes a gradient has it: each parameter with all others frozen, and x. */
  @ParameterizedTest
  @EnumSource
  void whatIsAloneIsAsBefore(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(device, 1);
    Tensor x = Cells.input(tape, 1, IN, BATCH, TIME);
    Map<String, float[]> free = gradients(recur, x);
    float[] dx = x.gradientArray();
    recur.parameters().freeze();
    gradients(recur, x);
    near(cells + ", x alone", dx, x.gradientArray(), FLOAT);
    Tensor constant = tape.input(x.shape(), x.toArray());
    recur
        .parameters()
        .named()
        .forEach(
            (name, alone) -> {
              if (alone.isTrainable()) {
                alone.unfreeze();
                float[] gradient = gradients(recur, constant).get(name);
                near(cells + ", alone " + name, free.get(name), gradient, FLOAT);
                alone.freeze();
              }
            });
  }

  private static boolean isReached(float[] gradient) {
    for (float value : gradient) {
      if (value != BEFORE) {
        return true;
      }
    }
    return false;
  }

  private Map<String, float[]> gradients(Recur recur, Tensor x) {
    recur.reset();
    for (Parameter parameter : recur.parameters()) {
      if (parameter.isTrainable()) {
        float[] before = new float[parameter.shape().count()];
        Arrays.fill(before, BEFORE);
        parameter.gradient().write(before);
      }
    }
    tape.backward(Cells.weighed(tape, recur.apply(x), 2));
    recur.reset();
    return Cells.gradients(recur);
  }

  /** Below a frozen layer whose input needs no gradient, nothing is recorded or walked. */
  @Test
  void aFrozenLayerIsNotRecorded() {
    Chain model = chain(lstm(IN, OUT), lstm(OUT, OUT), dense(OUT, 2)).on(device, 1);
    int all = recorded(model);
    model.layers().get(0).parameters().freeze();
    int upper = recorded(model);
    assertTrue(upper < all, upper + " of " + all);
    model.layers().get(1).parameters().freeze();
    int head = recorded(model);
    assertTrue(head < upper, head + " of " + upper);
    Chain dense = chain(dense(OUT, 2)).on(device, 1);
    Tensor y = dense.apply(tape.input(Shape.of(OUT, BATCH, TIME), new float[OUT * BATCH * TIME]));
    assertTrue(y.isDifferentiable());
    assertEquals(tape.length(), head, "the operations of the head alone");
    tape.clear();

    model.parameters().freeze();
    Tensor x = tape.input(Shape.of(IN, BATCH, TIME), new float[IN * BATCH * TIME]);
    Tensor none = model.apply(x).sum();
    assertEquals(0, tape.length());
    assertFalse(none.isDifferentiable());
    Thrown.says(
        IllegalStateException.class,
        () -> tape.backward(none),
        "backward: no parameter took part in y that is not frozen, or the tape records nothing;"
            + " unfreeze() one, or use Tape.on(device)");
    model.reset();
    model.parameters().unfreeze();
    assertEquals(all, recorded(model));
  }

  private int recorded(Chain model) {
    model.reset();
    tape.clear();
    model.apply(tape.input(Shape.of(IN, BATCH, TIME), new float[IN * BATCH * TIME]));
    int recorded = tape.length();
    model.reset();
    tape.clear();
    return recorded;
  }

  /** A part of a parameter is frozen with it, also a part that was cut before. */
  @Test
  void aViewIsFrozenWithItsParameter() {
    Parameter w = Parameter.of(Shape.of(2, 2), 1, 2, 3, 4).on(device);
    Tensor column = w.column(1);
    assertTrue(column.isDifferentiable());
    w.freeze();
    assertFalse(column.isDifferentiable());
    assertFalse(w.column(0).isDifferentiable());
    w.unfreeze();
    tape.backward(tape.use(column).sum());
    assertArrayEquals(new float[] {0, 0, 1, 1}, w.gradientArray());
  }

  /** The products of a forward and a backward pass, counted on the CPU double. */
  @Test
  void aFrozenMatrixTakesOneProductLess() {
    CpuDouble.assumeHere();
    System.setProperty("io.recur.cuda.graphs", "false");
    try (Device counted = Devices.opened();
        Tape its = Tape.on(counted)) {
      Parameter w = Parameter.glorot(OUT, IN).on(counted);
      Tensor x = Cells.input(its, 1, IN, BATCH);
      Supplier<Tensor> product = () -> w.matmul(x);
      assertEquals(3, products(its, product));
      w.freeze();
      assertEquals(2, products(its, product));

      Recur recur = lstm(IN, OUT).on(counted, 1);
      Tensor sequence = Cells.input(its, 1, IN, BATCH, TIME);
      Supplier<Tensor> run =
          () -> {
            recur.reset();
            return recur.apply(sequence);
          };
      products(its, run); // the plan
      long all = products(its, run);
      int matrices = 0;
      for (Parameter parameter : recur.parameters()) {
        boolean isMatrix = parameter.shape().columns() > 1;
        parameter.freeze();
        matrices += isMatrix ? 1 : 0;
        assertEquals(all - matrices, products(its, run), parameter.name());
      }
      assertEquals(2, matrices);
      recur.reset();
    } finally {
      System.clearProperty("io.recur.cuda.graphs");
    }
  }

  private static long products(Tape its, Supplier<Tensor> pass) {
    long before = made();
    Tensor y = pass.get();
    its.backward(y.sum());
    y.toArray(); // what is recorded runs
    return made() - before;
  }

  private static long made() {
    return CpuDouble.count("cublasGemmEx_64") + CpuDouble.count("cublasSgemv_v2_64");
  }
}

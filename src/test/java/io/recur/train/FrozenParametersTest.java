package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class FrozenParametersTest {
  @AutoClose private final Device device = Devices.here();

  /** Three parameters in one slab: any of them may be frozen, alone or with its neighbour. */
  @Test
  void whatIsFrozenStaysAndTheRestMovesAsBefore() {
    for (String name : Optimisers.NAMES) {
      for (int frozen = 0; frozen < 8; frozen++) {
        Single model = three();
        Single free = three();
        Optimiser optimiser = Optimisers.named(name);
        Optimiser other = Optimisers.named(name);
        for (long k = 0; k < 3; k++) {
          for (int i = 0; i < 3; i++) {
            Parameter parameter = model.own().get(i);
            if (k == 1 && (frozen >> i & 1) == 1) {
              parameter.freeze();
            }
          }
          Optimisers.differentiate(model, k);
          Optimisers.differentiate(free, k);
          optimiser.step(model.parameters());
          other.step(free.parameters());
          if (k == 0) {
            assertArrayEquals(free.values(0), model.values(0), name);
          }
          for (int i = 0; i < 3; i++) {
            String of = name + " " + frozen + " parameter " + i;
            boolean stays = (frozen >> i & 1) == 1;
            assertEquals(k > 0 && stays, !Arrays.equals(free.values(i), model.values(i)), of);
            assertArrayEquals(new float[17], model.own().get(i).gradientArray(), of);
          }
        }
      }
    }
  }

  private Single three() {
    Parameter.Initialiser draw =
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() + 0.5f;
          }
        };
    Single model =
        new Single(
            Parameter.of(Shape.of(17), draw),
            Parameter.of(Shape.of(17), draw),
            Parameter.of(Shape.of(17), draw));
    model.on(device, 1);
    return model;
  }

  @Test
  void frozenGradientsTakeNoPartInClipping() {
    Single model = three();
    float[] large = new float[17];
    large[0] = 30;
    float[] small = new float[17];
    small[0] = 4;
    model.own().get(0).gradient().write(large);
    model.own().get(1).gradient().write(small);
    model.own().get(0).freeze();
    assertEquals(4, Clip.norm(model.parameters(), 2));
    assertEquals(30, model.own().get(0).gradientArray()[0]);
    assertEquals(2, model.own().get(1).gradientArray()[0]);
    model.parameters().unfreeze();
    assertEquals(Math.sqrt(904), Clip.norm(model.parameters()), 1e-12);
    model.parameters().freeze();
    assertEquals(0, Clip.norm(model.parameters()));
  }
}

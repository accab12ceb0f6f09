package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Near;
import io.recur.Pinned;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class ClipTest {
  @AutoClose private final Device device = Devices.here();

  /** {@return a model whose parameters have these gradients, one parameter per argument} */
  private Single model(float[]... gradients) {
    Parameter[] parameters = new Parameter[gradients.length];
    for (int i = 0; i < gradients.length; i++) {
      parameters[i] = Parameter.zeros(Shape.of(gradients[i].length));
    }
    Single model = new Single(parameters);
    model.on(device, 1);
    for (int i = 0; i < gradients.length; i++) {
      parameters[i].gradient().write(gradients[i]);
    }
    return model;
  }

  private static float[] gradient(Single model, int i) {
    return model.own().get(i).gradientArray();
  }

  @Test
  void normAndValueArePyTorchs() {
    Pinned pinned = Pinned.of("clip.txt");
    Single model = model(pinned.floats("g"));
    double norm = Clip.norm(model.parameters(), 5);
    Near.check("norm", pinned.doubles("norm")[0], norm, 1e-6);
    // PyTorch divides by norm + 1e-6
    Near.check("by norm", pinned.doubles("clip_norm"), gradient(model, 0), 1e-5);
    assertEquals(5, Clip.norm(model.parameters()), 1e-5);
    Single other = model(pinned.floats("g"));
    Clip.value(other.parameters(), 1);
    Near.check("by value", pinned.doubles("clip_value"), gradient(other, 0), 0);
  }

  @Test
  void theNormIsThatOfAllParametersTogether() {
    Single model = model(new float[] {3}, new float[] {0, 4});
    assertEquals(5, Clip.norm(model.parameters()));
    assertEquals(5, Clip.norm(model.parameters(), 2.5f));
    assertArrayEquals(new float[] {1.5f}, gradient(model, 0));
    assertArrayEquals(new float[] {0, 2}, gradient(model, 1));
  }

  @Test
  void aSmallNormLeavesTheGradients() {
    Single model = model(new float[] {3, 4});
    assertEquals(5, Clip.norm(model.parameters(), 5));
    assertArrayEquals(new float[] {3, 4}, gradient(model, 0));
  }

  @Test
  void aNormThatIsNotFiniteLeavesTheGradients() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      Single model = model(new float[] {3, bad}, new float[] {4});
      assertTrue(!Double.isFinite(Clip.norm(model.parameters(), 1)), "with " + bad);
      assertArrayEquals(new float[] {3, bad}, gradient(model, 0));
      assertArrayEquals(new float[] {4}, gradient(model, 1));
    }
  }

  @Test
  void aNormBeyondFloatIsStillScaled() {
    Single model = model(new float[] {3e38f, 3e38f});
    Clip.norm(model.parameters(), 1);
    float[] clipped = gradient(model, 0);
    assertEquals(
        Math.sqrt(0.5), clipped[0], 1e-6); // one rounding of the factor, one of the product
  }

  @Test
  void valueClampsBothSides() {
    Single model = model(new float[] {-3, 0.5f}, new float[] {2});
    Clip.value(model.parameters(), 1);
    assertArrayEquals(new float[] {-1, 0.5f}, gradient(model, 0));
    assertArrayEquals(new float[] {1}, gradient(model, 1));
  }

  @Test
  void limitsOfZeroOrLessThrow() {
    Single model = model(new float[] {1});
    for (float limit : new float[] {0, -1, Float.NaN}) {
      String words = "clip: limit=" + limit + "; need more than 0";
      Thrown.says(
          IllegalArgumentException.class, () -> Clip.norm(model.parameters(), limit), words);
      Thrown.says(
          IllegalArgumentException.class, () -> Clip.value(model.parameters(), limit), words);
    }
  }

  /** An infinite limit asks for the norm alone. */
  @Test
  void anInfiniteLimitLeavesTheGradients() {
    Single model = model(new float[] {3, -4});
    float none = Float.POSITIVE_INFINITY;
    assertEquals(5, Clip.norm(model.parameters(), none));
    Clip.value(model.parameters(), none);
    assertArrayEquals(new float[] {3, -4}, gradient(model, 0));
  }
}

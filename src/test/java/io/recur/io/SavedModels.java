package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.io.TempDir;

/** Models that are saved and built again, and descriptions of models that are damaged. */
abstract class SavedModels {
  private static final int BATCH = 2;
  private static final int TIME = 7;
  private static final int MUTATIONS = 2_000;

  @TempDir Path folder;
  @AutoClose final Device device = Devices.here();

  private float[] answers(Layer model, int in) {
    Random random = new Random(5);
    Shape shape = Shape.of(in, BATCH, TIME);
    float[] x = new float[shape.count()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      return model.apply(tape.input(shape, x)).toArray();
    }
  }

  private static Map<String, Boolean> trained(Layer model) {
    Map<String, Boolean> trained = new LinkedHashMap<>();
    model
        .parameters()
        .named()
        .forEach((name, of) -> trained.put(name + of.shape(), of.isTrainable()));
    return trained;
  }

  /** Builds a model again from its file: it prints, answers and is saved as before. */
  final Layer again(Layer model, int in) throws IOException {
    model.on(device, 8);
    assertEquals(List.of(), Models.unknown(model));
    Path path = folder.resolve("model.safetensors");
    Weights.save(path, model, Map.of("trained", "yes"));
    Layer again = Models.read(path, device);
    assertEquals(model.toString(), again.toString());
    assertEquals(trained(model), trained(again));
    assertArrayEquals(answers(model, in), answers(again, in));
    Path second = folder.resolve("second.safetensors");
    Weights.save(second, again, Map.of("trained", "yes"));
    try (Safetensors first = Safetensors.read(path);
        Safetensors last = Safetensors.read(second)) {
      assertEquals(first.metadata(), last.metadata());
    }
    return again;
  }

  /** Changes, deletes and repeats characters of the descriptions of models. */
  static void mutationsAreRefusedOrAreModels(List<? extends Layer> models, int seed) {
    List<String> texts = models.stream().map(Structure::of).toList();
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      StringBuilder text = new StringBuilder(texts.get(i % texts.size()));
      for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.setCharAt(at, (char) (32 + random.nextInt(95)));
          case 1 -> text.deleteCharAt(at);
          default -> text.insert(at, text.charAt(random.nextInt(text.length())));
        }
      }
      try {
        Structure.model(text.toString(), 1_000_000);
      } catch (IllegalArgumentException e) {
        assertFalse(e.getMessage().isEmpty());
        refused++;
      }
    }
    assertTrue(refused > MUTATIONS / 2, refused + " of " + MUTATIONS);
  }
}

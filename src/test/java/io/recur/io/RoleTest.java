package io.recur.io;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.train.Adam;
import io.recur.train.Checkpoint;
import io.recur.train.Optimiser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tensor's name decides its role, and its role decides which load reads it. */
class RoleTest {
  private static final int STEPS = 7;

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  private Path file;
  private Chain model;

  @BeforeEach
  void save() throws IOException {
    file = folder.resolve("model.safetensors");
    model = model(1);
    Adam adam = new Adam(0.1f);
    try (Tape tape = Tape.inference(device)) {
      model.apply(tape.input(Shape.of(3, 2), new float[6]));
    }
    for (int i = 0; i < STEPS; i++) {
      adam.step(model.parameters());
    }
    Checkpoint.save(file, model, adam, Map.of());
  }

  private Chain model(long seed) {
    return chain(gru(3, 4), dense(4, 2)).on(device, seed);
  }

  /** The file with one tensor more. */
  private void add(String name) throws IOException {
    try (Safetensors content = Safetensors.read(file)) {
      Map<String, StoredTensor> tensors = new LinkedHashMap<>(content.tensors());
      tensors.put(name, new StoredTensor(new int[] {4, 2}, new float[8]));
      new Safetensors(content.metadata(), tensors).write(file);
    }
  }

  private void refused(@Nullable Optimiser optimiser, String what) {
    Chain other = model(2);
    float[] before = weights(other);
    Thrown.says(
        IllegalArgumentException.class, () -> Checkpoint.load(file, other, optimiser), what);
    assertArrayEquals(before, weights(other));
  }

  private static float[] weights(Chain model) {
    return model.parameters().named().get("0.Wi").toArray();
  }

  @Test
  void onlyNamesOfExactlyTheirFormsAreStatesAndMemory() {
    assertEquals(Role.STATE, Role.of("state.0.0"));
    assertEquals(Role.STATE, Role.of("state.12.345678901"));
    assertEquals(Role.OPTIMISER, Role.of("optimiser.0"));
    assertEquals(Role.OPTIMISER, Role.of("optimiser.10"));
    for (String name :
        List.of(
            "0.Wi", "state", "state.0", "state.0.0.0", "state.00.1", "state.a.0", "State.0.0")) {
      assertEquals(Role.PARAMETER, Role.of(name), name);
    }
    for (String name :
        List.of("optimiser", "optimiser.", "optimiser.01", "optimiser.-1", "optimizer.0", "")) {
      assertEquals(Role.PARAMETER, Role.of(name), name);
    }
  }

  /** As if one bit of the name had flipped: the tensor would be lost silently. */
  @ParameterizedTest
  @ValueSource(
      strings = {"0.wi", "2.W", "momentum", "state.0", "state.0.00", "optimiser.01", "optimizer.0"})
  void aTensorThatIsNoParameterAndHasNoOtherRoleIsRefused(String name) throws IOException {
    add(name);
    String what = name + " is in the file and not in the model";
    refused(null, what);
    refused(new Adam(0.2f), what);
    Thrown.says(IllegalArgumentException.class, () -> Weights.load(file, model(2)), what);
  }

  @Test
  void theMemoryOfAnOptimiserIsSkippedWhereNobodyAskedForIt() throws IOException {
    add("optimiser.2");
    Chain other = model(2);
    Checkpoint.load(file, other, null);
    assertArrayEquals(weights(model), weights(other));
    assertEquals(2, other.recurs().getFirst().state().h().shape().batch());
    refused(new Adam(0.2f), "optimiser.2 is in the file and not in the model");
  }

  @Test
  void statesAreSkippedWhereNobodyAskedForThem() throws IOException {
    add("state.1.0");
    Chain other = model(2);
    Weights.load(file, other);
    assertArrayEquals(weights(model), weights(other));
    assertTrue(other.recurs().getFirst().isFresh());
    refused(null, "state.1.0 is in the file and not in the model");
  }

  @Test
  void whatWasAskedForComesBack() throws IOException {
    Chain other = model(2);
    Adam adam = new Adam(0.2f);
    Checkpoint.load(file, other, adam);
    assertEquals(STEPS, adam.steps());
    assertEquals(0.1f, adam.rate());
    assertEquals(2, other.recurs().getFirst().state().h().shape().batch());
  }

  /** A cell of one's own with a decay. */
  private static class Decaying implements Cell {
    private final Parameter rate = Parameter.glorot(4, 1).named("rate");
    private final Parameter initial = Parameter.zeros(Shape.of(4, 1)).named("state0");

    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h().mul(rate).add(x);
      return Step.step(h, h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(initial);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(rate, initial);
    }
  }

  /** Another cell, whose parameters have the same names and sizes. */
  private static final class Scaling extends Decaying {
    @Override
    public Step step(State state, Tensor x) {
      Tensor h = state.h().add(x.mul(parameters().getFirst()));
      return Step.step(h, h);
    }
  }

  @Test
  void anotherKindOfCellOfTheSameNamesAndSizesIsRefused() throws IOException {
    Checkpoint.save(file, chain(new Recur(new Decaying())).on(device, 1), null, Map.of());
    Chain other = chain(new Recur(new Scaling())).on(device, 2);
    for (boolean isCheckpoint : new boolean[] {false, true}) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> {
            if (isCheckpoint) {
              Checkpoint.load(file, other, null);
            } else {
              Weights.load(file, other);
            }
          },
          "layer 0 is Recur(" + Scaling.class.getName(),
          "in the model and Recur(" + Decaying.class.getName());
    }
    Checkpoint.load(file, chain(new Recur(new Decaying())).on(device, 2), null);
  }
}

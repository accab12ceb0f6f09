package io.recur.io;

import static io.recur.Near.FLOAT;
import static io.recur.Near.near;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Drop;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cells;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What changes about a model after its first compiled call: weights, device, dropout. */
class CompiledModelsTest {
  private static final int IN = 3;
  private static final int OUT = 5;
  private static final int BATCH = 2;

  @TempDir private Path folder;
  @AutoClose private final Device cpu = Device.cpu();
  @AutoClose private final Device here = Devices.here();

  /** Outputs and gradients of a sequence, as the steps of a fork give them. */
  private static void assertRight(Recur recur, Tape tape) {
    near("y", outputs(recur.fork().stepwise(), tape), outputs(recur, tape), FLOAT);
    near("gradient", gradients(recur.fork().stepwise(), tape), gradients(recur, tape), FLOAT);
  }

  private static float[] outputs(Recur recur, Tape tape) {
    tape.seed(3);
    recur.reset();
    float[] y = recur.apply(Cells.input(tape, 1, IN, BATCH, 4)).toArray();
    recur.reset();
    return y;
  }

  private static Map<String, float[]> gradients(Recur recur, Tape tape) {
    tape.seed(3);
    recur.reset();
    recur.parameters().zeroGradients();
    tape.backward(Cells.weighed(tape, recur.apply(Cells.input(tape, 1, IN, BATCH, 4)), 2));
    recur.reset();
    return Cells.gradients(recur);
  }

  @ParameterizedTest
  @EnumSource(names = {"FUNCTION", "CLASS", "MGU", "PEEPHOLE_LSTM", "LAYER_NORM_LSTM", "SLSTM"})
  void weightsRestoredFromAFileCount(Cells cells) throws Exception {
    Path file = folder.resolve("weights.safetensors");
    Weights.save(file, cells.make(IN, OUT).on(here, 2), Map.of());
    Recur recur = cells.make(IN, OUT).on(here, 1).requireCompiled();
    try (Tape tape = Tape.on(here)) {
      float[] before = outputs(recur, tape);
      assertRight(recur, tape);
      Weights.load(file, recur);
      assertRight(recur, tape);
      assertFalse(Arrays.equals(before, outputs(recur, tape)));
      near("as saved", outputs(cells.make(IN, OUT).on(here, 2), tape), outputs(recur, tape), FLOAT);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FUNCTION", "CLASS", "MGU", "PEEPHOLE_LSTM", "LAYER_NORM_LSTM", "SLSTM"})
  void aModelOnAnotherDeviceIsTracedThere(Cells cells) {
    Recur recur = cells.make(IN, OUT).on(here, 1).requireCompiled();
    Recur twin = cells.make(IN, OUT).on(cpu, 2).requireCompiled();
    try (Tape tape = Tape.on(here);
        Tape other = Tape.on(cpu)) {
      float[] y = outputs(recur, tape);
      assertFalse(Arrays.equals(y, outputs(twin, other)));
      twin.parameters().copyFrom(recur.parameters());
      near("there", y, outputs(twin, other), 2 * FLOAT); // each device is off by its own
      assertRight(twin, other);
      near("here still", y, outputs(recur, tape), FLOAT);
      recur.apply(Cells.input(tape, 1, IN, BATCH, 4));
      twin.restore(recur.save());
      Tensor next = recur.apply(Cells.input(tape, 5, IN, BATCH, 1));
      Tensor there = twin.apply(Cells.input(other, 5, IN, BATCH, 1));
      near("its state goes on", next.toArray(), there.toArray(), 2 * FLOAT);
      recur.truncate();
    }
  }

  /** W, u, b and h0, each frozen by itself, then all of them. */
  @Test
  void frozenParametersTakeNoGradient() {
    for (int frozen = 0; frozen <= 4; frozen++) {
      List<Parameter> parts = new ArrayList<>();
      Shape[] shapes = {Shape.of(OUT, IN), Shape.of(OUT, OUT), Shape.of(OUT), Shape.of(OUT, 1)};
      for (int i = 0; i < shapes.length; i++) {
        float[] values = Cells.values(new java.util.Random(i), shapes[i].count());
        boolean isFrozen = i == frozen || frozen == 4;
        Parameter part =
            isFrozen ? Parameter.fixed(shapes[i], values) : Parameter.of(shapes[i], values);
        parts.add(part.named("part" + i));
      }
      Recur recur =
          new Recur(
                  (h, x) -> {
                    Tensor sums = parts.get(0).matmul(x).add(parts.get(1).matmul(h));
                    Tensor y = tanh(sums.add(parts.get(2)));
                    return Step.step(y, y);
                  },
                  parts.get(3),
                  parts.subList(0, 3).toArray(Parameter[]::new))
              .on(here, 1)
              .requireCompiled();
      try (Tape tape = Tape.on(here)) {
        assertRight(recur, tape);
        assertEquals(frozen == 4 ? 0 : 3, gradients(recur, tape).size());
        Tensor x = Cells.input(tape, 1, IN, BATCH, 4);
        tape.backward(recur.apply(x).sum());
        Tensor same = Cells.input(tape, 1, IN, BATCH, 4);
        tape.backward(recur.fork().stepwise().apply(same).sum());
        recur.reset();
      }
    }
  }

  /** One Recur, on tapes that record and that do not, in turn. */
  @Test
  void dropoutIsOnAndOffInTurn() {
    Parameter w = Parameter.glorot(OUT, IN).named("W");
    Recur recur =
        new Recur(
                (h, x) -> {
                  Tensor y = sigmoid(w.matmul(x).add(Drop.dropout(h, 0.5f)));
                  return Step.step(y, Drop.dropout(y, 0.3f));
                },
                Parameter.of(Shape.of(OUT, 1), 1, 2, 3, 4, 5).named("h0"),
                w)
            .on(here, 1)
            .requireCompiled();
    try (Tape tape = Tape.on(here);
        Tape inference = Tape.inference(here)) {
      float[] dropped = outputs(recur, tape);
      float[] whole = outputs(recur, inference);
      assertFalse(Arrays.equals(dropped, whole));
      for (int turn = 0; turn < 2; turn++) {
        near("dropped", dropped, outputs(recur, tape), FLOAT);
        near("whole", whole, outputs(recur, inference), FLOAT);
        near("whole", whole, tape.withoutGradient(() -> outputs(recur, tape)), FLOAT);
        assertRight(recur, tape);
        near("steps", whole, outputs(recur.fork().stepwise(), inference), FLOAT);
      }
    }
    assertTrue(recur.explain().lines().skip(1).allMatch(line -> line.contains("compiled")));
  }
}

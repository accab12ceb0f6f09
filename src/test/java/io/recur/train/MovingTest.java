package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models, states and checkpoints between the processor and the device of this run. */
class MovingTest {
  private static final int CLASSES = 5;

  /** Values whose bits a copy may lose: a signed zero, subnormals, a NaN with a payload. */
  private static final float[] AWKWARD = {
    -0f, Float.MIN_VALUE, 0x1p-130f, Float.MAX_VALUE, 1 / 3f, Float.intBitsToFloat(0x7fc12345)
  };

  @TempDir private Path folder;
  @AutoClose private final Device cpu = Device.cpu();
  @AutoClose private final Device here = Devices.here();

  private final Streams streams =
      new Streams(new Random(7).ints(400, 0, CLASSES).toArray(), CLASSES, 3, 8);

  /** A way from one device to the other. */
  private record Way(Device from, Device to) {}

  private Stream<Way> ways() {
    return Stream.of(new Way(cpu, here), new Way(here, cpu));
  }

  static Stream<Class<? extends Optimiser>> optimisers() {
    return Stream.of(Sgd.class, Adam.class, AmsGrad.class);
  }

  private static Optimiser optimiser(Class<? extends Optimiser> kind) {
    return kind == Sgd.class
        ? new Sgd(0.1f)
        : kind == Adam.class ? new Adam(0.01f) : new AmsGrad(0.01f);
  }

  private static Chain model() {
    return chain(lstm(CLASSES, 7), dropout(0.3f), gru(7, 6), dense(6, CLASSES));
  }

  private static Chain model(Device device, long seed) {
    return model().on(device, seed);
  }

  private void train(Chain model, Optimiser optimiser, Device device, int from, int to) {
    try (Tape tape = Tape.on(device)) {
      new Trainer(model, optimiser, tape)
          .clipNorm(1)
          .pass(
              from,
              to,
              i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i)));
    }
  }

  private static void assertSameBits(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(
          Float.floatToRawIntBits(expected[i]), Float.floatToRawIntBits(actual[i]), "value " + i);
    }
  }

  @Test
  void copiedParametersKeepTheirBits() {
    ways()
        .forEach(
            way -> {
              Parameter first = Parameter.of(Shape.of(AWKWARD.length), AWKWARD);
              Single model = new Single(first);
              model.on(way.from, 0);
              Parameter second = Parameter.zeros(Shape.of(AWKWARD.length));
              Single twin = new Single(second);
              twin.on(way.to, 0);
              twin.parameters().copyFrom(model.parameters());
              assertSameBits(AWKWARD, first.toArray());
              assertSameBits(AWKWARD, second.toArray());
            });
  }

  @Test
  void theSameSeedGivesTheSameModelOnBothDevices() {
    Map<String, Parameter> there = model(here, 42).parameters().named();
    model(cpu, 42)
        .parameters()
        .named()
        .forEach((name, p) -> assertSameBits(p.toArray(), there.get(name).toArray()));
  }

  @Test
  void aModelOfAnotherStructureIsRefusedAndNothingChanges() {
    Chain model = model(here, 1);
    float[] before = model.parameters().named().get("0.Wi").toArray();
    Chain wider = chain(lstm(CLASSES, 7), gru(7, 9), dense(9, CLASSES)).on(cpu, 2);
    Chain shorter = chain(lstm(CLASSES, 7), gru(7, 6)).on(cpu, 2);
    Thrown.says(
        ShapeException.class,
        () -> model.parameters().copyFrom(wider.parameters()),
        "copyFrom: parameter 1.Wi is 18×7 here and 27×7 there; build both models alike");
    Thrown.says(
        ShapeException.class,
        () -> model.parameters().copyFrom(shorter.parameters()),
        "is 5×6 here and none there");
    Thrown.says(
        ShapeException.class,
        () -> shorter.parameters().copyFrom(model.parameters()),
        "copyFrom: 9 parameters here, 11 there");
    Thrown.says(
        IllegalStateException.class,
        () -> model.parameters().copyFrom(model().parameters()),
        "no memory yet");
    assertSameBits(before, model.parameters().named().get("0.Wi").toArray());
  }

  /** Parameters, moments, states, step: saved, loaded on the other device and saved again. */
  @ParameterizedTest
  @MethodSource("optimisers")
  void aCheckpointKeepsItsBits(Class<? extends Optimiser> kind) {
    ways().forEach(way -> move(kind, way));
  }

  private void move(Class<? extends Optimiser> kind, Way way) {
    Path saved = folder.resolve("saved.safetensors");
    Path again = folder.resolve("again.safetensors");
    Chain first = model(way.from, 1);
    Optimiser its = optimiser(kind);
    train(first, its, way.from, 0, 3);
    Chain second = model(way.to, 99);
    Optimiser other = optimiser(kind);
    try {
      Checkpoint.save(saved, first, its, Map.of("chunk", "3"));
      Map<String, String> facts = Checkpoint.load(saved, second, other);
      Checkpoint.save(again, second, other, Map.of("chunk", facts.get("chunk")));
      assertArrayEquals(Files.readAllBytes(saved), Files.readAllBytes(again));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    assertFalse(second.recurs().getFirst().isFresh());
    train(second, other, way.to, 3, 6); // and it continues there
    assertEquals(6, other.steps());
  }

  @Test
  void aSnapshotKeepsItsBits() {
    ways()
        .forEach(
            way -> {
              Chain first = model(way.from, 1);
              train(first, new Sgd(0.1f), way.from, 0, 2);
              byte[] session = first.save().toBytes();
              Chain second = model(way.to, 1);
              second.restore(Snapshot.of(session));
              assertArrayEquals(session, second.save().toBytes());
            });
  }

  @Test
  void aPlacedModelStaysOnItsDevice() {
    Chain model = model(here, 1);
    Thrown.says(
        IllegalStateException.class,
        () -> model.on(cpu, 1),
        "is on " + here,
        "not on " + cpu,
        "parameters().copyFrom(");
  }

  @Test
  void tensorsOfTwoDevicesDoNotMeet() {
    ways()
        .forEach(
            way -> {
              Parameter p = Parameter.of(Shape.of(2), 1, 2).on(way.from);
              try (Tape tape = Tape.on(way.to);
                  Tape other = Tape.on(way.from)) {
                Thrown.says(
                    IllegalStateException.class,
                    () -> tape.input(1, 2).add(p),
                    "add: a tensor 2 is on " + way.from,
                    "and the tape on " + way.to,
                    "make the tape on the model's device");
                Thrown.says(
                    IllegalStateException.class,
                    () -> tape.input(1, 2).mul(other.input(1, 2)),
                    "on two tapes");
              }
            });
  }

  @Test
  void aModelIsNotTrainedByATapeOfAnotherDevice() {
    ways()
        .forEach(
            way -> {
              Chain model = model(way.from, 1);
              List<float[]> before =
                  model.parameters().named().values().stream().map(Parameter::toArray).toList();
              Thrown.says(
                  IllegalStateException.class,
                  () -> train(model, new Sgd(0.1f), way.to, 0, 1),
                  "is on " + way.from,
                  "and the tape on " + way.to);
              List<float[]> after =
                  model.parameters().named().values().stream().map(Parameter::toArray).toList();
              for (int i = 0; i < before.size(); i++) {
                assertSameBits(before.get(i), after.get(i));
              }
            });
  }
}

package io.recur.io;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.GRUCell;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.train.Adam;
import io.recur.train.Checkpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsTest {
  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("model.safetensors");
  }

  private static float[] values(Layer model, String name) {
    return model.parameters().named().get(name).toArray();
  }

  /** Fails unless one message has all the facts and nothing has changed. */
  private void assertRefused(Layer model, String... facts) {
    model.on(device, 2);
    List<float[]> before =
        model.parameters().named().values().stream().map(Parameter::toArray).toList();
    for (boolean isCheckpoint : new boolean[] {false, true}) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> {
                if (isCheckpoint) {
                  Checkpoint.load(file, model, null);
                } else {
                  Weights.load(file, model);
                }
              });
      assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
      for (String fact : facts) {
        assertTrue(e.getMessage().contains(fact), e.getMessage());
      }
    }
    int i = 0;
    for (Parameter parameter : model.parameters()) {
      assertArrayEquals(before.get(i++), parameter.toArray());
    }
  }

  @Test
  void whatIsSavedIsLoadedAndFactsComeBack() throws IOException {
    Chain model = chain(lstm(3, 5), dense(5, 2)).on(device, 1);
    Weights.save(file, model, Map.of("name", "value"));
    Chain other = chain(lstm(3, 5), dense(5, 2)).on(device, 2);
    assertEquals(Map.of("name", "value"), Weights.load(file, other));
    for (String name : model.parameters().named().keySet()) {
      assertArrayEquals(values(model, name), values(other, name));
    }
  }

  /** For use, a model comes without the optimiser and the batch of its training. */
  @Test
  void aTrainingIsLoadedWithoutOptimiserAndStates() throws IOException {
    Chain model = chain(lstm(3, 5), dense(5, 2)).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      model.apply(tape.input(Shape.of(3, 4), new float[12]));
    }
    Checkpoint.save(file, model, new Adam(0.1f), Map.of("step", "7"));
    Chain other = chain(lstm(3, 5), dense(5, 2)).on(device, 2);
    assertEquals("7", Weights.load(file, other).get("step"));
    assertTrue(other.recurs().getFirst().isFresh());
    assertArrayEquals(values(model, "0.Wi"), values(other, "0.Wi"));
  }

  @Test
  void tensorsThatTheModelHasNotAreRefused() throws IOException {
    Matrix wi = Matrix.dense(24, 5);
    Matrix wh = Matrix.dense(24, 8);
    GRUCell cell =
        new GRUCell(
            wi,
            wh,
            Parameter.zeros(Shape.of(24)),
            Parameter.zeros(Shape.of(8)),
            Parameter.zeros(Shape.of(8, 1)));
    Checkpoint.save(file, chain(new Recur(cell), dense(8, 3)).on(device, 1), null, Map.of());
    assertRefused(chain(gru(5, 8), dense(8, 3)), "0.bh is in the file and not in the model");

    Checkpoint.save(file, chain(lstm(5, 8), lstm(8, 8), dense(8, 5)).on(device, 1), null, Map.of());
    assertRefused(chain(lstm(5, 8), lstm(8, 8)), "2.W is in the file", "2.b is in the file");
    assertRefused(chain(lstm(5, 8)), "1 layers with parameters are in the model and 3 in the file");
    assertRefused(lstm(5, 8), "parameter Wi is 32×5 in the model and nothing in the file");
  }

  @Test
  void factsMayBeLeftOut() throws IOException {
    Chain model = chain(lstm(5, 8)).on(device, 1);
    Weights.save(file, model);
    Chain other = chain(lstm(5, 8)).on(device, 2);
    assertEquals(Map.of(), Weights.load(file, other));
    assertArrayEquals(
        model.parameters().iterator().next().toArray(),
        other.parameters().iterator().next().toArray());
  }

  @Test
  void allDifferencesStandInOneMessage() throws IOException {
    Weights.save(file, chain(lstm(5, 8), dense(8, 5)).on(device, 1), Map.of());
    assertRefused(
        chain(gru(5, 8), dense(8, 6)),
        "layer 0 is Recur(GRUCell(5 => 8)) in the model and Recur(LSTMCell(5 => 8)) in the file",
        "layer 1 is Dense(8 => 6) in the model and Dense(8 => 5) in the file",
        "parameter 0.Wi is 24×5 in the model and 32×5 in the file",
        "parameter 1.b is 6 in the model and 5 in the file",
        "0.c0 is in the file and not in the model");
  }

  @Test
  void anotherFunctionOrCellOfTheSameSizesIsRefused() throws IOException {
    Weights.save(file, chain(rnn(5, 8), dense(8, 5)).on(device, 1), Map.of());
    assertRefused(
        chain(rnn(5, 8, Elementwise.RELU), dense(8, 5)), "layer 0 is", "relu", "in the file");
    assertRefused(
        chain(rnn(5, 8), dense(8, 5, Elementwise.TANH)), "layer 1 is Dense(8 => 5, tanh)");
  }

  /** A cell of one's own that leaves toString to Object. */
  private static final class Decay implements Cell {
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

  @Test
  void aCellWithoutANameOfItsOwnIsKnownByItsClass() throws IOException {
    Weights.save(file, chain(new Recur(new Decay())).on(device, 1), Map.of());
    Weights.load(file, chain(new Recur(new Decay())).on(device, 2));
  }

  @Test
  void weightsThatAreNotFiniteAreRefusedUnlessAllowedByName() throws IOException {
    Chain model = chain(rnn(5, 8), dense(8, 5)).on(device, 1);
    for (String name : List.of("0.Wi", "1.b")) {
      float[] values = values(model, name);
      values[3] = name.equals("0.Wi") ? Float.NaN : Float.NEGATIVE_INFINITY;
      model.parameters().named().get(name).value().write(values);
    }
    Weights.save(file, model, Map.of());
    assertRefused(
        chain(rnn(5, 8), dense(8, 5)), "weights are not finite: 0.Wi (value 3), 1.b (value 3)");
    Chain other = chain(rnn(5, 8), dense(8, 5)).on(device, 2);
    assertThrows(IllegalArgumentException.class, () -> Weights.load(file, other, "0.Wi"));
    Weights.load(file, other, "0.Wi", "1.b");
    assertTrue(Float.isNaN(values(other, "0.Wi")[3]));
  }

  @Test
  void matchingParametersAreTakenAndTheOthersNamed() throws IOException {
    Chain model = chain(lstm(5, 8), dense(8, 5)).on(device, 1);
    Weights.save(file, model, Map.of());
    Chain other = chain(lstm(5, 8), dense(8, 7), dense(7, 2)).on(device, 2);
    float[] kept = values(other, "1.W");
    assertEquals(List.of("1.W", "1.b", "2.W", "2.b"), Weights.loadMatching(file, other));
    assertArrayEquals(values(model, "0.Wi"), values(other, "0.Wi"));
    assertArrayEquals(kept, values(other, "1.W"));
    assertEquals(
        List.of("W", "b", "0.Wi", "0.Wh", "0.b", "0.h0", "0.c0", "1.W", "1.b"),
        Weights.loadMatching(file, dense(8, 5).on(device, 3)));
  }

  @Test
  void namesThatAFileNeedsForItselfAreNotTaken() {
    Chain model = chain(dense(2, 2)).on(device, 1);
    for (String name : List.of("format", "recur.layers", "optimiser", "optimiser.rate")) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Checkpoint.save(file, model, null, Map.of(name, "mine")));
      assertTrue(e.getMessage().contains(name), e.getMessage());
    }
    for (String name : List.of("optimiser.0", "state.0.0")) {
      Own own = new Own(List.of(Parameter.glorot(2, 2).named(name)));
      own.on(device, 1);
      assertThrows(IllegalArgumentException.class, () -> Weights.save(file, own, Map.of()));
    }
    assertFalse(Files.exists(file));
  }

  /** A layer of parameters of any name. */
  private record Own(List<Parameter> own) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return x;
    }
  }

  @Test
  void parametersOfOneNameAreAllKept() {
    List<Parameter> three =
        List.of(
            Parameter.glorot(2, 2).named("a"),
            Parameter.glorot(2, 2).named("a.2"),
            Parameter.glorot(2, 2).named("a"));
    assertEquals(
        List.of("a", "a.2", "a.3"), List.copyOf(new Own(three).parameters().named().keySet()));
  }

  /** Of another program, in half precision. */
  @Test
  void aFileOfAnotherProgramIsLoadedByNamesAndSizes() throws IOException {
    byte[] json =
        """
        {"W":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},\
        "b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}"""
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(16 + json.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json).putShort((short) 0x3e00).putShort((short) 0xc000);
    bytes.putShort((short) 0x3fc0).putShort((short) 0xc000);
    Files.write(file, bytes.array());
    Layer model = dense(1, 2).on(device, 1);
    Weights.load(file, model);
    assertArrayEquals(new float[] {1.5f, -2}, values(model, "W"));
    assertArrayEquals(new float[] {1.5f, -2}, values(model, "b"));
  }

  /** 68 MB of weights with 135 MB of Adam's memory, saved and loaded with 64 MB of heap. */
  @Test
  void aFileMayBeLargerThanTheHeap() throws Exception {
    String[] arguments = {file.toString()};
    assertEquals(
        "loaded 203",
        ChildJvm.run(Large.class, List.of("-Xmx64m", "-XX:MaxDirectMemorySize=1g"), arguments));
  }

  /** A program. */
  static final class Large {
    private Large() {}

    private static Chain model(Device device, long seed) {
      return chain(lstm(16, 2048), dense(2048, 16)).on(device, seed);
    }

    public static void main(String[] arguments) throws IOException {
      Path path = Path.of(arguments[0]);
      try (Device device = Device.cpu(1)) {
        Chain model = model(device, 1);
        Checkpoint.save(path, model, new Adam(0.1f), Map.of());
        Chain other = model(device, 2);
        Checkpoint.load(path, other, null);
        Checkpoint.load(path, other, new Adam(0.2f));
        Weights.load(path, other);
        String name = "0.b";
        assertArrayEquals(values(model, name), values(other, name));
        System.out.println("loaded " + Files.size(path) / 1_000_000);
      }
    }
  }
}

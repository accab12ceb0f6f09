package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.io.Safetensors;
import io.recur.io.StoredTensor;
import io.recur.nn.Chain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
  private static final int CLASSES = 5;

  @TempDir Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  private final Streams streams =
      new Streams(new Random(7).ints(400, 0, CLASSES).toArray(), CLASSES, 3, 8);

  static Stream<Supplier<Optimiser>> optimisers() {
    return Stream.of(
        () -> new Sgd(0.1f),
        () -> new Momentum(0.1f),
        () -> new Nesterov(0.1f),
        () -> new RmsProp(0.01f),
        () -> new Adam(0.01f),
        () -> new AdamW(0.01f, 0.01f),
        () -> new AdaGrad(0.1f),
        AdaDelta::new,
        () -> new AdaMax(0.01f),
        () -> new NAdam(0.01f),
        () -> new AmsGrad(0.01f));
  }

  private Chain model(long seed) {
    return chain(lstm(CLASSES, 7), dropout(0.3f), gru(7, 6), dense(6, CLASSES)).on(device, seed);
  }

  private List<Float> losses(Chain model, Optimiser optimiser, int from, int to) {
    List<Float> losses = new ArrayList<>();
    Trainer trainer =
        new Trainer(model, optimiser, tape)
            .clipNorm(1)
            .seed(11)
            .schedule(Schedule.cosine(0.01f, 3, 20))
            .onStep(step -> losses.add(step.loss()));
    trainer.pass(
        from, to, i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i)));
    return losses;
  }

  /** Parameters, moments, states, the optimiser's step and dropout's coins continue bit for bit. */
  @ParameterizedTest
  @MethodSource("optimisers")
  void aResumedTrainingHasTheLossesOfAnUnbrokenOne(Supplier<Optimiser> make) throws IOException {
    List<Float> unbroken = losses(model(1), make.get(), 0, 12);

    Chain first = model(1);
    Optimiser optimiser = make.get();
    List<Float> resumed = losses(first, optimiser, 0, 5);
    Path file = folder.resolve("at5.safetensors");
    Checkpoint.save(file, first, optimiser, Map.of("chunk", "5"));

    Chain second = model(99);
    Optimiser fresh = make.get();
    Map<String, String> facts = Checkpoint.load(file, second, fresh);
    resumed.addAll(losses(second, fresh, Integer.parseInt(facts.get("chunk")), 12));
    assertEquals(unbroken, resumed);
  }

  @Test
  void freshStatesStayFresh() throws IOException {
    Chain model = model(1);
    Path file = folder.resolve("fresh.safetensors");
    Checkpoint.save(file, model, null);
    Chain other = model(2);
    losses(other, new Sgd(0.1f), 0, 1);
    assertEquals(Map.of(), Checkpoint.load(file, other, null));
    assertTrue(other.recurs().stream().allMatch(recur -> recur.isFresh()));
  }

  @Test
  void anotherModelIsRefusedAndNothingChanges() throws IOException {
    Chain model = model(1);
    Path file = folder.resolve("a.safetensors");
    Checkpoint.save(file, model, new Adam(0.1f), Map.of());
    Chain other = chain(lstm(CLASSES, 7), gru(7, 5), dense(5, CLASSES)).on(device, 2);
    List<float[]> before = values(other);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Checkpoint.load(file, other, new Adam(0.1f)));
    assertTrue(e.getMessage().contains("1.Wi is 15×7 in the model and 18×7"), e.getMessage());
    List<float[]> after = values(other);
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
  }

  private static List<float[]> values(Chain model) {
    List<float[]> values = new ArrayList<>();
    for (Parameter parameter : model.parameters()) {
      values.add(parameter.toArray());
    }
    return values;
  }

  /** A file with parameters that fit, and states, moments or numbers that do not. */
  @ParameterizedTest
  @ValueSource(strings = {"state.0.0", "state.0.1", "optimiser.0", "optimiser.1"})
  void aDamagedPartIsRefusedAndNothingChanges(String part) throws IOException {
    Chain model = model(1);
    Adam adam = new Adam(0.01f);
    losses(model, adam, 0, 2);
    Path file = folder.resolve("a.safetensors");
    Checkpoint.save(file, model, adam, Map.of());
    try (Safetensors content = Safetensors.read(file)) {
      Map<String, StoredTensor> tensors = new LinkedHashMap<>(content.tensors());
      tensors.put(part, new StoredTensor(new int[] {4, 1}, new float[4]));
      new Safetensors(content.metadata(), tensors).write(file);
    }
    assertTrue(assertRefused(file).contains(part));
  }

  @ParameterizedTest
  @ValueSource(strings = {"optimiser.steps", "optimiser.rate"})
  void aDamagedNumberIsRefusedAndNothingChanges(String name) throws IOException {
    Chain model = model(1);
    Path file = folder.resolve("a.safetensors");
    Checkpoint.save(file, model, new Adam(0.01f), Map.of());
    for (String wrong : List.of("-x", "-1", "1E999", "NaN", "Infinity", "")) {
      try (Safetensors content = Safetensors.read(file)) {
        Map<String, String> metadata = new LinkedHashMap<>(content.metadata());
        metadata.put(name, wrong);
        new Safetensors(metadata, content.tensors()).write(file);
      }
      assertTrue(assertRefused(file).contains(name + "=" + wrong));
    }
  }

  private String assertRefused(Path file) {
    Chain other = model(2);
    Adam its = new Adam(0.5f);
    losses(other, its, 0, 1);
    List<float[]> values = values(other);
    List<float[]> moments = its.save(other.parameters());
    byte[] states = other.save().toBytes();
    IllegalArgumentException refusal =
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.load(file, other, its));
    assertTrue(refusal.getMessage().startsWith(file + ": "), refusal.getMessage());
    assertSame(values, values(other));
    assertSame(moments, its.save(other.parameters()));
    assertArrayEquals(states, other.save().toBytes());
    assertEquals(1, its.steps());
    return refusal.getMessage();
  }

  private static void assertSame(List<float[]> before, List<float[]> after) {
    assertEquals(before.size(), after.size());
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
  }

  @Test
  void anotherOptimiserIsRefused() throws IOException {
    Chain model = model(1);
    Path file = folder.resolve("a.safetensors");
    Checkpoint.save(file, model, new Adam(0.1f), Map.of());
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Checkpoint.load(file, model, new Sgd(0.1f)));
    assertTrue(e.getMessage().contains("optimiser=Adam, asked for Sgd"), e.getMessage());
  }

  @Test
  void aForeignFileIsRefused() throws IOException {
    Path file = folder.resolve("foreign.safetensors");
    new Safetensors(Map.of("format", "pt"), Map.of()).write(file);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.load(file, model(1), null));
    assertTrue(e.getMessage().contains("format=pt"), e.getMessage());
    assertTrue(Files.exists(file));
  }

  @Test
  void aLossThatIsNotFiniteStopsBeforeTheParametersChange() {
    Chain model = model(1);
    List<float[]> before = values(model);
    Trainer trainer = new Trainer(model, new Sgd(0.1f), tape);
    ArithmeticException e =
        assertThrows(
            ArithmeticException.class,
            () ->
                trainer.pass(
                    0,
                    1,
                    i ->
                        crossEntropy(
                            model.apply(streams.input(tape, i)).scale(Float.NaN),
                            streams.target(tape, i))));
    assertTrue(e.getMessage().contains("loss=NaN"), e.getMessage());
    List<float[]> after = values(model);
    for (int i = 0; i < before.size(); i++) {
      assertArrayEquals(before.get(i), after.get(i));
    }
    assertEquals(1, losses(model, new Sgd(0.1f), 0, 1).size()); // and it can continue
  }

  /** A flipped bit in any byte of the header is refused, whatever the header then says. */
  @Test
  void everyFlippedBitOfTheHeaderIsRefused() throws IOException {
    Chain model = chain(lstm(CLASSES, 2)).on(device, 1);
    Adam adam = new Adam(0.01f);
    model.apply(streams.input(tape, 0));
    Path file = folder.resolve("good.safetensors");
    Checkpoint.save(file, model, adam, Map.of("seed", "42"));
    byte[] good = Files.readAllBytes(file);
    long header = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Path damaged = folder.resolve("damaged.safetensors");
    for (int bit = 0; bit < 8 * (8 + header); bit += 3) {
      byte[] bytes = good.clone();
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(damaged, bytes);
      assertThrows(
          IllegalArgumentException.class,
          () -> Checkpoint.load(damaged, model, adam),
          "bit " + bit);
    }
    model.truncate();
    tape.clear();
  }

  @Test
  void aRateThatIsNotFiniteIsRefused() {
    for (float rate : new float[] {Float.POSITIVE_INFINITY, Float.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new Adam(rate));
      assertThrows(IllegalArgumentException.class, () -> new Sgd(0.1f).rate(rate));
    }
  }

  @Test
  void smallAndLargeRatesComeBack() throws IOException {
    Chain model = model(1);
    Path file = folder.resolve("rates.safetensors");
    for (float rate : new float[] {1e-10f, 1e10f, Float.MIN_VALUE, Float.MAX_VALUE}) {
      Adam adam = new Adam(rate);
      Checkpoint.save(file, model, adam, Map.of());
      Adam other = new Adam(1);
      Checkpoint.load(file, model, other);
      assertEquals(rate, other.rate());
    }
  }
}

package io.recur.train;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.MeanSquaredError;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.nn.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FitTest {
  private static final int TIME = 4;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @TempDir private Path folder;

  private Chain model() {
    return chain(gru(2, 6), dropout(0.2f), dense(6, 2)).on(device, 3);
  }

  /** Example i is a wave of its own; what follows it is to be predicted. */
  private static Tensor loss(Chain model, Tape tape, int... examples) {
    int batch = examples.length;
    float[] x = new float[2 * batch * TIME];
    float[] y = new float[2 * batch * TIME];
    for (int t = 0; t < TIME; t++) {
      for (int b = 0; b < batch; b++) {
        for (int i = 0; i < 2; i++) {
          x[(t * batch + b) * 2 + i] = (float) Math.sin(0.7 * t + 0.3 * examples[b] + i);
          y[(t * batch + b) * 2 + i] = (float) Math.sin(0.7 * (t + 1) + 0.3 * examples[b] + i);
        }
      }
    }
    Shape shape = Shape.of(2, batch, TIME);
    return MeanSquaredError.meanSquaredError(
        model.apply(tape.input(shape, x)), tape.input(shape, y));
  }

  /** A training with all that is carried from pass to pass, and what it has seen. */
  private final class Training {
    final Chain model = model();
    final Average average = new Average(model.parameters(), 0.8f);
    final List<Fit.Pass> passes = new ArrayList<>();
    final Trainer trainer =
        new Trainer(model, new Adam(0.02f), tape)
            .seed(9)
            .clipNorm(1)
            .accumulate(2)
            .average(average);
    final Fit fit =
        trainer
            .fit(
                Batches.shuffled(22, 4, (t, examples) -> loss(model, t, examples)),
                Batches.inOrder(7, 3, (t, examples) -> loss(model, t, examples)))
            .patience(4)
            .plateau(new Plateau(Schedule.cosine(0.02f, 3, 60, 0.001f), 0.5f, 0))
            .progress(passes::add);

    Map<String, float[]> weights() {
      return values(model.parameters());
    }
  }

  private static Map<String, float[]> values(Parameters parameters) {
    Map<String, float[]> values = new java.util.LinkedHashMap<>();
    parameters.named().forEach((name, p) -> values.put(name, p.toArray()));
    return values;
  }

  private static void assertSame(Map<String, float[]> expected, Map<String, float[]> found) {
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
  }

  @Test
  void aResumedTrainingIsTheOneThatRanThroughBitForBit() throws IOException {
    Training through = new Training();
    through.fit.run(8);
    assertTrue(through.passes.getLast().loss() < 0.8 * through.passes.getFirst().loss());
    for (int stop = 1; stop < 8; stop += 3) {
      Path file = folder.resolve("training-" + stop + ".safetensors");
      Training first = new Training();
      first.fit.saveTo(file).run(stop);
      Training second = new Training();
      second.model.parameters().iterator().next().value().write(new float[2 * 18]);
      second.fit.resume(file);
      assertEquals(stop, second.fit.passes());
      second.fit.run(8);
      List<Fit.Pass> both = new ArrayList<>(first.passes);
      both.addAll(second.passes);
      assertEquals(through.passes, both);
      assertSame(through.weights(), second.weights());
      assertSame(values(through.average.parameters()), values(second.average.parameters()));
      second.fit.restoreBest();
      Training whole = new Training();
      whole.fit.run(8);
      whole.fit.restoreBest();
      assertSame(whole.weights(), second.weights());
    }
  }

  @Test
  void theOrderIsShuffledAnewForEachPass() {
    List<List<Integer>> seen = new ArrayList<>();
    Chain model = model();
    Fit fit =
        new Trainer(model, new Sgd(0.01f), tape)
            .fit(
                Batches.shuffled(
                    10,
                    4,
                    (t, examples) -> {
                      seen.add(java.util.Arrays.stream(examples).boxed().toList());
                      return loss(model, t, examples);
                    }));
    fit.run(2);
    assertEquals(List.of(4, 4, 2, 4, 4, 2), seen.stream().map(List::size).toList());
    for (int pass = 0; pass < 2; pass++) {
      List<Integer> all =
          seen.subList(3 * pass, 3 * pass + 3).stream().flatMap(List::stream).sorted().toList();
      assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), all);
    }
    assertFalse(seen.subList(0, 3).equals(seen.subList(3, 6)));
  }

  /** A fit whose validation has these losses, one per pass. */
  private Fit scripted(Chain model, double... losses) {
    int[] pass = {0};
    return new Trainer(model, new Sgd(0.1f), tape)
        .fit(
            Batches.inOrder(4, 2, (t, examples) -> loss(model, t, examples)),
            Batches.inOrder(1, 1, (t, examples) -> t.input((float) losses[pass[0]++])));
  }

  /** Of 5 batches, 2 per step, the last step has one. */
  @Test
  void theLossOfAPassIsTheMeanOfItsSteps() {
    Chain model = model();
    List<Float> steps = new ArrayList<>();
    Fit.Pass pass =
        new Trainer(model, new Sgd(0.01f), tape)
            .accumulate(2)
            .onStep(event -> steps.add(event.loss()))
            .fit(Batches.inOrder(5, 1, (t, examples) -> loss(model, t, examples)))
            .run(1);
    assertEquals(3, steps.size());
    assertEquals(
        steps.stream().mapToDouble(loss -> loss).average().orElseThrow(), pass.loss(), 1e-12);
  }

  @Test
  void patienceStopsAndTheBestWeightsComeBack() {
    Chain model = model();
    List<Map<String, float[]>> weights = new ArrayList<>();
    Fit fit =
        scripted(model, 5, 4, 4.5, Double.NaN, 4, 3)
            .patience(3)
            .onPass(pass -> weights.add(values(model.parameters())));
    Fit.Pass last = fit.run(100);
    assertEquals(5, last.number());
    assertEquals(10, last.step());
    assertEquals(Math.exp(4), last.perplexity(), 1e-12);
    assertEquals(4, fit.bestLoss());
    assertNull(fit.run(100)); // it stays stopped
    fit.restoreBest();
    assertSame(weights.get(1), values(model.parameters()));
    assertFalse(java.util.Arrays.equals(weights.get(4).get("0.Wi"), weights.get(1).get("0.Wi")));
  }

  @Test
  void listenersStopATraining() {
    Chain model = model();
    Fit fit = scripted(model, 5, 4, 3, 2).onPass(pass -> pass.number() < 2);
    assertEquals(2, fit.run(100).number());
    assertEquals(3, fit.onPass(pass -> true).run(3).number());
    Trainer trainer = new Trainer(model, new Sgd(0.1f), tape).onStep(event -> event.step() < 3);
    Fit stopped = trainer.fit(Batches.inOrder(4, 2, (t, examples) -> loss(model, t, examples)));
    assertEquals(1, stopped.run(100).number()); // the second pass stopped within
    assertEquals(1, stopped.passes());
  }

  @Test
  void aValidationChangesNothingInTheTraining() {
    List<Double> losses = new ArrayList<>();
    for (boolean validated : new boolean[] {false, true}) {
      Chain model = model();
      Batches chunks = Batches.carried(3, (t, chunk) -> loss(model, t, chunk[0]));
      Fit fit =
          new Trainer(model, new Adam(0.01f), tape)
              .fit(chunks, validated ? chunks : null)
              .progress(pass -> losses.add(pass.loss()));
      fit.run(3);
    }
    assertEquals(losses.subList(0, 3), losses.subList(3, 6));
  }

  @Test
  void theAverageIsValidatedAndKept() {
    Chain model = model();
    Average average = new Average(model.parameters(), 0.5f);
    List<Map<String, float[]>> validated = new ArrayList<>();
    Fit fit =
        new Trainer(model, new Sgd(0.1f), tape)
            .average(average)
            .fit(
                Batches.inOrder(4, 2, (t, examples) -> loss(model, t, examples)),
                Batches.inOrder(
                    1,
                    1,
                    (t, examples) -> {
                      validated.add(values(model.parameters()));
                      return t.input(1f);
                    }));
    fit.run(1);
    assertSame(validated.getFirst(), values(average.parameters()));
    assertFalse(
        java.util.Arrays.equals(
            validated.getFirst().get("0.Wi"), values(model.parameters()).get("0.Wi")));
    fit.restoreBest();
    assertSame(validated.getFirst(), values(model.parameters()));
  }

  @Test
  void aLogHasALinePerPass() throws IOException {
    Path csv = folder.resolve("log.csv");
    Chain model = model();
    Confusion confusion = new Confusion(2);
    Fit fit =
        new Trainer(model, new Sgd(0.5f), tape)
            .fit(
                Batches.inOrder(2, 2, (t, examples) -> loss(model, t, examples)),
                Batches.inOrder(
                    2,
                    1,
                    (t, examples) -> {
                      confusion.add(t.input(1, 0), examples[0]);
                      return t.input(examples[0]);
                    }))
            .measure("accuracy", confusion, Confusion::accuracy)
            .measure("a, b", confusion, Confusion::total)
            .log(csv);
    Fit.Pass pass = fit.run(2);
    List<String> lines = Files.readAllLines(csv);
    assertEquals("pass,step,loss,validation,rate,accuracy,\"a, b\"", lines.getFirst());
    assertEquals("2,2," + pass.loss() + ",0.5,0.5,0.5,2.0", lines.getLast());
    assertEquals(Map.of("accuracy", 0.5, "a, b", 2.0), pass.measures());
    assertTrue(pass.toString().contains("validation 0.5"), pass.toString());
    Files.write(csv, List.of("1,2,3"), java.nio.file.StandardOpenOption.APPEND); // of a killed run
    fit.run(3);
    List<String> longer = Files.readAllLines(csv);
    assertEquals(lines, longer.subList(0, 3));
    assertTrue(longer.getLast().startsWith("3,3,") && longer.size() == 4, longer::toString);
  }

  @Test
  void anotherTrainingIsRefusedAndNothingChanges() throws IOException {
    Path file = folder.resolve("a.safetensors");
    Training training = new Training();
    training.fit.saveTo(file).run(1);
    Training other = new Training();
    Map<String, float[]> before = other.weights();
    other.trainer.seed(10);
    Thrown.says(
        IllegalArgumentException.class, () -> other.fit.resume(file), "fit.seed=9, here 10");
    Chain plain = model();
    Path checkpoint = folder.resolve("b.safetensors");
    Checkpoint.save(checkpoint, plain, new Adam(0.1f), Map.of());
    Thrown.says(
        IllegalArgumentException.class, () -> other.fit.resume(checkpoint), "fit.passes=null");
    Fit withoutPlateau =
        new Trainer(plain, new Adam(0.1f), tape)
            .seed(9)
            .fit(Batches.inOrder(1, 1, (t, examples) -> loss(plain, t, examples)));
    Thrown.says(IllegalArgumentException.class, () -> withoutPlateau.resume(file), "fit.plateau=");
    assertSame(before, other.weights());
    assertEquals(0, other.fit.passes());
    Thrown.says(IllegalStateException.class, other.fit::restoreBest, "no pass had a finite loss");
    Thrown.says(IllegalArgumentException.class, () -> other.fit.patience(0), "patience=0");
    // the file of a fit is a checkpoint, and its weights load alone
    Checkpoint.load(file, plain, new Adam(0.1f));
    assertSame(training.weights(), values(plain.parameters()));
  }
}

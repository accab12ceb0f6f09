package io.recur.nn;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Greedy search, sampling and beam search against what they are by definition. */
class DecoderTest {
  private static final int SYMBOLS = 4;
  private static final int LENGTH = 6;
  private static final int END = 3;

  /** All sequences of 6 of 4 symbols: no beam is wider. */
  private static final int ALL = 4096;

  /** The double runs each operation through a queue, 20 times slower. */
  private static final int MODELS = Devices.isCpu() ? 200 : 4;

  @AutoClose private final Device device = Devices.here();

  /** A random model whose scores are far enough apart that symbols differ in likelihood. */
  private Chain model(Cells cells, long seed) {
    return chain(cells.make(SYMBOLS, 5), dense(5, SYMBOLS)).on(device, seed);
  }

  private record Found(List<Integer> symbols, double logProbability, double score) {}

  /** All sequences, each by its definition: the model alone, step by step, a fork per prefix. */
  private void search(Layer at, Tape tape, int last, Found so, double penalty, List<Found> found) {
    List<Integer> before = so.symbols();
    boolean isEnded = !before.isEmpty() && before.getLast() == END;
    if (before.size() == LENGTH || isEnded) {
      double norm = Math.pow((5.0 + before.size()) / 6, penalty);
      found.add(new Found(before, so.logProbability(), so.logProbability() / norm));
      return;
    }
    float[] scores = at.apply(tape.oneHot(Shape.of(SYMBOLS), last)).toArray();
    tape.clear();
    double sum = 0;
    for (float score : scores) {
      sum += Math.exp(score);
    }
    for (int symbol = 0; symbol < SYMBOLS; symbol++) {
      List<Integer> longer = new ArrayList<>(before);
      longer.add(symbol);
      double log = so.logProbability() + scores[symbol] - Math.log(sum);
      try (Layer fork = at.fork()) {
        search(fork, tape, symbol, new Found(longer, log, 0), penalty, found);
      }
    }
  }

  /** Every sequence is found, with its score, the best first; and a beam of one is greedy. */
  @Test
  void aBeamOfAllPrefixesIsAnExhaustiveSearch() {
    Cells[] kinds = {Cells.LSTM, Cells.GRU, Cells.RNN, Cells.CLASS};
    for (int seed = 0; seed < MODELS; seed++) {
      Chain model = model(kinds[seed % kinds.length], seed);
      double penalty = seed % 3 * 0.6;
      List<Found> all = new ArrayList<>();
      try (Layer fork = model.fork();
          Tape tape = Tape.inference(device)) {
        search(fork, tape, 1, new Found(List.of(), 0, 0), penalty, all);
      }
      Decoder decoder = new Decoder(model, SYMBOLS).endingWith(END);
      List<Decoder.Sequence> beams = decoder.beams(1, LENGTH, ALL, penalty);
      Map<List<Integer>, Double> scores = new HashMap<>();
      double before = Double.POSITIVE_INFINITY;
      for (Decoder.Sequence sequence : beams) {
        scores.put(sequence.symbols(), sequence.score());
        assertTrue(sequence.score() <= before, "seed " + seed);
        before = sequence.score();
      }
      assertEquals(all.size(), beams.size());
      for (Found found : all) {
        String what = "seed " + seed + ", " + found.symbols();
        assertTrue(scores.containsKey(found.symbols()), what);
        assertEquals(found.score(), scores.get(found.symbols()), 1e-4, what);
      }
      List<Integer> greedy = Arrays.stream(decoder.greedy(1, LENGTH)).boxed().toList();
      assertEquals(greedy, decoder.beams(1, LENGTH, 1, penalty).getFirst().symbols());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBeamOfOneIsGreedy(Cells cells) {
    for (int seed = 0; seed < 5; seed++) {
      Chain model = model(cells, seed);
      Decoder decoder = new Decoder(model, SYMBOLS).endingWith(END);
      List<Integer> greedy = Arrays.stream(decoder.greedy(seed % 3, 12)).boxed().toList();
      List<Decoder.Sequence> beams = decoder.beams(seed % 3, 12, 1, 0.6);
      assertEquals(1, beams.size());
      assertEquals(greedy, beams.getFirst().symbols());
      assertTrue(model.recurs().getFirst().isFresh(), "the model's own state stays");
    }
  }

  /** It starts where the model is, and a wider beam finds nothing worse. */
  @Test
  void aBeamStartsFromThePresentState() {
    Chain model = model(Cells.GRU, 1);
    Decoder decoder = new Decoder(model, SYMBOLS);
    try (Tape tape = Tape.inference(device)) {
      model.apply(tape.oneHot(Shape.of(SYMBOLS), 2));
      byte[] before = model.save().toBytes();
      int[] two = decoder.greedy(0, 2);
      model.apply(tape.oneHot(Shape.of(SYMBOLS), 0));
      assertEquals(two[1], decoder.greedy(two[0], 1)[0]);
      model.restore(Snapshot.of(before));
      double one = decoder.beams(0, LENGTH, 1, 0).getFirst().logProbability();
      assertTrue(decoder.beams(0, LENGTH, ALL, 0).getFirst().logProbability() >= one - 1e-6);
      assertArrayEquals(before, model.save().toBytes());
    }
  }

  @Test
  void samplingIsReproducibleAndGreedyWhereItIsCold() {
    Chain text = chain(embedding(SYMBOLS, 3), Cells.LSTM.make(3, 5), dense(5, SYMBOLS));
    text.on(device, 3);
    Decoder decoder = new Decoder(text, SYMBOLS).endingWith(END);
    int[] drawn = decoder.sample(0, 50, Sampler.of(2), new Random(7));
    assertArrayEquals(drawn, decoder.sample(0, 50, Sampler.of(2), new Random(7)));
    int[] greedy = decoder.greedy(0, 50);
    for (Sampler cold :
        List.of(Sampler.GREEDY, Sampler.of(1).withTopK(1), Sampler.of(1).withTopP(1e-9))) {
      assertArrayEquals(greedy, decoder.sample(0, 50, cold, new Random(7)));
    }
    assertEquals(0, decoder.greedy(0, 0).length);
  }

  // The sampler.

  private static double[] shares(Sampler sampler, float... scores) {
    Random random = new Random(5);
    double[] shares = new double[scores.length];
    for (int i = 0; i < 20_000; i++) {
      shares[sampler.choose(scores, random)] += 1 / 20_000.0;
    }
    return shares;
  }

  /** Shares of 20 000 draws: a deviation of 0.0035, of which 0.02 is more than 5. */
  @Test
  void symbolsAreDrawnByTheirProbabilities() {
    float[] scores = {(float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.5)};
    assertArrayEquals(new double[] {0.1, 0.4, 0.5}, shares(Sampler.of(1), scores), 0.02);
    double all = Math.sqrt(0.1) + Math.sqrt(0.4) + Math.sqrt(0.5);
    double[] warm = {Math.sqrt(0.1) / all, Math.sqrt(0.4) / all, Math.sqrt(0.5) / all};
    assertArrayEquals(warm, shares(Sampler.of(2), scores), 0.02);
    double[] two = {0, 4 / 9.0, 5 / 9.0};
    assertArrayEquals(two, shares(Sampler.of(1).withTopK(2), scores), 0.02);
    assertArrayEquals(two, shares(Sampler.of(1).withTopP(0.8), scores), 0.02);
    assertArrayEquals(new double[] {0, 0, 1}, shares(Sampler.of(1).withTopP(0.4), scores), 1e-9);
    assertArrayEquals(
        new double[] {0, 0, 1}, shares(Sampler.of(1).withTopK(2).withTopP(0.55), scores), 1e-9);
    float most = Float.POSITIVE_INFINITY;
    assertArrayEquals(new double[] {0, 1, 0}, shares(Sampler.of(1), 3, most, -most), 1e-9);
  }

  /** A sequence that ends keeps its place among the beams. */
  @Test
  void asManySequencesAsTheWidth() {
    for (int seed = 0; seed < 20; seed++) {
      Decoder decoder = new Decoder(model(Cells.GRU, seed), SYMBOLS).endingWith(END);
      assertEquals(3, decoder.beams(1, LENGTH, 3, 0).size(), "seed " + seed);
    }
  }

  /** As many as are needed, and of those that are as likely the first ones. */
  @Test
  void equalsAreTakenInTheirOrder() {
    Chain model = model(Cells.RNN, 1);
    model.parameters().forEach(part -> part.value().write(new float[part.shape().count()]));
    List<Decoder.Sequence> beams = new Decoder(model, SYMBOLS).beams(3, 1, 2, 0);
    assertEquals(
        List.of(List.of(0), List.of(1)), beams.stream().map(Decoder.Sequence::symbols).toList());
    double[] two = {0.5, 0.5, 0, 0};
    assertArrayEquals(two, shares(Sampler.of(1).withTopP(0.5), 1, 1, 1, 1), 0.02);
    assertArrayEquals(two, shares(Sampler.of(1).withTopK(2), 1, 1, 1, 1), 0.02);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Chain model = model(Cells.RNN, 1);
    Decoder decoder = new Decoder(model, SYMBOLS);
    for (Runnable call :
        List.<Runnable>of(
            () -> new Decoder(model, 0),
            () -> decoder.endingWith(4),
            () -> decoder.endingWith(-1),
            () -> decoder.greedy(4, 1),
            () -> decoder.greedy(0, -1),
            () -> decoder.beams(0, 1, 0, 0),
            () -> decoder.beams(0, 1, 1, Double.NaN),
            () -> Sampler.of(-1),
            () -> Sampler.of(1).withTopK(0),
            () -> Sampler.of(1).withTopP(0),
            () -> Sampler.GREEDY.choose(new float[0], new Random()),
            () -> Sampler.GREEDY.choose(new float[] {Float.NaN}, new Random()))) {
      assertThrows(IllegalArgumentException.class, call::run);
    }
    assertThrows(ShapeException.class, () -> new Decoder(model, 5).greedy(0, 1));
    try (Tape tape = Tape.inference(device)) {
      model.apply(tape.oneHot(Shape.of(SYMBOLS, 2), 0, 1));
      assertThrows(ShapeException.class, () -> decoder.greedy(0, 1));
    }
  }
}

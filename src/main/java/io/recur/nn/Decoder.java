package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Writes sequences of symbols with a model that is given {@linkplain io.recur.grad.OneHot one-hot}
 * symbols and returns the scores of the next one: greedily, by sampling, or by beam search.
 *
 * <p>Each call starts from the present state of the model, of batch 1 or fresh, such as that of an
 * encoder or after a prime. It forks the model: the weights are shared, the model's state stays. A
 * sequence ends with the end symbol, which it then contains, or at the given length.
 *
 * <pre>{@code
 * Decoder decoder = new Decoder(model, 100).endingWith(0);
 * int[] likeliest = decoder.greedy(1, 50);                      // after symbol 1
 * int[] drawn = decoder.sample(1, 50, Sampler.of(0.8).withTopP(0.95), new Random(42));
 * Decoder.Sequence best = decoder.beams(1, 50, 8, 0.6).getFirst();
 * }</pre>
 */
public final class Decoder {
  /** The longest sequence. */
  private static final int MOST = 1 << 15;

  /**
   * A sequence that beam search has found.
   *
   * @param symbols without the first one, which was given
   * @param logProbability the sum of the logarithms of its symbols' probabilities
   * @param score by which sequences are ordered: logProbability / ((5 + n) / 6)^penalty
   */
  public record Sequence(List<Integer> symbols, double logProbability, double score) {
    /** Copies the list. */
    public Sequence {
      symbols = List.copyOf(symbols);
    }
  }

  private final Layer model;
  private final int symbols;
  private final int end;

  /**
   * A decoder whose sequences have no end symbol.
   *
   * @param model of one-hot symbols × batch in and scores (logits) of symbols × batch out
   * @param symbols their number, 1 or more
   * @throws IllegalArgumentException if there are no symbols
   */
  public Decoder(Layer model, int symbols) {
    this(model, symbols, -1);
  }

  private Decoder(Layer model, int symbols, int end) {
    if (symbols < 1 || end >= symbols) {
      throw new IllegalArgumentException(
          "decoder: symbols=%d, end=%d; need 1 symbol or more, and 0 ≤ end < symbols"
              .formatted(symbols, end));
    }
    this.model = model;
    this.symbols = symbols;
    this.end = end;
  }

  /**
   * A decoder whose sequences end with a symbol.
   *
   * @param symbol the end symbol, 0 ≤ symbol &lt; symbols
   * @return a decoder of the same model
   * @throws IllegalArgumentException if there is no such symbol
   */
  public Decoder endingWith(int symbol) {
    return new Decoder(model, symbols, symbol < 0 ? symbols : symbol);
  }

  /**
   * Takes the likeliest symbol at each step.
   *
   * @param first the symbol before the sequence
   * @param length the most symbols, 0 to 32 768
   * @return the sequence
   * @throws IllegalArgumentException if an argument is outside its range, or a score is NaN
   * @throws ShapeException if the model has other sizes, or a state of several columns
   */
  public int[] greedy(int first, int length) {
    return write(first, length, Sampler.GREEDY, null);
  }

  /**
   * Draws a symbol at each step.
   *
   * @param first the symbol before the sequence
   * @param length the most symbols, 0 to 32 768
   * @param sampler draws
   * @param random where its numbers come from: the same seed gives the same sequence
   * @return the sequence
   * @throws IllegalArgumentException if an argument is outside its range, or a score is NaN
   * @throws ShapeException if the model has other sizes, or a state of several columns
   */
  public int[] sample(int first, int length, Sampler sampler, RandomGenerator random) {
    return write(first, length, sampler, random);
  }

  private int[] write(int first, int length, Sampler sampler, @Nullable RandomGenerator random) {
    check(first, length);
    int[] written = new int[length];
    int n = 0;
    try (Layer writer = model.fork();
        Tape tape = Tape.inference(device())) {
      for (int symbol = first; n < length && (n == 0 || symbol != end); n++) {
        symbol = sampler.choose(scores(writer, tape, symbol), random);
        written[n] = symbol;
      }
    }
    return Arrays.copyOf(written, n);
  }

  /**
   * Keeps the likeliest sequences of each length (beam search). A sequence that ends leaves the
   * beam, which is then narrower by one; the search is over when the beam is empty. A width of 1 is
   * {@link #greedy}; a width of all sequences finds the best of all.
   *
   * @param first the symbol before the sequences
   * @param length the most symbols, 0 to 32 768
   * @param width the most sequences, 1 to 32 768
   * @param penalty α of the length penalty ((5 + n) / 6)^α, 0 or more: 0 for none, more prefers
   *     long sequences (Wu et al. 2016, arXiv:1609.08144, eq. 14)
   * @return the sequences, width at most, the best first
   * @throws IllegalArgumentException if an argument is outside its range, or a score is NaN
   * @throws ShapeException if the model has other sizes, or a state of several columns
   */
  public List<Sequence> beams(int first, int length, int width, double penalty) {
    check(first, length);
    if (width < 1 || width > MOST || !(penalty >= 0 && penalty < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "beams: width=%d, penalty=%s; need 1 ≤ width ≤ %d, 0 ≤ penalty < ∞"
              .formatted(width, penalty, MOST));
    }
    List<Node> done = new ArrayList<>();
    List<Node> beam = List.of(new Node(null, 0, first, 0));
    try (Layer writer = model.fork();
        Tape tape = Tape.inference(device())) {
      for (int n = 0; n < length && !beam.isEmpty(); n++) {
        int[] last = beam.stream().mapToInt(Node::symbol).toArray();
        List<Node> best = best(beam, scores(writer, tape, last), width - done.size());
        beam = best.stream().filter(node -> node.symbol != end).toList();
        best.stream().filter(node -> node.symbol == end).forEach(done::add);
        if (!beam.isEmpty()) {
          writer.take(beam.stream().mapToInt(Node::column).toArray());
        }
      }
    }
    done.addAll(beam);
    return done.stream()
        .map(node -> node.sequence(penalty))
        .sorted(Comparator.comparingDouble(sequence -> -sequence.score))
        .toList();
  }

  /** A sequence as its last symbol and the sequence before it, which was this column. */
  private record Node(@Nullable Node before, int column, int symbol, double logProbability) {
    Sequence sequence(double penalty) {
      List<Integer> symbols = new ArrayList<>();
      for (Node node = this; node.before != null; node = node.before) {
        symbols.add(node.symbol);
      }
      double length = Math.pow((5.0 + symbols.size()) / 6, penalty);
      return new Sequence(symbols.reversed(), logProbability, logProbability / length);
    }
  }

  /** The likeliest continuations, the best first; of those as likely, the first ones. */
  private List<Node> best(List<Node> beam, float[] scores, int width) {
    PriorityQueue<Node> kept =
        new PriorityQueue<>(Comparator.comparingDouble(Node::logProbability));
    for (int column = 0; column < beam.size(); column++) {
      Node before = beam.get(column);
      double norm = logSum(scores, column * symbols);
      for (int symbol = 0; symbol < symbols; symbol++) {
        double log = before.logProbability + scores[column * symbols + symbol] - norm;
        if (kept.size() < width || log > kept.element().logProbability) {
          kept.add(new Node(before, column, symbol, log));
        }
        if (kept.size() > width) {
          kept.remove();
        }
      }
    }
    return kept.stream()
        .sorted(
            Comparator.comparingDouble((Node node) -> -node.logProbability)
                .thenComparingInt(Node::column)
                .thenComparingInt(Node::symbol))
        .toList();
  }

  /** {@code log Σ exp} of the scores of one column. */
  private double logSum(float[] scores, int from) {
    double most = Double.NEGATIVE_INFINITY;
    for (int i = from; i < from + symbols; i++) {
      if (Float.isNaN(scores[i])) {
        throw new IllegalArgumentException(
            "beams: score=NaN of symbol %d; the weights are too large to compute with"
                .formatted(i - from));
      }
      most = Math.max(most, scores[i]);
    }
    double sum = 0;
    for (int i = from; i < from + symbols; i++) {
      sum += Math.exp(scores[i] - most);
    }
    return most + Math.log(sum);
  }

  /** The scores of what follows each symbol, one column per symbol. */
  private float[] scores(Layer writer, Tape tape, int... last) {
    Tensor y = writer.apply(tape.oneHot(Shape.of(symbols, last.length), last));
    if (y.shape().rows() != symbols || y.shape().columns() != last.length) {
      throw new ShapeException(
          "decoder: the model returns %s; need scores of %d symbols × %d columns"
              .formatted(y.shape(), symbols, last.length));
    }
    float[] scores = y.toArray();
    tape.clear();
    return scores;
  }

  private void check(int first, int length) {
    if (first < 0 || first >= symbols || length < 0 || length > MOST) {
      throw new IllegalArgumentException(
          "decoder: first=%d, length=%d; need 0 ≤ first < %d, 0 ≤ length ≤ %d"
              .formatted(first, length, symbols, MOST));
    }
  }

  private Device device() {
    Iterator<Parameter> parameters = model.parameters().iterator();
    if (!parameters.hasNext()) {
      throw new IllegalArgumentException(
          "decoder: %s has no parameters, and so no device".formatted(model.describe()));
    }
    return parameters.next().device();
  }
}

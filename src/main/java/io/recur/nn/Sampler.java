package io.recur.nn;

import java.util.Arrays;
import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Chooses a symbol by its scores: {@code p = softmax(scores / temperature)}, of the likeliest
 * symbols alone where topK or topP say so.
 *
 * <p>Of topK symbols, of those that are as likely the first ones. Of topP the fewest likeliest ones
 * whose probabilities have that sum (the nucleus of Holtzman et al. 2020, <i>The Curious Case of
 * Neural Text Degeneration</i>, arXiv:1904.09751, section 3.1), among the topK.
 *
 * <pre>{@code
 * Sampler sampler = Sampler.of(0.8).withTopK(40).withTopP(0.95);
 * int symbol = sampler.choose(new float[] {0.1f, 2, -1}, new Random(42));
 * }</pre>
 *
 * @param temperature 0 or more; below 1 prefers likely symbols, 0 takes the likeliest
 * @param topK how many symbols are left, 1 or more
 * @param topP the probability that is left, 0 &lt; topP ≤ 1
 */
public record Sampler(double temperature, int topK, double topP) {
  /** The likeliest symbol, always; the first one of those that are as likely. */
  public static final Sampler GREEDY = of(0);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException if one is outside its range
   */
  public Sampler {
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)
        || topK < 1
        || !(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException(
          "sampler: temperature=%s, topK=%d, topP=%s; need 0 ≤ temperature < ∞, topK ≥ 1, 0 < topP ≤ 1"
              .formatted(temperature, topK, topP));
    }
  }

  /**
   * Draws from all symbols.
   *
   * @param temperature 0 or more
   * @return a sampler
   * @throws IllegalArgumentException if the temperature is negative or not finite
   */
  public static Sampler of(double temperature) {
    return new Sampler(temperature, Integer.MAX_VALUE, 1);
  }

  /**
   * Draws from the likeliest symbols.
   *
   * @param symbols how many, 1 or more
   * @return a sampler
   * @throws IllegalArgumentException if it is below 1
   */
  public Sampler withTopK(int symbols) {
    return new Sampler(temperature, symbols, topP);
  }

  /**
   * Draws from the nucleus.
   *
   * @param probability of the symbols that are left, 0 &lt; probability ≤ 1
   * @return a sampler
   * @throws IllegalArgumentException if it is outside that range
   */
  public Sampler withTopP(double probability) {
    return new Sampler(temperature, topK, probability);
  }

  /**
   * Chooses a symbol. At temperature 0 no random number is drawn, otherwise one.
   *
   * @param scores logits, one per symbol
   * @param random where the number comes from; the same seed and scores give the same symbol
   * @return the symbol, 0 ≤ symbol &lt; scores
   * @throws IllegalArgumentException if there are no scores, or one is NaN
   */
  public int choose(float[] scores, RandomGenerator random) {
    int best = best(scores);
    if (temperature == 0) {
      return best;
    }
    double[] p = new double[scores.length];
    for (int i = 0; i < p.length; i++) {
      float below = scores[i] - scores[best];
      p[i] = scores[i] == scores[best] ? 1 : Math.exp(below / temperature); // ∞ − ∞ is NaN
    }
    if (topK < p.length || topP < 1) {
      keepLikeliest(p);
    }
    double[] upTo = new double[p.length];
    double total = 0;
    for (int i = 0; i < p.length; i++) {
      total += p[i];
      upTo[i] = total;
    }
    double drawn = random.nextDouble() * total;
    for (int i = 0; i < upTo.length; i++) {
      if (drawn < upTo[i]) {
        return i;
      }
    }
    return best;
  }

  private static int best(float[] scores) {
    if (scores.length == 0) {
      throw new IllegalArgumentException("sample: no scores; need one per symbol");
    }
    int best = 0;
    for (int i = 0; i < scores.length; i++) {
      if (Float.isNaN(scores[i])) {
        throw new IllegalArgumentException(
            "sample: score=NaN of symbol %d; the weights are too large to compute with"
                .formatted(i));
      }
      best = scores[i] > scores[best] ? i : best;
    }
    return best;
  }

  /** Sets all others to 0. */
  private void keepLikeliest(double[] p) {
    int[] order =
        IntStream.range(0, p.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -p[i]))
            .mapToInt(i -> i)
            .toArray();
    int left = Math.min(topK, p.length);
    if (topP < 1) {
      double of = 0;
      for (int n = 0; n < left; n++) {
        of += p[order[n]];
      }
      double sum = 0;
      int n = 0;
      while (n < left && sum < topP * of) {
        sum += p[order[n++]];
      }
      left = Math.max(1, n);
    }
    for (int i : Arrays.copyOfRange(order, left, order.length)) {
      p[i] = 0;
    }
  }
}

package io.recur.train;

import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The examples that a pass of {@link Trainer#fit} takes, their order, and how many it takes at
 * once. Examples are numbers, of which the {@link Loss} makes tensors. The order of a pass depends
 * only on the seed and on the number of the pass.
 *
 * <pre>{@code
 * Batches train = Batches.shuffled(10_000, 32, (tape, examples) -> {
 *   List<float[][]> inputs = new ArrayList<>();       // of these examples
 *   return model.apply(Sequences.batch(tape, inputs)).sum();
 * });
 * Batches text = Batches.carried(streams.chunks(), (tape, chunk) ->
 *     crossEntropy(model.apply(streams.input(tape, chunk[0])), streams.target(tape, chunk[0])));
 * }</pre>
 */
public final class Batches {
  /** The loss of a batch. */
  @FunctionalInterface
  public interface Loss {
    /**
     * Runs the model on examples and returns their mean loss.
     *
     * @param tape the tape for the inputs: a recording one in training, another one in validation
     * @param examples the numbers of the examples, each counted from 0
     * @return a scalar on the tape
     */
    Tensor of(Tape tape, int... examples);
  }

  /** Puts the examples of a pass in order, batch by batch. */
  @FunctionalInterface
  private interface Order {
    int[][] of(Random random);
  }

  private final Order order;
  private final Loss loss;
  private final boolean carried;

  private Batches(Order order, Loss loss, boolean carried) {
    this.order = order;
    this.loss = Objects.requireNonNull(loss);
    this.carried = carried;
  }

  /**
   * Shuffles the examples before each pass. The last batch of a pass may be smaller. Each batch
   * starts from fresh states.
   *
   * @param examples the number of examples, 1 or more
   * @param batch the examples per batch, 1 or more
   * @param loss of a batch
   * @return the batches
   * @throws ShapeException if a number is less than 1
   */
  public static Batches shuffled(int examples, int batch, Loss loss) {
    check(examples, batch);
    return new Batches(random -> cut(shuffled(range(examples), random), batch), loss, false);
  }

  /**
   * Takes the examples in order, which suits validation. The last batch may be smaller. Each batch
   * starts from fresh states.
   *
   * @param examples the number of examples, 1 or more
   * @param batch the examples per batch, 1 or more
   * @param loss of a batch
   * @return the batches
   * @throws ShapeException if a number is less than 1
   */
  public static Batches inOrder(int examples, int batch, Loss loss) {
    check(examples, batch);
    return new Batches(random -> cut(range(examples), batch), loss, false);
  }

  /**
   * Puts examples of the same length into a batch, so that no batch needs padding. The examples of
   * a length are shuffled before each pass, and so are the batches. Each batch starts from fresh
   * states.
   *
   * @param lengths the length of each example; at least one
   * @param batch the most examples per batch, 1 or more
   * @param loss of a batch
   * @return the batches
   * @throws ShapeException if there is no example, or if batch is less than 1
   */
  public static Batches byLength(int[] lengths, int batch, Loss loss) {
    check(lengths.length, batch);
    TreeMap<Integer, List<Integer>> groups = new TreeMap<>();
    for (int i = 0; i < lengths.length; i++) {
      groups.computeIfAbsent(lengths[i], length -> new ArrayList<>()).add(i);
    }
    List<int[]> buckets =
        groups.values().stream().map(g -> g.stream().mapToInt(i -> i).toArray()).toList();
    return new Batches(
        random -> {
          List<int[]> all = new ArrayList<>();
          for (int[] bucket : buckets) {
            all.addAll(Arrays.asList(cut(shuffled(bucket.clone(), random), batch)));
          }
          int[][] batches = new int[all.size()][];
          int[] places = shuffled(range(all.size()), random);
          for (int i = 0; i < batches.length; i++) {
            batches[i] = all.get(places[i]);
          }
          return batches;
        },
        loss,
        false);
  }

  /**
   * Takes chunks in order, one at a time, such as those of {@link Streams}. The states carry over
   * from chunk to chunk, and are fresh at the start of a pass.
   *
   * @param chunks the number of chunks, 1 or more
   * @param loss of a chunk
   * @return the batches
   * @throws ShapeException if the number is less than 1
   */
  public static Batches carried(int chunks, Loss loss) {
    check(chunks, 1);
    return new Batches(random -> cut(range(chunks), 1), loss, true);
  }

  private static void check(int examples, int batch) {
    if (examples < 1 || batch < 1) {
      throw new ShapeException(
          "batches: examples=%d, batch=%d; need 1 or more of each".formatted(examples, batch));
    }
  }

  private static int[] range(int n) {
    return IntStream.range(0, n).toArray();
  }

  private static int[] shuffled(int[] examples, Random random) {
    for (int i = examples.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int last = examples[i];
      examples[i] = examples[j];
      examples[j] = last;
    }
    return examples;
  }

  private static int[][] cut(int[] examples, int batch) {
    int[][] batches = new int[Math.ceilDiv(examples.length, batch)][];
    for (int i = 0; i < batches.length; i++) {
      int from = i * batch;
      batches[i] =
          Arrays.copyOfRange(examples, from, (int) Math.min(examples.length, (long) from + batch));
    }
    return batches;
  }

  /**
   * The batches of a pass.
   *
   * @param seed any number
   * @param pass the number of the pass
   * @return the numbers of the examples of each batch
   */
  public int[][] pass(long seed, int pass) {
    return order.of(new Random(seed * 0x9E3779B97F4A7C15L + pass));
  }

  /** {@return whether states carry over from batch to batch} */
  boolean isCarried() {
    return carried;
  }

  /** {@return the loss of a batch} */
  Tensor loss(Tape tape, int... examples) {
    return loss.of(tape, examples);
  }
}

package io.recur.compile;

import io.recur.grad.DropConnect;
import io.recur.grad.Graph;
import io.recur.grad.Parameter;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of which a sequence drops values.
 *
 * @param weights in the order in which masks are drawn
 * @param matrices per matrix of a program its number among these; −1 where it is read as it is
 * @param vectors per vector, likewise
 */
record Drops(List<Weight> weights, List<Integer> matrices, List<Integer> vectors) {
  /** A parameter and the probability that a value of it is dropped. */
  record Weight(Parameter parameter, float rate) {}

  /** Those of a graph, of whose parameters a program has these. */
  static Drops of(Graph graph, List<Integer> matrices, List<Integer> vectors) {
    List<Integer> places = new ArrayList<>();
    List<Weight> weights = new ArrayList<>();
    for (Graph.Dropped each : graph.dropped()) {
      places.add(each.parameter());
      weights.add(new Weight(graph.parameters().get(each.parameter()), each.rate()));
    }
    return new Drops(weights, numbers(matrices, places), numbers(vectors, places));
  }

  private static List<Integer> numbers(List<Integer> parameters, List<Integer> places) {
    List<Integer> numbers = new ArrayList<>();
    for (int parameter : parameters) {
      numbers.add(places.indexOf(parameter));
    }
    return numbers;
  }

  /** Draws the masks of a sequence. */
  void draw(Tape tape, Tensor[] drawn) {
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = DropConnect.ofSequence(tape, weights.get(i).parameter(), weights.get(i).rate());
    }
  }

  /** What a sequence reads: of those drawn, or the parameter. */
  static void read(
      List<Integer> numbers, Tensor[] drawn, List<Parameter> parameters, Tensor[] weights) {
    for (int i = 0; i < weights.length; i++) {
      int number = numbers.get(i);
      weights[i] = number < 0 ? parameters.get(i) : drawn[number];
    }
  }
}

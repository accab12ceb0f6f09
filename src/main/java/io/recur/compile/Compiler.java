package io.recur.compile;

import io.recur.compile.Tables.Entry;
import io.recur.compile.Tables.Purpose;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Pass;
import io.recur.device.kernels.CellProgram.Phase;
import io.recur.device.kernels.CellProgram.RowReduction;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.grad.Graph;
import io.recur.grad.Parameter;
import java.util.ArrayList;
import java.util.List;

/** Makes the program of a cell from the graph of its step. */
final class Compiler {
  /**
   * A program with what its arrays and parameters are.
   *
   * @param program for the kernels
   * @param arrays what each array is for
   * @param matrices the parameter of each matrix
   * @param vectors the parameter of each vector
   * @param drops those of which a sequence drops values
   * @param input the array of x
   * @param readsInput whether an instruction reads x, besides products of one-hot x
   * @param states the arrays of the parts of the state
   * @param output the array of the output, which may be that of a part of the state
   * @param carries per part, the arrays of what a step adds to the gradient of the state before it
   * @param inputProducts the products that give x its gradient
   * @param forwardReads for each array whether the forward pass reads it
   */
  record Compiled(
      CellProgram program,
      List<Entry> arrays,
      List<Parameter> matrices,
      List<Parameter> vectors,
      Drops drops,
      int input,
      boolean readsInput,
      int[] states,
      int output,
      List<List<Integer>> carries,
      List<WeightGradient> inputProducts,
      boolean[] forwardReads) {
    Weights weights(WeightGradient product) {
      return program.weights().get(product.weights());
    }
  }

  private Compiler() {}

  /**
   * Compiles a step.
   *
   * @param graph what the step does
   * @param in the rows of x
   * @param isRecording whether a backward pass may follow; else the program has none and keeps
   *     nothing for it
   */
  static Compiled compile(Graph graph, int in, boolean isRecording) {
    Lowering lowering = Lowering.of(graph, in);
    Tables tables = lowering.tables;
    Backward backward = new Backward(lowering);
    if (isRecording) {
      backward.differentiate();
    }
    List<RowReduction> reductions = new ArrayList<>();
    List<Phase> forward = phases(lowering.draft, tables, Purpose.WAITING, reductions);
    List<Phase> steps = phases(backward.steps, tables, Purpose.PASSING, reductions);
    List<Phase> end = phases(backward.end, tables, Purpose.PASSING, reductions);
    List<Parameter> matrices = parameters(graph, tables.matrices);
    List<Parameter> vectors = parameters(graph, tables.vectors);
    CellProgram program =
        new CellProgram(
            arrays(tables),
            lengths(vectors),
            sizes(matrices),
            List.copyOf(tables.weights),
            reductions,
            graph.draws(),
            new Pass(forward, List.of()),
            new Pass(steps, end),
            backward.weightGradients,
            backward.vectorGradients);
    List<List<Integer>> carries = new ArrayList<>();
    for (int i = 0; isRecording && i < lowering.states.length; i++) {
      carries.add(backward.carries(i));
    }
    boolean[] reads = Pass.reads(forward, tables.arrays.size());
    return new Compiled(
        program,
        List.copyOf(tables.arrays),
        matrices,
        vectors,
        Drops.of(graph, tables.matrices, tables.vectors),
        lowering.input,
        reads[lowering.input],
        lowering.states,
        lowering.output,
        carries,
        backward.inputProducts,
        reads);
  }

  private static List<Phase> phases(
      Draft draft, Tables tables, Purpose forWaiting, List<RowReduction> reductions) {
    return draft.effects.isEmpty()
        ? List.of()
        : new Schedule(draft, tables, forWaiting, reductions).phases();
  }

  private static List<Parameter> parameters(Graph graph, List<Integer> numbers) {
    List<Parameter> parameters = new ArrayList<>();
    for (int number : numbers) {
      parameters.add(graph.parameters().get(number));
    }
    return parameters;
  }

  private static List<CellProgram.Array> arrays(Tables tables) {
    List<CellProgram.Array> arrays = new ArrayList<>();
    for (Entry entry : tables.arrays) {
      arrays.add(entry.array());
    }
    return arrays;
  }

  private static List<Integer> lengths(List<Parameter> vectors) {
    List<Integer> lengths = new ArrayList<>();
    for (Parameter vector : vectors) {
      lengths.add(vector.shape().count());
    }
    return lengths;
  }

  private static List<CellProgram.Matrix> sizes(List<Parameter> matrices) {
    List<CellProgram.Matrix> sizes = new ArrayList<>();
    for (Parameter matrix : matrices) {
      sizes.add(new CellProgram.Matrix(matrix.shape().rows(), matrix.shape().columns()));
    }
    return sizes;
  }
}

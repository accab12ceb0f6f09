package io.recur.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The order of instructions. */
@Tag(Devices.CPU)
class EmissionTest {
  /** As in an LSTM with peepholes: c' = tanh(W₂x + p∘σ(W₁x + p∘c)). */
  @Test
  void productsOfOneOperandStandSideBySideWhateverIsAddedToThem() {
    List<Node> nodes =
        List.of(
            new Node.Input(3, false),
            new Node.State(0, 4),
            new Node.Vector(0, 4),
            new Node.Product(1, 4, 0),
            new Node.Combine(Binary.MULTIPLY, 4, 2, 1),
            new Node.Combine(Binary.ADD, 4, 3, 4),
            new Node.Map(Elementwise.SIGMOID, 4, 5),
            new Node.Product(2, 4, 0),
            new Node.Combine(Binary.MULTIPLY, 4, 2, 6),
            new Node.Combine(Binary.ADD, 4, 7, 8),
            new Node.Map(Elementwise.TANH, 4, 9));
    List<Parameter> parameters =
        List.of(
            Parameter.zeros(Shape.of(4)),
            Parameter.zeros(Shape.of(4, 3)),
            Parameter.zeros(Shape.of(4, 3)));
    Graph graph = new Graph(nodes, parameters, 0, List.of(10), 10);
    List<Instruction> all = Compiler.compile(graph, 3, true).program().forward().instructions();
    assertEquals(
        List.of(0, 1),
        List.of(0, 1, 2, 3).stream()
            .filter(i -> all.get(i) instanceof Instruction.Product)
            .toList(),
        all::toString);
    assertEquals(2, all.stream().filter(Instruction.Product.class::isInstance).count());
  }

  /** h' = tanh(W₁h + W₂x). */
  @Test
  void productsWithXStandFirst() {
    List<Node> nodes =
        List.of(
            new Node.Input(3, false),
            new Node.State(0, 4),
            new Node.Product(0, 4, 1),
            new Node.Product(1, 4, 0),
            new Node.Combine(Binary.ADD, 4, 2, 3),
            new Node.Map(Elementwise.TANH, 4, 4));
    List<Parameter> parameters =
        List.of(Parameter.zeros(Shape.of(4, 4)), Parameter.zeros(Shape.of(4, 3)));
    Graph graph = new Graph(nodes, parameters, 0, List.of(5), 5);
    var program = Compiler.compile(graph, 3, true).program();
    List<Integer> terms =
        program.forward().instructions().stream()
            .filter(Instruction.Product.class::isInstance)
            .map(i -> program.weights().get(((Instruction.Product) i).weights()).columns())
            .toList();
    assertEquals(List.of(3, 4), terms);
  }

  /** h' = σ(Wh)∘tanh(x): both functions are kept for the backward pass, where there is one. */
  @Test
  void aProgramForInferenceKeepsNothing() {
    List<Node> nodes =
        List.of(
            new Node.Input(4, false),
            new Node.State(0, 4),
            new Node.Product(0, 4, 1),
            new Node.Map(Elementwise.SIGMOID, 4, 2),
            new Node.Map(Elementwise.TANH, 4, 0),
            new Node.Combine(Binary.MULTIPLY, 4, 3, 4));
    Graph graph = new Graph(nodes, List.of(Parameter.zeros(Shape.of(4, 4))), 0, List.of(5), 5);
    var training = Compiler.compile(graph, 4, true);
    var inference = Compiler.compile(graph, 4, false);
    assertEquals(3, stores(training));
    assertEquals(1, stores(inference));
    assertEquals(0, inference.program().backward().instructions().size());
    assertEquals(2, inference.arrays().size());
  }

  /**
   * a = Wx minus its mean, h' = g∘a₁ + a₂/σ of h: both halves of a have a part of the mean's
   * gradient.
   */
  @Test
  void gradientsOfARowAreOneSumAndVectorsAreNotWaitedFor() {
    List<Node> nodes =
        List.of(
            new Node.Input(3, false),
            new Node.State(0, 4),
            new Node.Product(0, 8, 0),
            new Node.Reduce(Reduction.MEAN, 2),
            new Node.Combine(Binary.SUBTRACT, 8, 2, 3),
            new Node.Vector(1, 4),
            new Node.Rows(4, 4, 0),
            new Node.Combine(Binary.MULTIPLY, 4, 5, 6),
            new Node.Rows(4, 4, 4),
            new Node.Reduce(Reduction.VARIANCE, 1),
            new Node.Combine(Binary.DIVIDE, 4, 8, 9),
            new Node.Combine(Binary.ADD, 4, 7, 10));
    List<Parameter> parameters =
        List.of(Parameter.zeros(Shape.of(8, 3)), Parameter.zeros(Shape.of(4)));
    Graph graph = new Graph(nodes, parameters, 0, List.of(11), 11);
    var program = Compiler.compile(graph, 3, true).program();
    assertEquals(2, count(program.backward(), Instruction.Reduce.class)); // of the mean, of σ
    int array = program.vectorGradients().getFirst().array();
    List<Boolean> stores =
        program.backward().phases().stream()
            .map(phase -> phase.sections().stream().anyMatch(section -> stores(section, array)))
            .toList();
    assertEquals(0, stores.indexOf(true), stores::toString);
  }

  private static boolean stores(CellProgram.Section section, int array) {
    return section.instructions().stream()
        .anyMatch(i -> i instanceof Instruction.Store store && store.array() == array);
  }

  private static long count(CellProgram.Pass pass, Class<? extends Instruction> kind) {
    return pass.instructions().stream().filter(kind::isInstance).count();
  }

  private static long stores(Compiler.Compiled cell) {
    return cell.program().forward().instructions().stream()
        .filter(Instruction.Store.class::isInstance)
        .count();
  }
}

package io.recur.grad;

import static io.recur.Reference.doubles;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.recur.Near;
import io.recur.device.Dimension;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.grad.Graph.Node;
import io.recur.nn.Matrix;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A traced step has a graph of the same values, or a reason why it has none. */
class TraceTest extends TracedSteps {
  private final Matrix band = band(parameter(2 * (3 * OUT - 2)));

  /** For each operation of grad that a compiled step may have, a step with it. */
  private final Map<String, Example> compiled =
      Map.ofEntries(
          Map.entry("Pairwise", (h, x) -> pairwise(h)),
          Map.entry("Affine", (h, x) -> h.scale(0.5f).add(x.tape().use(b)).rsub(1).mul(h.add(2))),
          Map.entry("Clamp", (h, x) -> h.clamp(-0.3f, 0.2f).add(h.clamp(0, 1e30f))),
          Map.entry("Concat", (h, x) -> Concat.rows(h, x, h)),
          Map.entry("Reduce", TraceTest::reductions),
          Map.entry("Slice", (h, x) -> h.rows(1, 4).mul(x)),
          Map.entry("Repeat", (h, x) -> Repeat.repeat(x.tape(), b, h.shape()).mul(h)),
          Map.entry("MatMul", (h, x) -> u.matmul(w.matmul(x)).add(u.matmul(x.tape().use(b)))),
          Map.entry("Drop", (h, x) -> Drop.dropout(h, 0.5f)),
          Map.entry("DropConnect", (h, x) -> DropConnect.dropped(x.tape(), w, 0.5f).matmul(x)),
          Map.entry("Functions", (h, x) -> tanh(h).add(sigmoid(h))),
          Map.entry("Softmax", (h, x) -> Softmax.softmax(h).add(Softmax.logSoftmax(h))),
          Map.entry("BandMatrix", (h, x) -> band.times(h)));

  /** The operations of grad that no compiled step has, and why. */
  private static final Map<String, String> STEP_BY_STEP =
      Map.of(
          "Sum", "a number for all columns mixes them",
          "Take", "columns in another order",
          "Rearrange", "columns in another order",
          "CrossEntropy", "a loss",
          "Ctc", "a loss",
          "AdditiveScores", "all steps of a sequence",
          "BatchProduct", "all steps of a sequence",
          "Outer", "a matrix per column",
          "HeadProduct", "a matrix per column",
          "Windows", "several steps of a sequence");

  /** Every function, of two tensors and of one that is repeated over columns, rows or both. */
  private Tensor pairwise(Tensor h) {
    Tensor y = h;
    for (Binary f : Binary.values()) {
      y = y.add(Pairwise.of(f, h, h.rsub(1))).add(Pairwise.of(f, b, h));
      y = y.sub(Pairwise.of(f, h, h.rows(1, 2))).sub(Pairwise.of(f, one, h));
    }
    return y;
  }

  private static Tensor reductions(Tensor h, Tensor x) {
    return Concat.rows(
        h.sum(Dimension.ROWS),
        h.mean(Dimension.ROWS),
        h.max(Dimension.ROWS),
        h.variance(Dimension.ROWS));
  }

  /** A stacked tridiagonal matrix. */
  private Matrix band(Parameter stored) {
    Matrix made = Matrix.tridiagonal(2 * OUT, OUT);
    made.values().on(device).value().write(stored.toArray());
    return made;
  }

  // The list.

  @Test
  void everyOperationIsTracedOrNamed() {
    Set<String> present =
        new ClassFileImporter()
            .importPackagesOf(Op.class).stream()
                .filter(c -> c.getSource().orElseThrow().getUri().getPath().contains("/classes/"))
                .filter(c -> c.isAssignableTo(Op.class) && !c.isInterface())
                .filter(c -> !c.getModifiers().contains(JavaModifier.ABSTRACT))
                .map(JavaClass::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new));
    Set<String> named = new TreeSet<>(compiled.keySet());
    named.addAll(STEP_BY_STEP.keySet());
    named.remove("BandMatrix"); // of nn
    assertEquals(named, present);
  }

  @Test
  void everyNodeIsThatOfAnOperation() {
    Set<Class<?>> kinds = new HashSet<>();
    compiled
        .values()
        .forEach(step -> graph(step).nodes().forEach(node -> kinds.add(node.getClass())));
    assertEquals(Set.of(Node.class.getPermittedSubclasses()), kinds);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, BATCH})
  void theGraphHasTheValuesOfTheStep(int batch) {
    compiled.forEach(
        (name, step) -> {
          Trace.Result result = trace(false, batch, false, step); // without dropout
          assertEquals("", result.reason(), name);
          Shape in = Shape.of(IN, batch);
          Shape out = Shape.of(OUT, batch);
          try (Tape tape = Tape.inference(device)) {
            Tensor h = tape.input(out, values(out.count()));
            Tensor x = tape.input(in, values(in.count()));
            List<double[]> expected =
                GraphReference.run(
                    result.graph(), batch, doubles(x.toArray()), List.of(doubles(h.toArray())));
            Near.check(name, expected.getLast(), step.of(h, x).toArray(), 1e-5);
          }
        });
  }

  // Graphs.

  @Test
  void aGraphNamesWhatTheStepComputed() {
    Graph graph = graph((h, x) -> tanh(w.matmul(x).add(h)));
    assertEquals(
        List.of(
            new Node.Input(IN, false),
            new Node.State(0, OUT),
            new Node.Product(0, OUT, 0),
            new Node.Combine(Binary.ADD, OUT, 2, 1),
            new Node.Map(Elementwise.TANH, OUT, 3)),
        graph.nodes());
    assertEquals(List.of(w), graph.parameters());
    assertEquals(List.of(1), graph.states());
    assertEquals(4, graph.y());
  }

  @Test
  void equalOperationsAreOneNode() {
    Graph graph = graph((h, x) -> tanh(h.add(b)).mul(tanh(h.add(b))));
    assertEquals(6, graph.nodes().size()); // x, h, b, the sum, its tanh, the product
  }

  @Test
  void everyDrawIsANodeOfItsOwn() {
    Graph graph = graph((h, x) -> Drop.dropout(h, 0.5f).add(Drop.dropout(h, 0.5f)));
    assertEquals(2, graph.draws());
    assertEquals(2, graph.nodes().stream().filter(Node.Drop.class::isInstance).count());
  }

  @Test
  void aTapeThatRecordsNothingDropsNothing() {
    assertEquals(0, trace(false, BATCH, false, (h, x) -> Drop.dropout(h, 0.5f)).graph().draws());
  }

  @Test
  void viewsOfAllValuesAreTheSameNode() {
    Graph graph =
        graph(
            (h, x) ->
                h.columns(0, BATCH)
                    .add(h.reshape(Shape.of(OUT, BATCH, 1)).time(0))
                    .add(h.times(0, 1)));
    assertEquals(new Node.Combine(Binary.ADD, OUT, 1, 1), graph.node(2));
  }

  @Test
  void oneHotColumnsGoIntoProducts() {
    Trace.Result result = trace(true, BATCH, true, (h, x) -> w.matmul(x.columns(0, BATCH)).add(h));
    assertEquals("", result.reason());
    assertEquals(new Node.Input(IN, true), result.graph().node(0));
    assertEquals(new Node.Product(0, OUT, 0), result.graph().node(2));
  }

  @Test
  void anOperationOfAUsersDescribesItself() {
    assertEquals(new Node.Affine(OUT, 1, 2, 0), graph((h, x) -> Twice.of(h, true)).node(2));
  }
}

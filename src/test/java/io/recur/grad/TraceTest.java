package io.recur.grad;

import static io.recur.Reference.doubles;
import static io.recur.grad.Functions.sigmoid;
import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.recur.Near;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Dimension;
import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.grad.Graph.Node;
import io.recur.nn.Matrix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A traced step has a graph of the same values, or a reason why it has none. */
class TraceTest {
  private static final int IN = 3;
  private static final int OUT = 5;
  private static final int BATCH = 4;

  @AutoClose private final Device device = Devices.here();
  private final Parameter w = parameter(OUT, IN).named("W");
  private final Parameter u = parameter(OUT, OUT).named("U");
  private final Parameter b = parameter(OUT).named("b");
  private final Parameter one = parameter(1);
  private final Matrix band = band(parameter(2 * (3 * OUT - 2)));

  /** The output of a step whose new state is h. */
  private interface Example {
    Tensor of(Tensor h, Tensor x);
  }

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
          "HeadProduct", "a matrix per column");

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

  private Parameter parameter(int... dimensions) {
    Shape shape = Shape.of(dimensions);
    return Parameter.of(shape, values(shape.count())).on(device);
  }

  private static float[] values(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return values;
  }

  /** A stacked tridiagonal matrix. */
  private Matrix band(Parameter stored) {
    Matrix made = Matrix.tridiagonal(2 * OUT, OUT);
    made.values().on(device).value().write(stored.toArray());
    return made;
  }

  private Trace.Result trace(boolean isRecording, int batch, boolean isOneHot, Example step) {
    return Trace.of(
        device,
        isRecording,
        Shape.of(IN, batch),
        isOneHot,
        List.of(Shape.of(OUT, batch)),
        (state, x) -> List.of(state.getFirst(), step.of(state.getFirst(), x)));
  }

  private Graph graph(Example step) {
    Trace.Result result = trace(true, BATCH, false, step);
    assertEquals("", result.reason());
    return result.graph();
  }

  private void refusedBody(String reason, Trace.Body step) {
    Shape state = Shape.of(OUT, BATCH);
    Trace.Result result = Trace.of(device, true, Shape.of(IN, BATCH), false, List.of(state), step);
    assertNull(result.graph(), reason);
    assertTrue(result.reason().contains(reason), () -> reason + " is not in " + result.reason());
  }

  private void refused(String reason, Example step) {
    refusedBody(reason, (state, x) -> List.of(state.getFirst(), step.of(state.getFirst(), x)));
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

  // Reasons.

  @Test
  void partsOfColumnsAreRefused() {
    refused("add: 5 is a part of 5×4", (h, x) -> h.column(0).add(h));
    refused("add: 5×2 is a part of 5×4", (h, x) -> h.columns(0, 2).add(h.columns(2, 4)));
    refused("tanh: 10×2 is a part of 5×4", (h, x) -> tanh(h.reshape(Shape.of(10, 2))));
  }

  @Test
  void whatMixesColumnsIsRefused() {
    refused("sum: it adds up all columns", (h, x) -> h.sum());
    refused("max: it reduces columns or time", (h, x) -> h.add(h.max(Dimension.COLUMNS)));
    refused("concat: it makes columns or time", (h, x) -> Concat.columns(h, h));
    refused("y is 5 for a batch of 4", (h, x) -> x.tape().use(b));
  }

  @Test
  void anOperationThatIsNotOnTheListIsRefused() {
    refused("twice: no step with it can be compiled", (h, x) -> Twice.of(h, false));
    Example loss = (h, x) -> CrossEntropy.crossEntropy(h.rows(0, IN), x);
    assertTrue(trace(true, BATCH, true, loss).reason().startsWith("crossEntropy: no step"));
  }

  @Test
  void readingIsRefused() {
    refused("scalar: the step reads a value", (h, x) -> h.scale(x.tape().use(one).scalar()));
    refused("toArray: the step reads", (h, x) -> h.scale(h.toArray()[0] > 0 ? 1 : 2));
    refused("toArray: the step reads", (h, x) -> h.scale(b.toArray()[0])); // a weight changes later
    refused("value: the step reads", (h, x) -> h.scale(h.value().read()[0]));
    refused("gradient: the step reads", (h, x) -> h.add(h.scale(h.gradient().read()[0])));
    refused("gradientArray: the step", (h, x) -> h.scale(b.gradientArray()[0]));
  }

  @Test
  void tensorsOfUnknownOriginAreRefused() {
    refused(
        "input: its values may differ",
        (h, x) -> h.scale(1).add(x.tape().input(h.shape(), values(20))));
    refused("oneHot: its values may", (h, x) -> w.matmul(x.tape().oneHot(Shape.of(IN), 1)).add(h));
    Tensor constant = Tensor.constant(Shape.of(OUT), device.allocate(OUT));
    refused("add: a tensor 5 is not computed from x", (h, x) -> h.add(constant));
    refused("matmul: its left factor", (h, x) -> tanh(h).matmul(h.rows(0, BATCH)));
    refused("use: parameter U 5×5 has 5 columns", (h, x) -> x.tape().use(u).matmul(h));
    try (Tape other = Tape.on(device)) {
      Tensor outside = other.input(values(OUT));
      refused("add: a tensor of another tape", (h, x) -> h.add(outside));
      refused("sub: a tensor of another tape", (h, x) -> outside.sub(h));
      assertEquals(0, other.length());
    }
  }

  @Test
  void whatChangesTheTapeIsRefused() {
    refused("withoutGradient: it cuts", (h, x) -> x.tape().withoutGradient(() -> tanh(h)));
    refused(
        "seed: it changes",
        (h, x) -> {
          x.tape().seed(1);
          return h;
        });
    refused(
        "hold: the step keeps",
        (h, x) -> {
          x.tape().hold(() -> "a cache");
          return h;
        });
    refused(
        "clear: it clears",
        (h, x) -> {
          x.tape().clear();
          return h;
        });
    refused(
        "backward: it runs",
        (h, x) -> {
          x.tape().backward(h.mul(b), new float[h.shape().count()]);
          return h;
        });
  }

  @Test
  void aStepThatDiffersFromCallToCallIsRefused() {
    int[] calls = {0};
    refused(
        "operation 2 was Affine[rows=5, a=1, factor=2.0, constant=0.0]",
        (h, x) -> h.scale(++calls[0] + 1));
  }

  @Test
  void aStateThatChangesItsSizeIsRefused() {
    refusedBody("becomes one of 2", (state, x) -> List.of(state.getFirst(), x, x));
    refusedBody("part 0 of the state has 5 rows and then 3", (state, x) -> List.of(x, x));
  }

  @Test
  void anExceptionIsRefused() {
    refused(
        "it throws java.lang.ArithmeticException: / by zero",
        (h, x) -> h.scale(1 / (h.shape().rows() - OUT)));
    refused("toArray: the step reads", (h, x) -> h.scale(1 / (int) (0 * h.toArray()[0])));
  }

  @Test
  void aTensorThatAStepKeepsIsNamed() {
    List<Tensor> kept = new ArrayList<>();
    graph(
        (h, x) -> {
          kept.add(h);
          return h;
        });
    Thrown.says(
        IllegalStateException.class, () -> kept.getFirst().toArray(), "traced step", "stepwise()");
  }

  @Test
  void aThreadThatTracesNoMoreMayRead() {
    refused("toArray", (h, x) -> h.scale(h.toArray()[0]));
    assertEquals(OUT, b.toArray().length);
    graph((h, x) -> h.add(b));
  }

  /** A user's operation, y = 2x. */
  private record Twice(Tensor x, Tensor y, boolean isTraced) implements Op {
    static Tensor of(Tensor x, boolean isTraced) {
      try (OpContext context = OpContext.of("twice", x)) {
        Tensor y = context.output(x.shape(), x.isDifferentiable());
        context.device().pointwise().scale(2, x.value(), y.value(), x.shape().count());
        return context.record(new Twice(x, y, isTraced), y);
      }
    }

    @Override
    public void trace(Trace trace) {
      if (isTraced) {
        trace.give(y, new Node.Affine(y.shape().rows(), trace.number(x), 2, 0));
      } else {
        Op.super.trace(trace);
      }
    }

    @Override
    public void backward() {
      x.device().pointwise().addScaled(2, y.gradient(), x.accumulator(), x.shape().count());
    }
  }
}

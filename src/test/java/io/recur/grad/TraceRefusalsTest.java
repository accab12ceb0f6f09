package io.recur.grad;

import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Dimension;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A step that cannot be compiled is refused by its reason, which names the operation. */
class TraceRefusalsTest extends TracedSteps {
  private void refusedBody(String reason, Trace.Body step) {
    Shape state = Shape.of(OUT, BATCH);
    Trace.Result result = Trace.of(device, true, Shape.of(IN, BATCH), false, List.of(state), step);
    assertNull(result.graph(), reason);
    assertTrue(result.reason().contains(reason), () -> reason + " is not in " + result.reason());
  }

  private void refused(String reason, Example step) {
    refusedBody(reason, (state, x) -> List.of(state.getFirst(), step.of(state.getFirst(), x)));
  }

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
    refused(
        "windows: it reads several steps",
        (h, x) -> Windows.of(h.reshape(Shape.of(OUT, BATCH, 1)), 2, 1, 1, 1, 1));
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
}

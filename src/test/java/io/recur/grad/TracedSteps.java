package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Graph.Node;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;

/** Steps that tests trace: the device, the parameters that they read, and how they are traced. */
abstract class TracedSteps {
  static final int IN = 3;
  static final int OUT = 5;
  static final int BATCH = 4;

  @AutoClose final Device device = Devices.here();
  final Parameter w = parameter(OUT, IN).named("W");
  final Parameter u = parameter(OUT, OUT).named("U");
  final Parameter b = parameter(OUT).named("b");
  final Parameter one = parameter(1);

  /** The output of a step whose new state is h. */
  interface Example {
    Tensor of(Tensor h, Tensor x);
  }

  final Parameter parameter(int... dimensions) {
    Shape shape = Shape.of(dimensions);
    return Parameter.of(shape, values(shape.count())).on(device);
  }

  static float[] values(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return values;
  }

  final Trace.Result trace(boolean isRecording, int batch, boolean isOneHot, Example step) {
    return Trace.of(
        device,
        isRecording,
        Shape.of(IN, batch),
        isOneHot,
        List.of(Shape.of(OUT, batch)),
        (state, x) -> List.of(state.getFirst(), step.of(state.getFirst(), x)));
  }

  final Graph graph(Example step) {
    Trace.Result result = trace(true, BATCH, false, step);
    assertEquals("", result.reason());
    return result.graph();
  }

  /** A user's operation, y = 2x. */
  record Twice(Tensor x, Tensor y, boolean isTraced) implements Op {
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

package io.recur.io;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.BatchNorm;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import java.io.IOException;

/** Reads PyTorch's modules without a state. */
final class TorchLayers {
  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";
  static final String BATCHES = "num_batches_tracked";

  private TorchLayers() {}

  static Dense linear(TorchModule module, Elementwise function) throws IOException {
    module.expect(WEIGHT, TorchModule.ANY, TorchModule.ANY);
    expectBias(module);
    module.check();
    Matrix w = Matrix.dense(module.matrix(WEIGHT, "W"));
    return new Dense(function, w, module.vector(BIAS, "b", w.rows(), 0));
  }

  /** A vector per class: PyTorch's rows are Recur's columns, in the same bytes. */
  static Embedding embedding(TorchModule module) throws IOException {
    module.expect(WEIGHT, TorchModule.ANY, TorchModule.ANY);
    module.check();
    Shape shape = Shape.of((int) module.size(WEIGHT, 1), (int) module.size(WEIGHT, 0));
    return new Embedding(Parameter.of(shape, module.values(WEIGHT, "W")));
  }

  static LayerNorm layerNorm(TorchModule module, float epsilon) throws IOException {
    module.expect(WEIGHT, TorchModule.ANY);
    expectBias(module);
    module.check();
    int in = (int) module.size(WEIGHT, 0);
    return new LayerNorm(
        module.vector(WEIGHT, "gain", in, 1), module.vector(BIAS, "bias", in, 0), epsilon);
  }

  /** Column {@code k·in/groups + i} is {@code weight[:, i, k]}. */
  static Conv1d conv1d(TorchModule module, int groups) throws IOException {
    module.expect(WEIGHT, TorchModule.ANY, TorchModule.ANY, TorchModule.ANY);
    expectBias(module);
    module.check();
    int out = (int) module.size(WEIGHT, 0);
    int in = (int) module.size(WEIGHT, 1);
    int kernel = (int) module.size(WEIGHT, 2);
    if (groups < 1 || out % groups != 0 || (long) in * groups > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "torch: conv1d: groups=%d, out=%d; need groups of 1 or more that divide out"
              .formatted(groups, out));
    }
    float[] values = TorchNames.taps(module.values(WEIGHT, "W, by taps"), out, in, kernel);
    return new Conv1d(
        in * groups,
        Parameter.of(Shape.of(out, in * kernel), values),
        module.vector(BIAS, "b", out, 0),
        groups);
  }

  static BatchNorm batchNorm(TorchModule module, float epsilon, float momentum) throws IOException {
    long in = module.size("running_mean", 0);
    module.expect("running_mean", TorchModule.ANY);
    module.expect("running_var", in);
    if (module.has(WEIGHT) || module.has(BIAS)) {
      module.expect(WEIGHT, in);
      module.expect(BIAS, in);
    }
    module.check(BATCHES);
    int length = (int) in;
    BatchNorm norm =
        new BatchNorm(
            module.vector(WEIGHT, "gain", length, 1),
            module.vector(BIAS, "bias", length, 0),
            running(module, "running_mean", "mean", length),
            running(module, "running_var", "variance", length),
            epsilon,
            momentum);
    module.pass(BATCHES, "nothing: only a momentum of None needs it");
    return norm;
  }

  private static Parameter running(TorchModule module, String name, String to, int length)
      throws IOException {
    return Parameter.fixed(Shape.of(length), module.values(name, to));
  }

  private static void expectBias(TorchModule module) {
    if (module.has(BIAS)) {
      module.expect(BIAS, module.size(WEIGHT, 0));
    }
  }
}

package io.recur.train;

import io.recur.Pinned;
import io.recur.grad.Parameter;
import java.util.List;
import java.util.Random;

/** All optimisers, by the names of optimisers.txt. */
final class Optimisers {
  static final List<String> NAMES =
      Pinned.of("optimisers.txt").names().stream()
          .filter(name -> name.endsWith("_1"))
          .map(name -> name.substring(0, name.length() - 2))
          .toList();

  private Optimisers() {}

  /** As the head of optimisers.txt says. */
  static Optimiser named(String name) {
    return switch (name) {
      case "sgd" -> new Sgd(0.1f);
      case "momentum" -> new Momentum(0.1f);
      case "nesterov" -> new Nesterov(0.1f);
      case "rmsprop" -> new RmsProp(0.01f);
      case "adam" -> new Adam(0.002f);
      case "adamw" -> new AdamW(0.002f, 0.01f);
      case "adagrad" -> new AdaGrad(0.01f);
      case "adadelta" -> new AdaDelta();
      case "adamax" -> new AdaMax(0.002f);
      case "nadam" -> new NAdam(0.002f);
      case "amsgrad" -> new AmsGrad(0.002f);
      case "radam" -> new RAdam(0.002f);
      case "lion" -> new Lion(0.002f);
      case "sgd_all" -> new Sgd(0.1f).decay(0.02f).maximise();
      case "momentum_all" -> new Momentum(0.1f, 0.9f, 0.3f).decay(0.02f).maximise();
      case "nesterov_all" -> new Nesterov(0.1f, 0.8f).decay(0.02f);
      case "rmsprop_momentum" -> new RmsProp(0.01f, 0.95f, 1e-6f, 0.8f, false);
      case "rmsprop_all" -> new RmsProp(0.01f, 0.95f, 1e-6f, 0.8f, true).decay(0.02f);
      case "adam_all" -> new Adam(0.002f, 0.8f, 0.99f, 1e-6f).decay(0.02f).maximise();
      case "adamw_all" -> new AdamW(0.002f, 0.8f, 0.99f, 1e-6f, 0.05f);
      case "adagrad_all" -> new AdaGrad(0.01f, 1e-6f, 0.1f, 0.5f).decay(0.02f);
      case "adadelta_all" -> new AdaDelta(0.5f, 0.8f, 1e-5f).decay(0.02f);
      case "adamax_all" -> new AdaMax(0.002f, 0.8f, 0.99f, 1e-6f).decay(0.02f);
      case "nadam_all" -> new NAdam(0.002f, 0.8f, 0.99f, 1e-6f, 0.01f).decoupledDecay(0.05f);
      case "amsgrad_all" -> new AmsGrad(0.002f, 0.8f, 0.99f, 1e-6f).decoupledDecay(0.05f);
      case "radam_all" -> new RAdam(0.002f, 0.8f, 0.9f, 1e-6f).decay(0.02f);
      case "lion_all" -> new Lion(0.002f, 0.8f, 0.95f).decoupledDecay(0.05f);
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** Deterministic gradients of step k. */
  static void differentiate(Single model, long k) {
    Random random = new Random(k);
    for (Parameter parameter : model.own()) {
      float[] values = new float[parameter.shape().count()];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      parameter.gradient().write(values);
    }
  }
}

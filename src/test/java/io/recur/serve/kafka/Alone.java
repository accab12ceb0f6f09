package io.recur.serve.kafka;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** For each key a fork of the model of its own, stepped by itself: what every answer has to be. */
final class Alone implements AutoCloseable {
  private final Layer model;
  private final Tape tape;
  private final Map<String, Layer> forks = new HashMap<>();

  Alone(Layer model, Device device) {
    this.model = model;
    this.tape = Tape.inference(device);
  }

  float[] step(String key, float... x) {
    float[] y = forks.computeIfAbsent(key, its -> model.fork()).apply(tape.input(x)).toArray();
    tape.clear();
    return y;
  }

  void close(String key) {
    forks.remove(key).close();
  }

  Snapshot save(String key) {
    return forks.get(key).save();
  }

  /** An input of a number. */
  static float[] input(int rows, long number) {
    Random random = new Random(number);
    float[] x = new float[rows];
    for (int i = 0; i < rows; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    return x;
  }

  @Override
  public void close() {
    forks.values().forEach(Layer::close);
    tape.close();
  }
}

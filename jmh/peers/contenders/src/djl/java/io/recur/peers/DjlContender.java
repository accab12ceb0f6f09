package io.recur.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.recurrent.GRU;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.nn.recurrent.RNN;
import ai.djl.nn.recurrent.RecurrentBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.Map;

/** DJL on its PyTorch: the PyTorch that a Java developer gets. */
final class DjlContender implements Contender {
  private final Engine engine = Engine.getEngine("PyTorch");
  private NDManager manager;
  private ParameterStore store;
  private Work work;
  private RecurrentBlock block;
  private NDArray x;

  public static void main(String[] args) throws Exception {
    Contender.serve(new DjlContender());
  }

  @Override
  public String version() {
    return Engine.getDjlVersion() + " (PyTorch " + engine.getVersion() + ")";
  }

  @Override
  public void prepare(Work work) {
    if (manager != null) {
      manager.close();
    }
    this.work = work;
    manager = engine.newBaseManager();
    store = new ParameterStore(manager, false);
    block = block(work);
    block.initialize(manager, DataType.FLOAT32, new Shape(work.time(), work.batch(), work.in()));
    for (Parameter parameter : block.getParameters().values()) {
      parameter.getArray().set(values(parameter.getName()));
    }
    x = manager.create(work.array("x"), new Shape(work.time(), work.batch(), work.in()));
  }

  private static RecurrentBlock block(Work work) {
    int out = work.hidden();
    int layers = work.layers();
    return switch (work.cell()) {
      case "LSTM" ->
          LSTM.builder().setStateSize(out).setNumLayers(layers).optBatchFirst(false).build();
      case "GRU" ->
          GRU.builder().setStateSize(out).setNumLayers(layers).optBatchFirst(false).build();
      default ->
          RNN.builder()
              .setStateSize(out)
              .setNumLayers(layers)
              .optBatchFirst(false)
              .setActivation(RNN.Activation.TANH)
              .build();
    };
  }

  /** Such as {@code l_0_i2h_WEIGHT}: weights row by row; the second bias is that of a GRU alone. */
  private float[] values(String name) {
    String l = layer(name);
    int rows = work.gates() * work.hidden();
    if (name.endsWith("WEIGHT")) {
      return Work.transposed(work.array((isInput(name) ? "Wi" : "Wh") + l), rows);
    }
    if (isInput(name)) {
      return work.array("b" + l);
    }
    float[] bias = new float[rows];
    if (work.cell().equals("GRU")) {
      System.arraycopy(work.array("bh" + l), 0, bias, 2 * work.hidden(), work.hidden());
    }
    return bias;
  }

  private static boolean isInput(String name) {
    return name.contains("i2h");
  }

  private static String layer(String name) {
    return name.replaceAll("^l_(\\d+)_.*", "$1");
  }

  @Override
  public Map<String, float[]> answer(String pass) {
    Map<String, float[]> answer = new LinkedHashMap<>();
    if (!pass.equals("train")) {
      try (NDManager scope = manager.newSubManager()) {
        answer.put("y", forward(scope, false).toFloatArray());
      }
      return answer;
    }
    train(answer);
    for (Parameter parameter : block.getParameters().values()) {
      float[] gradient = parameter.getArray().getGradient().toFloatArray();
      String l = layer(parameter.getName());
      if (parameter.getName().endsWith("WEIGHT")) {
        int columns = gradient.length / (work.gates() * work.hidden());
        answer.put(
            (isInput(parameter.getName()) ? "dWi" : "dWh") + l, Work.transposed(gradient, columns));
      } else if (isInput(parameter.getName())) {
        answer.put("db" + l, gradient);
      } else if (work.cell().equals("GRU")) {
        float[] third = new float[work.hidden()];
        System.arraycopy(gradient, 2 * third.length, third, 0, third.length);
        answer.put("dbh" + l, third);
      }
    }
    return answer;
  }

  private NDArray forward(NDManager scope, boolean training) {
    NDList in = new NDList(x);
    NDArray y = block.forward(store, in, training).head();
    y.attach(scope);
    return y;
  }

  private void train(Map<String, float[]> answer) {
    try (NDManager scope = manager.newSubManager();
        GradientCollector collector = engine.newGradientCollector()) {
      NDArray y = forward(scope, true);
      NDArray loss = y.sum();
      collector.backward(loss);
      loss.getFloat();
      if (answer != null) {
        answer.put("y", y.toFloatArray());
      }
    }
  }

  @Override
  public void once(String pass) {
    if (pass.equals("train")) {
      train(null);
    } else {
      try (NDManager scope = manager.newSubManager()) {
        forward(scope, false);
      }
    }
  }
}

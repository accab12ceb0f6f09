package io.recur.peers;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Deeplearning4j: LSTM and SimpleRnn layers in a MultiLayerNetwork; it has no GRU.
 *
 * <p>Its arrays are batch × features × time. Its LSTM orders the gates candidate, forget, output,
 * input.
 */
final class Dl4jContender implements Contender {
  private static final int[] TO_THEIRS = {2, 1, 3, 0};
  private static final int[] TO_OURS = {3, 1, 0, 2};

  private Work work;
  private MultiLayerNetwork net;
  private INDArray x;
  private INDArray ones;
  private INDArray first;

  public static void main(String[] args) throws Exception {
    Contender.serve(new Dl4jContender());
  }

  @Override
  public String version() {
    String jar =
        MultiLayerNetwork.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    return jar.replaceAll(".*deeplearning4j-nn-|\\.jar$", "");
  }

  @Override
  public void prepare(Work work) {
    if (work.cell().equals("GRU")) {
      throw new UnsupportedOperationException("DL4J has no GRU");
    }
    this.work = work;
    NeuralNetConfiguration.ListBuilder layers = new NeuralNetConfiguration.Builder().list();
    for (int l = 0; l < work.layers(); l++) {
      layers.layer(layer(l));
    }
    net = new MultiLayerNetwork(layers.build());
    net.init();
    for (int l = 0; l < work.layers(); l++) {
      set(l + "_W", theirs("Wi" + l), work.in(l));
      set(l + "_RW", theirs("Wh" + l), work.hidden());
      set(l + "_b", theirs("b" + l), 1);
    }
    float[] values = work.array("x");
    x =
        Nd4j.create(values, new long[] {work.time(), work.batch(), work.in()}, 'c')
            .permute(1, 2, 0)
            .dup('f');
    ones = Nd4j.ones(work.batch(), work.hidden(), work.time()).dup('f');
    first = row(work.first());
  }

  private BaseRecurrentLayer layer(int l) {
    if (work.cell().equals("LSTM")) {
      return new LSTM.Builder()
          .nIn(work.in(l))
          .nOut(work.hidden())
          .activation(Activation.TANH)
          .gateActivationFunction(Activation.SIGMOID)
          .build();
    }
    return new SimpleRnn.Builder()
        .nIn(work.in(l))
        .nOut(work.hidden())
        .activation(Activation.TANH)
        .build();
  }

  /** Our columns, one after the other, are the rows of their matrix; the gates change places. */
  private float[] theirs(String name) {
    return columns(work.array(name), TO_THEIRS);
  }

  private float[] columns(float[] values, int[] order) {
    return work.cell().equals("LSTM")
        ? Work.columns(values, work.gates() * work.hidden(), order)
        : values;
  }

  private static INDArray row(float[] values) {
    return Nd4j.create(values, new long[] {1, values.length}, 'c');
  }

  private void set(String name, float[] values, int rows) {
    net.setParam(name, Nd4j.create(values, new long[] {rows, values.length / rows}, 'c'));
  }

  @Override
  public Map<String, float[]> answer(String pass) throws Exception {
    Map<String, float[]> answer = new LinkedHashMap<>();
    if (work.kind().equals(Work.STEP)) {
      net.rnnClearPreviousState();
      answer.put("y", Contender.steps(work, x -> net.rnnTimeStep(row(x)).toFloatVector()));
    } else if (pass.equals("train")) {
      Gradient gradient = train();
      answer.put("y", ours(net.output(x)));
      for (int l = 0; l < work.layers(); l++) {
        answer.put("dWi" + l, gradient(gradient, l + "_W"));
        answer.put("dWh" + l, gradient(gradient, l + "_RW"));
        answer.put("db" + l, gradient(gradient, l + "_b"));
      }
    } else {
      answer.put("y", ours(net.output(x)));
    }
    return answer;
  }

  private static float[] ours(INDArray y) {
    return y.permute(2, 0, 1).dup('c').data().asFloat();
  }

  private float[] gradient(Gradient gradient, String name) {
    return columns(gradient.getGradientFor(name).dup('c').data().asFloat(), TO_OURS);
  }

  /** With the gradient of the sum of the outputs given from outside. */
  private Gradient train() {
    net.setInput(x);
    net.feedForward(true, false);
    return net.backpropGradient(ones, null).getFirst();
  }

  @Override
  public void once(String pass) {
    if (work.kind().equals(Work.STEP)) {
      net.rnnTimeStep(first);
    } else if (pass.equals("train")) {
      train();
    } else {
      net.output(x);
    }
  }
}

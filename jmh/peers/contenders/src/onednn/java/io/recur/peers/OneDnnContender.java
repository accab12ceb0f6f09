package io.recur.peers;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_LAYER;
import static org.bytedeco.dnnl.global.dnnl.dnnl_version;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;

/**
 * oneDNN's recurrent primitives through JavaCPP: vanilla RNN, LSTM, and the GRU whose reset gate
 * multiplies the product (linear before reset), in float32. It has no optimiser, so no character
 * model. A backward pass always computes the gradient of x as well.
 */
final class OneDnnContender implements Contender {
  private final engine engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0);
  private final stream stream = new stream(engine);

  private Work work;
  private float[] one; // the first step of x
  private List<OneDnnLayer> inference;
  private List<OneDnnLayer> training;

  public static void main(String[] args) throws Exception {
    Contender.serve(new OneDnnContender());
  }

  @Override
  public String version() {
    dnnl_version_t version = dnnl_version();
    return "%d.%d.%d".formatted(version.major(), version.minor(), version.patch());
  }

  @Override
  public void prepare(Work work) {
    this.work = work;
    one = work.first();
    inference = layers(false);
    training = null; // its workspaces are large: made when a pass asks for them
  }

  private List<OneDnnLayer> layers(boolean trains) {
    List<OneDnnLayer> layers = new ArrayList<>();
    memory x = null;
    for (int l = 0; l < work.layers(); l++) {
      OneDnnLayer layer = new OneDnnLayer(engine, stream, work, l, trains, x);
      layers.add(layer);
      x = layer.y();
    }
    if (!work.kind().equals(Work.STEP)) {
      layers.getFirst().put(DNNL_ARG_SRC_LAYER, work.array("x"));
    }
    memory dy = null;
    for (int l = layers.size() - 1; trains && l >= 0; l--) {
      layers.get(l).gradient(dy);
      dy = layers.get(l).dx();
    }
    return layers;
  }

  private List<OneDnnLayer> training() {
    if (training == null) {
      training = layers(true);
    }
    return training;
  }

  @Override
  public Map<String, float[]> answer(String pass) throws Exception {
    if (work.kind().equals(Work.STEP)) {
      inference = layers(false); // states of zero
      return Map.of("y", Contender.steps(work, this::step));
    }
    Map<String, float[]> answer = new LinkedHashMap<>();
    once(pass);
    List<OneDnnLayer> layers = pass.equals("train") ? training() : inference;
    answer.put("y", layers.getLast().output());
    for (int l = 0; pass.equals("train") && l < layers.size(); l++) {
      layers.get(l).answer(l, answer);
    }
    return answer;
  }

  private float[] step(float[] x) {
    OneDnnLayer only = inference.getFirst();
    only.put(DNNL_ARG_SRC_LAYER, x);
    only.step();
    return only.output();
  }

  @Override
  public void once(String pass) {
    if (pass.equals("train")) {
      training().forEach(OneDnnLayer::forward);
      training().reversed().forEach(OneDnnLayer::backward);
    } else if (pass.equals("step")) {
      step(one);
    } else {
      inference.forEach(OneDnnLayer::forward);
    }
    stream._wait();
  }
}

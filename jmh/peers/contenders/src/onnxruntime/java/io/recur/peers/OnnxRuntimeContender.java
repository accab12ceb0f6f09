package io.recur.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** ONNX Runtime through its own Java interface: inference on 2 threads, else at its defaults. */
final class OnnxRuntimeContender implements Contender {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private Work work;
  private OrtSession session;
  private OnnxTensor x;

  /** Holds h and c of the step before, or nothing at the beginning. */
  private OrtSession.Result state;

  private OnnxTensor h;
  private OnnxTensor c;

  public static void main(String[] args) throws Exception {
    Contender.serve(new OnnxRuntimeContender());
  }

  @Override
  public String version() {
    return environment.getVersion();
  }

  @Override
  public void prepare(Work work) throws OrtException {
    if (session != null) {
      session.close();
      session = null;
    }
    this.work = work;
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(2);
      session = environment.createSession(OnnxModel.of(work), options);
    }
    if (work.kind().equals(Work.STEP)) {
      x = tensor(work.first(), 1, 1, work.in());
      reset();
    } else {
      x = tensor(work.array("x"), work.time(), work.batch(), work.in());
    }
  }

  private OnnxTensor tensor(float[] values, long... shape) throws OrtException {
    FloatBuffer direct =
        ByteBuffer.allocateDirect(4 * values.length)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer()
            .put(values)
            .flip();
    return OnnxTensor.createTensor(environment, direct, shape);
  }

  private void reset() throws OrtException {
    state = null;
    h = tensor(new float[work.hidden()], 1, 1, work.hidden());
    c = tensor(new float[work.hidden()], 1, 1, work.hidden());
  }

  @Override
  public Map<String, float[]> answer(String pass) throws Exception {
    if (!work.kind().equals(Work.STEP)) {
      try (OrtSession.Result result = session.run(Map.of("X", x))) {
        return Map.of("y", values(result));
      }
    }
    reset();
    return Map.of("y", Contender.steps(work, this::step));
  }

  private float[] step(float[] now) throws OrtException {
    try (OnnxTensor tensor = tensor(now, 1, 1, work.in())) {
      step(tensor);
    }
    return values(state);
  }

  private static float[] values(OrtSession.Result result) {
    FloatBuffer buffer = ((OnnxTensor) result.get("Y").orElseThrow()).getFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  private void step(OnnxTensor now) throws OrtException {
    OrtSession.Result next = session.run(Map.of("X", now, "initial_h", h, "initial_c", c));
    h = (OnnxTensor) next.get("Y_h").orElseThrow();
    c = (OnnxTensor) next.get("Y_c").orElseThrow();
    if (state != null) {
      state.close();
    }
    state = next;
  }

  @Override
  public void once(String pass) throws OrtException {
    if (work.kind().equals(Work.STEP)) {
      step(x);
    } else {
      session.run(Map.of("X", x)).close();
    }
  }
}

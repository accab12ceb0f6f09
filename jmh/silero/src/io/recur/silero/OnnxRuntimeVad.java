package io.recur.silero;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Map;

/** The model as ONNX Runtime runs it, through its own Java interface. */
final class OnnxRuntimeVad implements Vad {
  private static final int UNITS = 128;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final OnnxTensor rate;
  private FloatBuffer samples = direct(0);

  /** Holds the state of the call before, or nothing at the beginning. */
  private OrtSession.Result last;

  OnnxRuntimeVad(Path path, int threads) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      session = environment.createSession(path.toString(), options);
    }
    rate = OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[] {RATE}), new long[0]);
  }

  private static FloatBuffer direct(int floats) {
    return ByteBuffer.allocateDirect(Float.BYTES * floats)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  @Override
  public void reset() {
    if (last != null) {
      last.close();
    }
    last = null;
  }

  @Override
  public float[] hear(float[] windows) throws OrtException {
    int batch = windows.length / WINDOW;
    samples = samples.capacity() == windows.length ? samples : direct(windows.length);
    samples.clear().put(windows).flip();
    try (OnnxTensor input =
            OnnxTensor.createTensor(environment, samples, new long[] {batch, WINDOW});
        OnnxTensor zeros =
            last != null
                ? null
                : OnnxTensor.createTensor(
                    environment, direct(2 * batch * UNITS), new long[] {2, batch, UNITS})) {
      OnnxTensor state = last == null ? zeros : (OnnxTensor) last.get("stateN").orElseThrow();
      OrtSession.Result next = session.run(Map.of("input", input, "state", state, "sr", rate));
      reset();
      last = next;
    }
    float[] speech = new float[batch];
    ((OnnxTensor) last.get("output").orElseThrow()).getFloatBuffer().get(speech);
    return speech;
  }

  @Override
  public void close() {
    reset();
    rate.close();
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}

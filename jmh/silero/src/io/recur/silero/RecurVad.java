package io.recur.silero;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.io.onnx.Dims;
import io.recur.io.onnx.OnnxModel;
import io.recur.io.onnx.Value;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The model as Recur runs it. */
final class RecurVad implements Vad {
  private final Device device;
  private final Tape tape;
  private final OnnxModel model;

  RecurVad(Path path, int threads) throws IOException {
    device = Device.cpu(threads);
    tape = Tape.inference(device);
    model =
        OnnxModel.read(path, Map.of("sr", Value.of(Dims.of(), (long) RATE))).on(device, 42);
  }

  @Override
  public void reset() {
    model.reset();
  }

  @Override
  public float[] hear(float[] windows) {
    Value input = new Value.Reals(Dims.of(windows.length / WINDOW, WINDOW), windows);
    float[] speech = model.run(tape, Map.of("input", input)).get("output").floats();
    tape.clear();
    return speech;
  }

  @Override
  public void close() {
    tape.close();
    device.close();
  }
}

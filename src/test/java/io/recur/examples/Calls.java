package io.recur.examples;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.io.onnx.*;
import java.io.File;
import java.nio.file.Path;
import java.util.*;

/** Hears who speaks in a thousand calls at once: one model, a state for each call. */
final class Calls {
  static final int CALLS = 1000, BATCH = 64, CHUNK = Speech.CHUNK, BEFORE = Speech.BEFORE;

  private final OnnxModel model;
  private final Tape tape;
  private final int units;

  /** What the model knows of a call, which may be stored: its last samples and the state. */
  final class Call {
    final float[] before = new float[BEFORE];
    final float[][] state = new float[2][units];
    float speech;
  }

  Calls(OnnxModel model, Tape tape) {
    this.model = model;
    this.tape = tape;
    Value silence = Value.of(Dims.of(1, BEFORE + CHUNK), new float[BEFORE + CHUNK]);
    units = model.run(tape, Map.of("input", silence)).get("stateN").dims().size(2);
    tape.clear();
  }

  public static void main(String[] args) throws Exception {
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      Calls server = new Calls(Speech.read(Path.of(args[0]), device), tape);
      float[] samples = Speech.samples(new File(args[1]));
      List<Call> calls = new ArrayList<>();
      for (int i = 0; i < CALLS; i++) {
        calls.add(server.new Call());
      }
      long began = System.nanoTime();
      for (int t = 0; t < 10 * Speech.RATE / CHUNK; t++) {
        List<float[]> chunks = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) { // each call is elsewhere in the recording
          int at = (i * 37 + t) % (samples.length / CHUNK) * CHUNK;
          chunks.add(Arrays.copyOfRange(samples, at, at + CHUNK));
        }
        server.hear(calls, chunks);
      }
      long speaking = calls.stream().filter(call -> call.speech > 0.5).count();
      double seconds = (System.nanoTime() - began) * 1e-9;
      System.out.printf("%d of %d speak; 10 s took %.1f s%n", speaking, CALLS, seconds);
    }
  }

  /** Hears the next chunk of each of these calls; others may have none yet. */
  void hear(List<Call> calls, List<float[]> chunks) {
    for (int from = 0; from < calls.size(); from += BATCH) {
      int to = Math.min(from + BATCH, calls.size());
      batch(calls.subList(from, to), chunks.subList(from, to));
    }
  }

  private void batch(List<Call> calls, List<float[]> chunks) {
    int n = calls.size(), window = BEFORE + CHUNK;
    float[] x = new float[n * window], state = new float[2 * n * units];
    for (int i = 0; i < n; i++) {
      Call call = calls.get(i);
      System.arraycopy(call.before, 0, x, i * window, BEFORE);
      System.arraycopy(chunks.get(i), 0, x, i * window + BEFORE, CHUNK);
      System.arraycopy(chunks.get(i), CHUNK - BEFORE, call.before, 0, BEFORE);
      System.arraycopy(call.state[0], 0, state, i * units, units); // [2, n, units]
      System.arraycopy(call.state[1], 0, state, (n + i) * units, units);
    }
    Value input = Value.of(Dims.of(n, window), x), states = Value.of(Dims.of(2, n, units), state);
    Map<String, Value> y = model.run(tape, Map.of("input", input, "state", states));
    float[] speech = y.get("output").floats(), next = y.get("stateN").floats();
    for (int i = 0; i < n; i++) {
      calls.get(i).speech = speech[i];
      System.arraycopy(next, i * units, calls.get(i).state[0], 0, units);
      System.arraycopy(next, (n + i) * units, calls.get(i).state[1], 0, units);
    }
    tape.clear();
  }
}

package io.recur.examples;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.io.onnx.*;
import java.io.*;
import java.nio.*;
import java.nio.file.Path;
import java.util.*;
import javax.sound.sampled.*;

/** Marks speech in a WAV file with a model of voice activity: Silero's, as {@code make silero}. */
final class Speech {
  static final int RATE = 16_000, CHUNK = 512, BEFORE = 64, PAUSE = 10;

  public static void main(String[] args) throws Exception {
    try (Device device = Device.cpu()) {
      OnnxModel model = read(Path.of(args[0]), device);
      float[] scores = scores(model, device, samples(new File(args[1])));
      for (double[] part : parts(scores)) {
        System.out.printf("speech from %.2f s to %.2f s%n", part[0], part[1]);
      }
    }
  }

  /** The graph has a branch per sample rate: the one that is not fixed is never read. */
  static OnnxModel read(Path path, Device device) throws IOException {
    return OnnxModel.read(path, Map.of("sr", Value.of(Dims.of(), (long) RATE))).on(device, 42);
  }

  /** How likely each chunk is speech. The model reads it with the last samples before it. */
  static float[] scores(OnnxModel model, Device device, float[] samples) {
    float[] scores = new float[samples.length / CHUNK];
    float[] x = new float[BEFORE + CHUNK];
    model.reset();
    try (Tape tape = Tape.inference(device)) {
      for (int i = 0; i < scores.length; i++) {
        System.arraycopy(x, CHUNK, x, 0, BEFORE);
        System.arraycopy(samples, i * CHUNK, x, BEFORE, CHUNK);
        Value chunk = Value.of(Dims.of(1, x.length), x);
        scores[i] = model.run(tape, Map.of("input", chunk)).get("output").floats()[0];
        tape.clear(); // the model keeps its state
      }
    }
    return scores;
  }

  /** Speech begins with a score above a half and ends before a pause of scores below a third. */
  static List<double[]> parts(float[] scores) {
    List<double[]> parts = new ArrayList<>();
    double seconds = (double) CHUNK / RATE;
    int from = -1, quiet = 0;
    for (int i = 0; i < scores.length; i++) {
      quiet = scores[i] < 0.35 ? quiet + 1 : 0;
      from = from < 0 && scores[i] > 0.5 ? i : from;
      if (from >= 0 && (quiet == PAUSE || i == scores.length - 1)) {
        parts.add(new double[] {from * seconds, (i + 1 - quiet) * seconds});
        from = -1;
      }
    }
    return parts;
  }

  /** The samples of a file at the model's rate, between −1 and 1. */
  static float[] samples(File file) throws IOException, UnsupportedAudioFileException {
    AudioFormat format = new AudioFormat(RATE, 16, 1, true, false);
    try (AudioInputStream in =
        AudioSystem.getAudioInputStream(format, AudioSystem.getAudioInputStream(file))) {
      ShortBuffer values =
          ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
      float[] samples = new float[values.remaining()];
      for (int i = 0; i < samples.length; i++) {
        samples[i] = values.get(i) / 32768f;
      }
      return samples;
    }
  }
}

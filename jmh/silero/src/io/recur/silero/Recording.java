package io.recur.silero;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import javax.sound.sampled.UnsupportedAudioFileException;

/** Speech with pauses, cut into the windows that a model reads. */
final class Recording {
  /** Between two sentences. */
  private static final double PAUSE_SECONDS = 1.6;

  /** Of a pause: faint noise, not zeros, as in a room. */
  private static final double NOISE = 5e-4;

  private final float[] samples;

  private Recording(float[] samples) {
    this.samples = samples;
  }

  static Recording of(List<Path> files) throws IOException, UnsupportedAudioFileException {
    List<float[]> parts = new ArrayList<>();
    Random random = new Random(1);
    for (Path file : files) {
      parts.add(pause(random));
      parts.add(samples(file));
    }
    float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return new Recording(all);
  }

  private static float[] pause(Random random) {
    float[] pause = new float[(int) (PAUSE_SECONDS * Vad.RATE)];
    for (int i = 0; i < pause.length; i++) {
      pause[i] = (float) (NOISE * random.nextGaussian());
    }
    return pause;
  }

  private static float[] samples(Path file) throws IOException, UnsupportedAudioFileException {
    AudioFormat format = new AudioFormat(Vad.RATE, 16, 1, true, false);
    try (AudioInputStream whole = AudioSystem.getAudioInputStream(file.toFile());
        AudioInputStream in = AudioSystem.getAudioInputStream(format, whole)) {
      ShortBuffer values =
          ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
      float[] samples = new float[values.remaining()];
      for (int i = 0; i < samples.length; i++) {
        samples[i] = values.get(i) / 32768f;
      }
      return samples;
    }
  }

  double seconds() {
    return (double) samples.length / Vad.RATE;
  }

  /** The window of a chunk; the recording begins again where it ends. */
  float[] window(long chunk) {
    long chunks = samples.length / Vad.CHUNK;
    int at = (int) (chunk % chunks) * Vad.CHUNK;
    float[] window = new float[Vad.WINDOW];
    if (at > 0) {
      System.arraycopy(samples, at - Vad.BEFORE, window, 0, Vad.BEFORE);
    }
    System.arraycopy(samples, at, window, Vad.BEFORE, Vad.CHUNK);
    return window;
  }

  /** The windows of several streams, each of which is elsewhere in the recording. */
  float[] windows(int streams, int chunk) {
    float[] all = new float[streams * Vad.WINDOW];
    for (int stream = 0; stream < streams; stream++) {
      float[] window = window(chunk + 13L * stream);
      System.arraycopy(window, 0, all, stream * Vad.WINDOW, Vad.WINDOW);
    }
    return all;
  }

  /** {@return the share of answers above and below two limits} */
  static double[] shares(float[] answers, double above, double below) {
    double most = 0;
    double least = 0;
    for (float answer : answers) {
      most += answer > above ? 1 : 0;
      least += answer < below ? 1 : 0;
    }
    return Arrays.stream(new double[] {most, least}).map(n -> n / answers.length).toArray();
  }
}

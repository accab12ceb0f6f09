package io.recur.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.onnx.OnnxModel;
import io.recur.nn.Layer;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.sound.sampled.AudioFileFormat;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs on voice activity, with a small graph of the nodes of Silero's and random weights.
 */
@Tag(Devices.CPU)
class SpeechTest {
  /** A batch is computed in other orders of a sum than a single stream. */
  private static final float TOLERANCE = 1e-5f;

  @AutoClose private final Device device = Device.cpu();
  @TempDir private Path folder;

  private OnnxModel model() throws IOException {
    Path file = folder.resolve("model.onnx");
    try (InputStream in = SpeechTest.class.getResourceAsStream("/onnx/silero.zip");
        ZipInputStream zip = new ZipInputStream(in)) {
      ZipEntry entry = zip.getNextEntry();
      while (!entry.getName().equals("16000.onnx")) {
        entry = zip.getNextEntry();
      }
      Files.write(file, zip.readAllBytes());
    }
    return Speech.read(file, device);
  }

  private static float[] noise(int samples, int seed) {
    Random random = new Random(seed);
    float[] noise = new float[samples];
    for (int i = 0; i < samples; i++) {
      noise[i] = (float) (0.3 * random.nextGaussian());
    }
    return noise;
  }

  @Test
  void aCallIsHeardAmongOthersAsItIsAlone() throws IOException {
    int chunks = 5;
    List<float[]> recordings = new ArrayList<>();
    for (int i = 0; i < Calls.BATCH + 2; i++) {
      recordings.add(noise(chunks * Speech.CHUNK, i));
    }
    float[][] heard = new float[recordings.size()][chunks];
    try (Tape tape = Tape.inference(device)) {
      Calls server = new Calls(model(), tape);
      List<Calls.Call> calls = new ArrayList<>();
      recordings.forEach(recording -> calls.add(server.new Call()));
      for (int t = 0; t < chunks; t++) {
        int from = t * Speech.CHUNK;
        server.hear(
            calls,
            recordings.stream()
                .map(recording -> Arrays.copyOfRange(recording, from, from + Speech.CHUNK))
                .toList());
        for (int i = 0; i < heard.length; i++) {
          heard[i][t] = calls.get(i).speech;
        }
      }
    }
    OnnxModel model = model();
    for (int i = 0; i < heard.length; i += 13) {
      float[] alone = Speech.scores(model, device, recordings.get(i));
      assertArrayEquals(alone, heard[i], TOLERANCE);
      assertTrue(alone[0] != alone[1]);
    }
  }

  /** Streams of a graph do not depend on each other, as {@code recur serve --independent} says. */
  private record Streams(OnnxModel graph) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return graph.apply(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(graph);
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }

    @Override
    public Layer fork(Fork fork) {
      return new Streams((OnnxModel) fork.of(graph));
    }
  }

  /** Two streams in turns over HTTP; the server keeps the state of each. */
  @Test
  void aLiveStreamIsHeardAsItsRecordingIs() throws Exception {
    int chunks = 6;
    List<float[]> recordings =
        List.of(noise(chunks * Speech.CHUNK, 1), noise(chunks * Speech.CHUNK, 2));
    float[][] heard = new float[recordings.size()][chunks];
    try (Sessions sessions = Sessions.open(new Streams(model()), device);
        Server server =
            Server.open(
                ServerSettings.LOCAL.withPort(0),
                ServedModel.of("speech", sessions).withNames("input", "output"));
        HttpClient client = HttpClient.newHttpClient()) {
      List<LiveSpeech> streams =
          List.of(
              new LiveSpeech(client, server.uri(), "first"),
              new LiveSpeech(client, server.uri(), "second"));
      for (int t = 0; t < chunks; t++) {
        for (int i = 0; i < heard.length; i++) {
          int from = t * Speech.CHUNK;
          float[] chunk = Arrays.copyOfRange(recordings.get(i), from, from + Speech.CHUNK);
          heard[i][t] = streams.get(i).score(chunk, t == chunks - 1);
          streams.get(i).mark(heard[i][t], false);
        }
      }
      assertEquals(0, sessions.counts().sessions(), "the last chunk ends its sequence");
    }
    OnnxModel model = model();
    for (int i = 0; i < heard.length; i++) {
      float[] alone = Speech.scores(model, device, recordings.get(i));
      assertArrayEquals(alone, heard[i], TOLERANCE);
      assertTrue(alone[1] != alone[2]);
    }
  }

  /** As soon as a pause tells that they are over. */
  @Test
  void theSamePartsAreMarkedLive() throws Exception {
    Random random = new Random(3);
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (int round = 0; round < 50; round++) {
        float[] scores = new float[100];
        for (int i = 0; i < scores.length; i++) {
          boolean isSame = i > 0 && random.nextInt(8) > 0;
          scores[i] = isSame ? scores[i - 1] : random.nextFloat();
        }
        List<double[]> parts = new ArrayList<>();
        LiveSpeech live = new LiveSpeech(client, URI.create("http://127.0.0.1/"), "none");
        for (int i = 0; i < scores.length; i++) {
          live.mark(scores[i], i == scores.length - 1).ifPresent(parts::add);
        }
        assertArrayEquals(Speech.parts(scores).toArray(), parts.toArray());
      }
    }
  }

  @Test
  void speechBeginsWithAHighScoreAndEndsBeforeAPause() {
    float[] scores = new float[40];
    Arrays.fill(scores, 5, 12, 0.9f);
    scores[14] = 0.4f; // no end within the pause
    Arrays.fill(scores, 38, 40, 0.6f);
    List<double[]> parts = Speech.parts(scores);
    double seconds = 0.032;
    assertEquals(2, parts.size());
    assertArrayEquals(new double[] {5 * seconds, 15 * seconds}, parts.get(0), 1e-9);
    assertArrayEquals(new double[] {38 * seconds, 40 * seconds}, parts.get(1), 1e-9);
  }

  @Test
  void aFileOfAnotherRateIsReadAtThatOfTheModel() throws Exception {
    int rate = 8_000;
    ByteBuffer bytes = ByteBuffer.allocate(2 * rate).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < rate; i++) {
      bytes.putShort((short) (16_384 * Math.sin(2 * Math.PI * 440 * i / rate)));
    }
    AudioFormat format = new AudioFormat(rate, 16, 1, true, false);
    Path file = folder.resolve("tone.wav");
    AudioSystem.write(
        new AudioInputStream(new ByteArrayInputStream(bytes.array()), format, rate),
        AudioFileFormat.Type.WAVE,
        file.toFile());
    float[] samples = Speech.samples(file.toFile());
    assertEquals(Speech.RATE, samples.length, 100);
    int crossings = 0;
    for (int i = 1; i < samples.length; i++) {
      crossings += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
    }
    assertEquals(440, crossings, 3);
  }
}

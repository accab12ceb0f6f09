package io.recur.examples;

import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.nio.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * Marks speech while it is spoken: sends a WAV's chunks to a model of voice activity behind {@code
 * recur serve}, one after the other, as a microphone would. The server keeps the stream's state.
 */
final class LiveSpeech {
  private final HttpClient client;
  private final URI infer;
  private final String stream;
  private final float[] x = new float[Speech.BEFORE + Speech.CHUNK];
  private int heard, from = -1, quiet;

  /** A stream with a name of its own. */
  LiveSpeech(HttpClient client, URI server, String stream) {
    this.client = client;
    this.infer = server.resolve("/v2/models/speech/infer");
    this.stream = stream;
  }

  public static void main(String[] args) throws Exception {
    float[] samples = Speech.samples(new File(args[1]));
    try (HttpClient client = HttpClient.newHttpClient()) {
      LiveSpeech live = new LiveSpeech(client, URI.create(args[0]), "microphone");
      for (int at = 0; at + Speech.CHUNK <= samples.length; at += Speech.CHUNK) {
        boolean isLast = at + 2 * Speech.CHUNK > samples.length;
        float[] chunk = Arrays.copyOfRange(samples, at, at + Speech.CHUNK);
        live.mark(live.score(chunk, isLast), isLast)
            .ifPresent(
                part -> System.out.printf("speech from %.2f s to %.2f s%n", part[0], part[1]));
      }
    }
  }

  /** How likely the next chunk is speech. The model reads it with the last samples before it. */
  float score(float[] chunk, boolean isLast) throws IOException, InterruptedException {
    System.arraycopy(x, Speech.CHUNK, x, 0, Speech.BEFORE);
    System.arraycopy(chunk, 0, x, Speech.BEFORE, Speech.CHUNK);
    String json =
        """
        {"parameters": {"sequence_id": "%s", "sequence_start": %b, "sequence_end": %b}, \
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [1, %d], \
        "parameters": {"binary_data_size": %d}}]}"""
            .formatted(stream, heard == 0, isLast, x.length, 4 * x.length);
    byte[] head = json.getBytes(StandardCharsets.UTF_8);
    ByteBuffer body = ByteBuffer.allocate(head.length + 4 * x.length).put(head);
    body.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(x);
    HttpRequest request =
        HttpRequest.newBuilder(infer)
            .header("Inference-Header-Content-Length", "" + head.length)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.array()))
            .build();
    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.body());
    }
    return Float.parseFloat(answer.body().replaceFirst("(?s).*\"data\": \\[([^,\\]]*).*", "$1"));
  }

  /** A part that is over, from and to its seconds: speech ends before a pause. */
  Optional<double[]> mark(float score, boolean isLast) {
    double seconds = (double) Speech.CHUNK / Speech.RATE;
    quiet = score < 0.35 ? quiet + 1 : 0;
    from = from < 0 && score > 0.5 ? heard : from;
    heard++;
    if (from < 0 || quiet < Speech.PAUSE && !isLast) {
      return Optional.empty();
    }
    double[] part = {from * seconds, (heard - quiet) * seconds};
    from = -1;
    return Optional.of(part);
  }
}

package io.recur.jmh;

import static io.recur.nn.Layers.lstm;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.nn.Recur;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CyclicBarrier;

/**
 * Clients of a server of {@link HttpServe}, in a process of their own: each has a connection that
 * stays and a sequence, and sends its next step when the last one is answered. The first steps are
 * compared with those of a Recur.
 */
final class HttpLoad {
  static final int UNITS = 512;
  private static final int CLIENTS = 64;
  private static final int INPUTS = 16;
  private static final int CHECKED = 8;

  private final URI uri;
  private final boolean isBinary;
  private final double tolerance;
  private final float[][] inputs = new float[INPUTS][];

  HttpLoad(URI uri, boolean isBinary, double tolerance) {
    this.uri = uri;
    this.isBinary = isBinary;
    this.tolerance = tolerance;
    Arrays.setAll(inputs, i -> Check.random(UNITS, i));
  }

  /** The model that all servers have, whose weights depend on nothing but the seed. */
  static Recur model(Device device) {
    return lstm(UNITS, UNITS).on(device, 1);
  }

  /**
   * Compares the first steps, and then runs the clients once for each line of its input, which says
   * for how many seconds. It prints a line after each: steps per second, and the milliseconds of
   * p50, p99 and p99.9.
   *
   * @param arguments URI, json or binary, the largest difference that is allowed
   */
  static void main(String... arguments) throws Exception {
    HttpLoad load =
        new HttpLoad(
            URI.create(arguments[0]),
            arguments[1].equals("binary"),
            Double.parseDouble(arguments[2]));
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    float[][] expected = load.expected();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(load.measured(Double.parseDouble(line), expected));
      expected = new float[0][];
    }
  }

  /** Runs the clients, whose connections are new. Those of before have been idle. */
  private String measured(double seconds, float[][] expected) throws Exception {
    Thread[] threads = new Thread[CLIENTS];
    Client[] clients = new Client[CLIENTS];
    CyclicBarrier together = new CyclicBarrier(CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
      clients[i] = new Client(i + 1, expected, together, seconds);
      threads[i] = Thread.ofVirtual().start(clients[i]);
    }
    long steps = 0;
    double elapsed = 0;
    for (int i = 0; i < CLIENTS; i++) {
      threads[i].join();
      if (clients[i].failure != null) {
        throw clients[i].failure;
      }
      steps += clients[i].steps;
      elapsed = Math.max(elapsed, clients[i].elapsed);
    }
    long[] nanos = new long[(int) steps];
    int at = 0;
    for (Client client : clients) {
      System.arraycopy(client.nanos, 0, nanos, at, client.steps);
      at += client.steps;
    }
    Arrays.sort(nanos);
    return String.format(
        Locale.ROOT,
        "%.0f %.3f %.3f %.3f",
        1e9 * steps / elapsed,
        nanos[nanos.length / 2] * 1e-6,
        nanos[(int) (nanos.length * 0.99)] * 1e-6,
        nanos[(int) (nanos.length * 0.999)] * 1e-6);
  }

  private float[][] expected() {
    float[][] expected = new float[CHECKED][];
    try (Device device = Device.cpu(1);
        Recur recur = model(device);
        Tape tape = Tape.inference(device)) {
      for (int t = 0; t < CHECKED; t++) {
        expected[t] = recur.apply(tape.input(inputs[t])).toArray();
        tape.clear();
      }
    }
    return expected;
  }

  /** A request as bytes. */
  private byte[] request(int id, int input, boolean isStart) {
    String parameters =
        "\"parameters\": {\"sequence_id\": %d%s%s}, "
            .formatted(
                id,
                isStart ? ", \"sequence_start\": true" : "",
                isBinary ? ", \"binary_data_output\": true" : "");
    String data =
        isBinary
            ? "\"parameters\": {\"binary_data_size\": %d}".formatted(4 * UNITS)
            : "\"data\": " + Arrays.toString(inputs[input]);
    String json =
        "{%s\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [1, %d], %s}]}"
            .formatted(parameters, UNITS, data);
    byte[] text = json.getBytes(StandardCharsets.US_ASCII);
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(text);
    if (isBinary) {
      ByteBuffer values = ByteBuffer.allocate(4 * UNITS).order(ByteOrder.LITTLE_ENDIAN);
      values.asFloatBuffer().put(inputs[input]);
      body.writeBytes(values.array());
    }
    String head =
        "POST /v2/models/lstm/infer HTTP/1.1\r\nHost: %s:%d\r\nContent-Length: %d\r\n%s\r\n"
            .formatted(
                uri.getHost(),
                uri.getPort(),
                body.size(),
                isBinary ? "Inference-Header-Content-Length: %d\r\n".formatted(text.length) : "");
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
    all.writeBytes(body.toByteArray());
    return all.toByteArray();
  }

  /** One connection and one sequence. */
  private final class Client implements Runnable {
    private final int id;
    private final float[][] expected;
    private final CyclicBarrier together;
    private final double seconds;
    private long[] nanos = new long[1 << 12];
    private int steps;
    private double elapsed;
    private Exception failure;
    private int header;

    Client(int id, float[][] expected, CyclicBarrier together, double seconds) {
      this.id = id;
      this.expected = expected;
      this.together = together;
      this.seconds = seconds;
    }

    @Override
    public void run() {
      try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
        socket.setTcpNoDelay(true);
        OutputStream to = socket.getOutputStream();
        InputStream from = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        for (int t = 0; t < expected.length; t++) {
          to.write(request(id, t, t == 0));
          compare(answer(from), expected[t]);
        }
        byte[][] requests = new byte[INPUTS][];
        Arrays.setAll(requests, i -> request(id, i, false));
        together.await();
        elapsed = run(to, from, requests, seconds);
      } catch (Exception e) {
        failure = e;
        together.reset();
      }
    }

    private double run(OutputStream to, InputStream from, byte[][] requests, double seconds)
        throws IOException {
      long begin = System.nanoTime();
      long end = begin + (long) (1e9 * seconds);
      long now = begin;
      while (now < end) {
        to.write(requests[steps % INPUTS]);
        answer(from);
        long then = now;
        now = System.nanoTime();
        nanos = steps == nanos.length ? Arrays.copyOf(nanos, 2 * steps) : nanos;
        nanos[steps++] = now - then;
      }
      return now - begin;
    }

    /** Reads an answer, and returns its body. */
    private byte[] answer(InputStream from) throws IOException {
      String status = line(from);
      int length = -1;
      header = 0;
      for (String line = line(from); !line.isEmpty(); line = line(from)) {
        int colon = line.indexOf(':');
        String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
        if (name.equals("content-length")) {
          length = Integer.parseInt(line.substring(colon + 1).strip());
        } else if (name.equals("inference-header-content-length")) {
          header = Integer.parseInt(line.substring(colon + 1).strip());
        }
      }
      byte[] body = from.readNBytes(length);
      if (body.length != length || !status.startsWith("HTTP/1.1 200")) {
        throw new IOException(status + ": " + new String(body, StandardCharsets.UTF_8));
      }
      return body;
    }

    private static String line(InputStream from) throws IOException {
      StringBuilder line = new StringBuilder(64);
      for (int c = from.read(); c != '\n'; c = from.read()) {
        if (c < 0) {
          throw new EOFException("the server has ended");
        }
        if (c != '\r') {
          line.append((char) c);
        }
      }
      return line.toString();
    }

    private void compare(byte[] body, float[] its) {
      float[] y = new float[UNITS];
      if (isBinary) {
        ByteBuffer.wrap(body, header, 4 * UNITS)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(y);
      } else {
        String text = new String(body, StandardCharsets.US_ASCII);
        String data = text.substring(text.indexOf('[', text.indexOf("\"data\"")) + 1);
        String[] values = data.substring(0, data.indexOf(']')).split(",");
        for (int i = 0; i < UNITS; i++) {
          y[i] = Float.parseFloat(values[i].strip());
        }
      }
      Check.close("session " + id, y, Check.widen(its), tolerance);
    }
  }
}

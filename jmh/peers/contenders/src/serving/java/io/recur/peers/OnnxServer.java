package io.recur.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.serve.Sessions;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * ONNX Runtime behind our server and our batches: the states of a batch are handed to it and taken
 * back by hand, as whoever serves with it has to.
 */
public final class OnnxServer {
  private static final int UNITS = 512;
  private static final Set<String> STATES = Set.of("h0", "c0");

  private OnnxServer() {}

  /** A graph of x, h and c as a cell. */
  private record Graph(OrtEnvironment environment, OrtSession session, Parameter h, Parameter c)
      implements Cell {
    @Override
    public Step step(State state, Tensor x) {
      return run(state, x);
    }

    @Override
    public Step run(State state, Tensor x) {
      int batch = x.shape().batch();
      int time = x.shape().time();
      Tape tape = x.tape();
      Map<String, OnnxTensor> given = new HashMap<>();
      try {
        given.put("x", tensor(x, time, batch, UNITS));
        given.put("h0", tensor(state.h(), batch, UNITS));
        given.put("c0", tensor(state.c(), batch, UNITS));
        try (OrtSession.Result all = session.run(given)) {
          Shape next = Shape.of(UNITS, batch);
          return new Step(
              State.of(tape.input(next, values(all, 1)), tape.input(next, values(all, 2))),
              tape.input(x.shape(), values(all, 0)));
        } finally {
          given.values().forEach(OnnxTensor::close);
        }
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }

    private OnnxTensor tensor(Tensor of, long... sizes) throws OrtException {
      float[] values = of.toArray();
      FloatBuffer direct =
          ByteBuffer.allocateDirect(Float.BYTES * values.length)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer()
              .put(values)
              .flip();
      return OnnxTensor.createTensor(environment, direct, sizes);
    }

    private static float[] values(OrtSession.Result all, int output) throws OrtException {
      FloatBuffer values = ((OnnxTensor) all.get(output)).getFloatBuffer();
      float[] copy = new float[values.remaining()];
      values.get(copy);
      return copy;
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h, c);
    }

    @Override
    public List<Parameter> parameters() {
      return state0();
    }
  }

  /**
   * A graph without the values of h0 and c0, which Java's interface would not let a caller replace:
   * they become inputs that must be there. Fields are those of onnx.proto: the graph is 7 of a
   * model, a tensor 5 of a graph, and its name 8.
   */
  private static byte[] withStatesAsInputs(ByteBuffer from, int level) {
    ByteArrayOutputStream to = new ByteArrayOutputStream();
    while (from.hasRemaining()) {
      int begin = from.position();
      long tag = varint(from);
      int field = (int) (tag >>> 3);
      if ((tag & 7) != 2) { // the others of these two messages are numbers
        varint(from);
        to.write(from.array(), begin, from.position() - begin);
        continue;
      }
      int length = (int) varint(from);
      ByteBuffer inner = ByteBuffer.wrap(from.array(), from.position(), length);
      from.position(from.position() + length);
      if (level == 0 && field == 7) {
        byte[] graph = withStatesAsInputs(inner, 1);
        write(to, tag);
        write(to, graph.length);
        to.writeBytes(graph);
      } else if (level == 0 || field != 5 || !STATES.contains(name(inner))) {
        to.write(from.array(), begin, from.position() - begin);
      }
    }
    return to.toByteArray();
  }

  private static String name(ByteBuffer tensor) {
    while (tensor.hasRemaining()) {
      long tag = varint(tensor);
      int length = (int) varint(tensor); // or a number, behind which the next field begins
      if ((tag & 7) == 2) {
        if (tag >>> 3 == 8) {
          return new String(tensor.array(), tensor.position(), length, StandardCharsets.UTF_8);
        }
        tensor.position(tensor.position() + length);
      }
    }
    return "";
  }

  private static long varint(ByteBuffer from) {
    long value = 0;
    int shift = 0;
    byte next;
    do {
      next = from.get();
      value |= (next & 0x7fL) << shift;
      shift += 7;
    } while (next < 0);
    return value;
  }

  private static void write(ByteArrayOutputStream to, long value) {
    long left = value;
    while (left > 0x7f) {
      to.write((int) (left & 0x7f | 0x80));
      left >>>= 7;
    }
    to.write((int) left);
  }

  /**
   * Prints its address and serves until its input ends.
   *
   * @param arguments the graph's file
   * @throws Exception if it cannot be served
   */
  public static void main(String[] arguments) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    Parameter h = Parameter.zeros(Shape.of(UNITS)).named("h");
    Parameter c = Parameter.zeros(Shape.of(UNITS)).named("c");
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(Path.of(arguments[0])));
    OrtSession session = environment.createSession(withStatesAsInputs(file, 0), options);
    Recur model = new Recur(new Graph(environment, session, h, c));
    try (Device device = Device.cpu(1);
        Sessions sessions = Sessions.open(model.on(device, 1), device);
        Server server =
            Server.open(
                ServerSettings.LOCAL.withPort(0),
                ServedModel.of("lstm", sessions).withSizes(UNITS, UNITS))) {
      System.out.println(server.uri());
      while (System.in.read() >= 0) {
        // whoever has started this closes it
      }
    }
  }
}

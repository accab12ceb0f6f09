package io.recur.io.onnx;

import static io.recur.io.onnx.Proto.FLOAT;
import static io.recur.io.onnx.Proto.INT64;
import static io.recur.io.onnx.Proto.attribute;
import static io.recur.io.onnx.Proto.graph;
import static io.recur.io.onnx.Proto.node;
import static io.recur.io.onnx.Proto.port;
import static io.recur.io.onnx.Proto.tensor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that lie, or that have what is not read, are refused with what and where. */
@Tag(Devices.CPU)
class HostileModelsTest {
  private static final int MUTATIONS = 2_000;

  @TempDir private Path folder;
  @AutoClose private final Device device = Device.cpu();

  private OnnxModel read(byte[] bytes) throws IOException {
    Path file = folder.resolve("model.onnx");
    Files.write(file, bytes);
    return OnnxModel.read(file);
  }

  private OnnxModel read(Proto graph) throws IOException {
    return read(Proto.model(14, graph).toBytes());
  }

  private void refuses(Proto graph, String... words) {
    Thrown.says(IllegalArgumentException.class, () -> read(graph), words);
  }

  private static Proto identity(Proto... initialisers) {
    return graph("small")
        .nodes(node("Identity", "W", "Y"))
        .initialisers(initialisers)
        .outputs(port("Y", FLOAT));
  }

  private static Proto rnn(Proto... attributes) {
    return graph("rnn")
        .nodes(node("RNN", "X W R", "Y", attributes))
        .initialisers(
            tensor("W", Dims.of(1, 2, 1), 1, 2), tensor("R", Dims.of(1, 2, 2), 1, 2, 3, 4))
        .inputs(port("X", FLOAT, "t", "b", "1"))
        .outputs(port("Y", FLOAT));
  }

  @Test
  void sizesThatLieAreRefused() {
    refuses(identity(tensor("W", Dims.of(2, 3), 1, 2)), "\"W\"", "8 bytes", "need 24");
    refuses(identity(tensor("W", FLOAT, Dims.of(3)).real(4, 1)), "1 values", "need 3");
    refuses(identity(tensor("W", FLOAT, Dims.of(1 << 30))), "0 values");
    refuses(identity(tensor("W", FLOAT, Dims.of()).whole(1, -1)), "size -1");
    refuses(identity(tensor("W", FLOAT, Dims.of()).whole(1, 1L << 40)), "size 1099511627776");
    refuses(identity(tensor("W", FLOAT, Dims.of()).whole(1, 1 << 30).whole(1, 1 << 30)), "at most");
    refuses(identity(tensor("W", 8, Dims.of(1))), "STRING");
    refuses(identity(tensor("W", 99, Dims.of(1))), "element type 99");
  }

  @Test
  void whatIsUnknownIsRefusedWithItsNode() {
    refuses(
        graph("g").nodes(node("Conjure", "X", "Y")).inputs(port("X", FLOAT)),
        "the_Conjure",
        "unknown");
    refuses(
        graph("g")
            .nodes(node("Identity", "X", "Y").text(7, "com.example"))
            .inputs(port("X", FLOAT)),
        "the_Identity",
        "com.example");
    refuses(rnn(attribute("mood", 3)), "the_RNN", "mood", "hidden_size");
    refuses(rnn(attribute("clip", 3)), "the_RNN", "clip", "REAL");
    refuses(rnn(attribute("clip", -1f)), "the_RNN", "clip=-1.0");
    refuses(rnn(attribute("clip", 0f)), "the_RNN", "clip=0.0");
    refuses(rnn(attribute("direction", "sideways")), "sideways", "bidirectional");
    refuses(rnn(attribute("hidden_size", 7)), "hidden_size=7", "[1, 2, 2]");
    refuses(rnn(attribute("layout", 2)), "layout=2");
    refuses(rnn(attribute("direction", "bidirectional")), "2 direction(s)");
    refuses(rnn(attribute("hidden_size", graph("inner"))), "hidden_size", "Inner", "WHOLE");
    Proto activations = new Proto().text(1, "activations").whole(20, 8).text(9, "Swirl");
    refuses(rnn(activations), "Swirl", "TANH");
    Proto two = new Proto().text(1, "activations").whole(20, 8).text(9, "Tanh", "Relu");
    refuses(rnn(two), "activations", "need 1");
  }

  @Test
  void graphsThatAreNoneAreRefused() {
    refuses(graph("g").nodes(node("Identity", "X", "Y")), "the_Identity", "\"X\"", "in order");
    refuses(
        graph("g").nodes(node("Identity", "X", "X")).inputs(port("X", FLOAT)), "\"X\"", "twice");
    refuses(graph("g").inputs(port("X", FLOAT), port("X", FLOAT)), "\"X\"", "twice");
    refuses(graph("g").outputs(port("Y", FLOAT)), "output \"Y\"");
    refuses(identity(tensor("W", Dims.of(1), 1), tensor("W", Dims.of(1), 1)), "\"W\"", "twice");
    refuses(identity().message(15, new Proto()), "sparse");
    refuses(graph("g").inputs(port("X", 8)), "STRING");
    Thrown.says(IllegalArgumentException.class, () -> read(new byte[0]), "no graph");
    Thrown.says(
        IllegalArgumentException.class,
        () -> read(new Proto().message(7, graph("g")).toBytes()),
        "opset_import");
    Thrown.says(
        IllegalArgumentException.class,
        () -> read(Proto.model(6, rnn()).toBytes()),
        "opset 6",
        "export the model again");
  }

  @Test
  void depthIsBounded() {
    Proto inner = graph("deepest");
    for (int i = 0; i < 200; i++) {
      inner = graph("g").nodes(node("If", "", "", attribute("then_branch", inner)));
    }
    refuses(inner, "inside each other");
  }

  @Test
  void aLoopWithoutEndIsEnded() throws IOException {
    Proto body =
        graph("body")
            .nodes(node("Identity", "c", "again"), node("Identity", "h", "next"))
            .inputs(port("i", INT64), port("c", ElementType.BOOL.ordinal()), port("h", FLOAT, "2"))
            .outputs(port("again", ElementType.BOOL.ordinal()), port("next", FLOAT, "2"));
    Proto loop =
        graph("loop")
            .nodes(node("Loop", "  X", "Y", attribute("body", body)))
            .inputs(port("X", FLOAT, "2"))
            .outputs(port("Y", FLOAT, "2"));
    OnnxModel model = read(loop).on(device, 1);
    Map<String, Value> x = Map.of("X", Value.of(Dims.of(2), new float[2]));
    try (Tape tape = Tape.inference(device)) {
      Thrown.says(
          IllegalArgumentException.class,
          () -> model.run(tape, x),
          "the_Loop",
          "iteration 1048577",
          "need at most 1048576");
    }
  }

  private static Proto external(String location, long offset, long length) {
    Proto tensor = tensor("W", FLOAT, Dims.of(2)).whole(14, 1);
    String[][] entries = {
      {"location", location}, {"offset", Long.toString(offset)}, {"length", Long.toString(length)}
    };
    for (String[] entry : entries) {
      tensor.message(13, new Proto().text(1, entry[0]).text(2, entry[1]));
    }
    return tensor;
  }

  @Test
  void dataInOtherFilesAreReadWithinTheFolderAlone() throws IOException {
    Files.write(
        folder.resolve("weights.bin"), new byte[] {9, 9, 9, 9, 0, 0, -128, 63, 0, 0, 0, 64});
    Path outside = Files.createTempFile("outside", ".bin");
    Files.write(outside, new byte[8]);
    OnnxModel model = read(identity(external("weights.bin", 4, 8))).on(device, 1);
    try (Tape tape = Tape.inference(device)) {
      assertEquals(1f, model.run(tape, Map.of()).get("Y").floats()[0]);
    }
    refuses(identity(external("weights.bin", 8, 8)), "12 bytes");
    refuses(identity(external("weights.bin", 13, 8)), "offset=13");
    refuses(identity(external("weights.bin", -4, 8)), "offset");
    refuses(identity(external("weights.bin", 0, 12)), "length=12");
    refuses(identity(external("nowhere.bin", 0, 8)), "nowhere.bin", "folder of the model");
    refuses(identity(external("../" + outside.getFileName(), 0, 8)), "folder of the model");
    refuses(identity(external(outside.toString(), 0, 8)), "folder of the model");
    refuses(identity(external("", 0, 8)), "folder of the model");
    Files.createSymbolicLink(folder.resolve("link.bin"), outside);
    refuses(identity(external("link.bin", 0, 8)), "folder of the model");
    Files.delete(outside);
  }

  /**
   * Bytes changed at random: the model is refused with a message, or it runs or refuses its inputs.
   * A model that is read is complete.
   */
  @ParameterizedTest
  @ValueSource(strings = {"recurrent/drawn.zip", "exported/exported.zip", "operators.zip"})
  void mutationsAreRefusedOrRead(String archive) throws IOException {
    Random random = new Random(5);
    List<Cases> cases = Cases.in(archive);
    int refused = 0;
    for (int round = 0; round < MUTATIONS; round++) {
      Cases test = cases.get(round % cases.size());
      byte[] bytes = mutated(test.model(), random);
      OnnxModel model;
      try {
        model = read(bytes);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().startsWith("onnx: "), e.getMessage());
        refused++;
        continue;
      }
      try (Tape tape = Tape.inference(device)) {
        model.on(device, 1).run(tape, new HashMap<>(test.inputs()));
      } catch (IllegalArgumentException | IllegalStateException e) {
        assertTrue(e.getMessage().length() > 10, e.getMessage());
      }
    }
    assertTrue(refused > MUTATIONS / 4, refused + " were refused");
  }

  private static byte[] mutated(byte[] original, Random random) {
    byte[] bytes = original.clone();
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(bytes.length);
      bytes[at] =
          (byte) (random.nextBoolean() ? random.nextInt() : bytes[at] ^ 1 << random.nextInt(8));
    }
    if (random.nextInt(8) == 0) {
      return Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    if (random.nextInt(8) == 0) {
      ByteString all = ByteString.copyFrom(bytes);
      int from = random.nextInt(bytes.length);
      return all.substring(0, from).concat(all.substring(random.nextInt(from + 1))).toByteArray();
    }
    return bytes;
  }
}

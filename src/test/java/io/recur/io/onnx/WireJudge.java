package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads a file of ONNX with Google's protobuf, by the numbers of fields in onnx.proto. */
final class WireJudge {
  private final UnknownFieldSet model;
  private final UnknownFieldSet graph;

  WireJudge(Path file) throws IOException {
    model = UnknownFieldSet.parseFrom(Files.readAllBytes(file));
    graph = messages(model, 7).getFirst();
  }

  static List<UnknownFieldSet> messages(UnknownFieldSet of, int field) {
    List<UnknownFieldSet> found = new ArrayList<>();
    for (ByteString bytes : of.getField(field).getLengthDelimitedList()) {
      try {
        found.add(UnknownFieldSet.parseFrom(bytes));
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }
    return found;
  }

  static List<String> texts(UnknownFieldSet of, int field) {
    return of.getField(field).getLengthDelimitedList().stream()
        .map(ByteString::toStringUtf8)
        .toList();
  }

  static String text(UnknownFieldSet of, int field) {
    return texts(of, field).getFirst();
  }

  static List<Long> integers(UnknownFieldSet of, int field) {
    return of.getField(field).getVarintList();
  }

  UnknownFieldSet model() {
    return model;
  }

  /** The names of inputs (11) or outputs (12) in order. */
  List<String> declared(int field) {
    return messages(graph, field).stream().map(value -> text(value, 1)).toList();
  }

  /** The sizes of an input or output: numbers, or names. */
  List<String> sizes(int field, String name) {
    UnknownFieldSet value =
        messages(graph, field).stream()
            .filter(v -> text(v, 1).equals(name))
            .findFirst()
            .orElseThrow();
    UnknownFieldSet tensor = messages(messages(value, 2).getFirst(), 1).getFirst();
    return messages(messages(tensor, 2).getFirst(), 1).stream()
        .map(d -> d.hasField(2) ? text(d, 2) : "" + integers(d, 1).getFirst())
        .toList();
  }

  Map<String, UnknownFieldSet> initializers() {
    Map<String, UnknownFieldSet> found = new LinkedHashMap<>();
    messages(graph, 5).forEach(tensor -> found.put(text(tensor, 8), tensor));
    return found;
  }

  static float[] floats(UnknownFieldSet tensor) {
    ByteString raw = tensor.getField(9).getLengthDelimitedList().getFirst();
    float[] values = new float[raw.size() / Float.BYTES];
    raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** The operators of the model's graph in order, those of bodies left out. */
  List<String> operators() {
    return messages(graph, 1).stream().map(node -> text(node, 4)).toList();
  }

  UnknownFieldSet node(String operator) {
    return messages(graph, 1).stream()
        .filter(node -> text(node, 4).equals(operator))
        .findFirst()
        .orElseThrow();
  }

  // Rules that every graph keeps.

  void judge() {
    judge(graph, new HashSet<>(Set.of("")), new HashSet<>());
  }

  /** Each value is made once, and before it is read; each initializer fills its sizes. */
  private static void judge(UnknownFieldSet graph, Set<String> known, Set<String> made) {
    Set<String> inputs = new HashSet<>();
    for (UnknownFieldSet input : messages(graph, 11)) {
      assertTrue(made.add(text(input, 1)), text(input, 1));
      inputs.add(text(input, 1));
    }
    for (UnknownFieldSet tensor : messages(graph, 5)) {
      String name = text(tensor, 8);
      assertTrue(inputs.contains(name) || made.add(name), name);
      long count = integers(tensor, 1).stream().reduce(1L, (a, b) -> a * b);
      long bytes = count * (integers(tensor, 2).getFirst() == 1 ? Float.BYTES : Long.BYTES);
      assertEquals(bytes, tensor.getField(9).getLengthDelimitedList().getFirst().size(), name);
      known.add(name);
    }
    known.addAll(inputs);
    for (UnknownFieldSet node : messages(graph, 1)) {
      List<String> read = new ArrayList<>(texts(node, 1));
      read.removeAll(known);
      assertEquals(List.of(), read, text(node, 3));
      for (UnknownFieldSet attribute : messages(node, 5)) {
        for (UnknownFieldSet body : messages(attribute, 6)) {
          judge(body, new HashSet<>(known), made);
        }
      }
      for (String output : texts(node, 2)) {
        assertTrue(made.add(output), output);
        known.add(output);
      }
    }
    List<String> outputs = messages(graph, 12).stream().map(value -> text(value, 1)).toList();
    assertTrue(known.containsAll(outputs), outputs.toString());
    assertEquals(outputs.size(), new HashSet<>(outputs).size(), outputs.toString());
  }
}

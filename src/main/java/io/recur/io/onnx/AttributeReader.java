package io.recur.io.onnx;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads an attribute of a node: {@code AttributeProto} of onnx.proto. */
final class AttributeReader {
  /** The types by their numbers in a file. */
  private static final List<String> TYPES =
      List.of(
          "UNDEFINED",
          "FLOAT",
          "INT",
          "STRING",
          "TENSOR",
          "GRAPH",
          "FLOATS",
          "INTS",
          "STRINGS",
          "TENSORS",
          "GRAPHS",
          "SPARSE_TENSOR",
          "SPARSE_TENSORS",
          "TYPE_PROTO",
          "TYPE_PROTOS");

  String name = "";
  private long type;
  private float real;
  private long whole;
  private String text = "";
  private @Nullable Wire tensor;
  private @Nullable Wire graph;
  private final Wire.Numbers reals = new Wire.Numbers();
  private final Wire.Numbers wholes = new Wire.Numbers();
  private final List<String> texts = new ArrayList<>();

  /** The type that the last field has, for old files that do not name it. */
  private long found;

  private String reference = "";

  void fields(Wire wire) {
    while (wire.next()) {
      switch (wire.field()) {
        case 1 -> name = wire.text();
        case 20 -> type = wire.whole();
        case 21 -> reference = wire.text();
        default -> value(wire);
      }
    }
  }

  private void value(Wire wire) {
    switch (wire.field()) {
      case 2 -> {
        real = wire.real();
        found = 1;
      }
      case 3 -> {
        whole = wire.whole();
        found = 2;
      }
      case 4 -> {
        text = wire.text();
        found = 3;
      }
      case 5 -> {
        tensor = wire.message();
        found = 4;
      }
      case 6 -> {
        graph = wire.message();
        found = 5;
      }
      case 7 -> {
        wire.fixed(4, reals);
        found = 6;
      }
      case 8 -> {
        wire.wholes(wholes);
        found = 7;
      }
      case 9 -> {
        texts.add(wire.text());
        found = 8;
      }
      default -> wire.skip();
    }
  }

  /** The attribute; a tensor or a graph inside is read. */
  Attribute attribute(ModelReader reader) throws IOException {
    if (!reference.isEmpty()) {
      throw new IllegalArgumentException(
          "attribute %s refers to %s of a function; need a value"
              .formatted(Wire.shown(name), Wire.shown(reference)));
    }
    long its = type == 0 ? found : type;
    if (its < 0 || its >= TYPES.size()) {
      throw new IllegalArgumentException(
          "attribute %s of type %d; need 1 to %d"
              .formatted(Wire.shown(name), its, TYPES.size() - 1));
    }
    return switch ((int) its) {
      case 1 -> new Attribute.Real(real);
      case 2 -> new Attribute.Whole(whole);
      case 3 -> new Attribute.Text(text);
      case 4 -> new Attribute.Data(reader.tensor(present(tensor)));
      case 5 -> new Attribute.Inner(reader.inner(present(graph)));
      case 6 -> new Attribute.Reals(reals.toFloats());
      case 7 -> new Attribute.Wholes(wholes.toArray());
      case 8 -> new Attribute.Texts(List.copyOf(texts));
      default -> new Attribute.Other(TYPES.get((int) its));
    };
  }

  private Wire present(@Nullable Wire wire) {
    if (wire == null) {
      throw new IllegalArgumentException(
          "attribute %s has no value of its type".formatted(Wire.shown(name)));
    }
    return wire;
  }
}

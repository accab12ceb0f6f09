package io.recur.io.onnx;

import java.util.List;

/** An attribute of a node, of one of the types that operators here read. */
sealed interface Attribute {
  /** A float. */
  record Real(float value) implements Attribute {}

  /** An integer. */
  record Whole(long value) implements Attribute {}

  /** A text. */
  record Text(String value) implements Attribute {}

  /** Floats. */
  record Reals(float[] values) implements Attribute {}

  /** Integers. */
  record Wholes(long[] values) implements Attribute {}

  /** Texts. */
  record Texts(List<String> values) implements Attribute {}

  /** A tensor: {@link Value.Reals} or {@link Value.Integers}. */
  record Data(Value value) implements Attribute {}

  /** A subgraph. */
  record Inner(Graph graph) implements Attribute {}

  /** An attribute of a type that no operator here reads; it is refused by the name of the type. */
  record Other(String type) implements Attribute {}

  /** The types, as the table of operators names them. */
  enum Kind {
    REAL(Real.class),
    WHOLE(Whole.class),
    TEXT(Text.class),
    REALS(Reals.class),
    WHOLES(Wholes.class),
    TEXTS(Texts.class),
    DATA(Data.class),
    INNER(Inner.class);

    private final Class<? extends Attribute> type;

    Kind(Class<? extends Attribute> type) {
      this.type = type;
    }

    /** Whether an attribute is of this kind. */
    boolean is(Attribute attribute) {
      return type.isInstance(attribute);
    }
  }
}

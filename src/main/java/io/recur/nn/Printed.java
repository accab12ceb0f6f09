package io.recur.nn;

import io.recur.device.memory.Slab;
import io.recur.grad.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A model as text: its structure with counts, then the totals. */
final class Printed {
  private static final int INDENT = 2;

  private final List<String> left = new ArrayList<>();
  private final List<String> right = new ArrayList<>();

  private Printed() {}

  static String of(Layer model) {
    Printed printed = new Printed();
    printed.line(model, 0, "");
    int width = printed.left.stream().mapToInt(String::length).max().orElse(0) + 2;
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < printed.left.size(); i++) {
      String comment = printed.right.get(i);
      String line = printed.left.get(i);
      text.append(comment.isEmpty() ? line : pad(line, width) + "# " + comment).append('\n');
    }
    return text.append(totals(model)).toString();
  }

  /** The structure in one line, such as {@code Chain(Recur(GRUCell(3 => 5)), Dense(5 => 2))}. */
  static String structure(Layer model) {
    return model.layers().isEmpty()
        ? model.describe()
        : model.layers().stream()
            .map(Printed::structure)
            .collect(Collectors.joining(", ", model.describe() + "(", ")"));
  }

  /** A cell's {@code toString}, or the name of its class where it does not override that. */
  static String kind(Cell cell) {
    String printed = cell.toString();
    String objects = cell.getClass().getName() + "@" + Integer.toHexString(cell.hashCode());
    return printed.equals(objects) ? cell.getClass().getName() : printed;
  }

  private void line(Layer layer, int depth, String end) {
    String margin = " ".repeat(depth * INDENT);
    if (layer.layers().isEmpty()) {
      add(margin + layer.describe() + end, counts(layer));
      return;
    }
    add(margin + layer.describe() + "(", counts(layer));
    for (Layer inner : layer.layers()) {
      line(inner, depth + 1, ",");
    }
    add(margin + ")" + end, "");
  }

  private void add(String line, String comment) {
    left.add(line);
    right.add(comment);
  }

  private static String counts(Layer layer) {
    long count =
        layer.own().stream()
            .filter(Parameter::isTrainable)
            .distinct()
            .mapToLong(p -> p.shape().count())
            .sum();
    String parameters = count == 0 ? "" : number(count) + " parameters";
    return layer instanceof Recur recur
        ? (parameters.isEmpty() ? "" : parameters + ", ") + "state " + number(recur.stateFloats())
        : parameters;
  }

  private static String totals(Layer model) {
    Parameters parameters = model.parameters();
    long state = model.recurs().stream().mapToLong(Recur::stateFloats).sum();
    long padded = 0;
    for (Parameter parameter : parameters) {
      padded += Slab.padded(parameter.shape().count()) * (parameter.isTrainable() ? 2 : 1);
    }
    return """
        # Total: %s trainable arrays, %s parameters,
        # plus %s non-trainable state, %s bytes off the heap."""
        .formatted(
            number(parameters.arrays()),
            number(parameters.count()),
            number(state),
            number((padded + state) * Float.BYTES));
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value).replace(',', ' ');
  }

  private static String pad(String line, int width) {
    return line + " ".repeat(width - line.length());
  }
}

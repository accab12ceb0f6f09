package io.recur.io.onnx;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * An input or an output of a graph.
 *
 * <pre>{@code
 * Port x = OnnxModel.read(path).inputs().getFirst();
 * boolean isSequence = x.sizes().size() == 3;           // such as time, batch, 3
 * }</pre>
 *
 * @param name its name
 * @param type of its elements
 * @param isShaped whether the file says how many dimensions it has
 * @param sizes a number each, the name of a size that is open, or {@code ?} for one without a name
 */
public record Port(String name, ElementType type, boolean isShaped, List<String> sizes) {
  /** An open size without a name. */
  static final String OPEN = "?";

  /** Copies the list. */
  public Port {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    sizes = List.copyOf(sizes);
  }

  /** Whether a dimension's size is open. */
  boolean isOpen(int axis) {
    return !sizes.get(axis).chars().allMatch(Character::isDigit);
  }

  /** {@return such as {@code x FLOAT[time, batch, 3]}} */
  @Override
  public String toString() {
    String all =
        isShaped ? sizes.stream().collect(Collectors.joining(", ", "[", "]")) : "[any dimensions]";
    return Wire.shown(name) + " " + type + all;
  }
}

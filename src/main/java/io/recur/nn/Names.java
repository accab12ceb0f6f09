package io.recur.nn;

import io.recur.grad.Parameter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Names parameters that have none after the place where a user's cell keeps them. */
final class Names {
  private Names() {}

  /** Names those of a record after its components. A private record of a closed module has none. */
  static void ofRecord(Cell cell) {
    if (!cell.getClass().isRecord() || cell instanceof FunctionCell) {
      return;
    }
    for (RecordComponent component : cell.getClass().getRecordComponents()) {
      if (component.getAccessor().trySetAccessible()) {
        name(component.getName(), value(cell, component));
      }
    }
  }

  private static Object value(Cell cell, RecordComponent component) {
    try {
      return component.getAccessor().invoke(cell);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(
          "Recur: %s of %s cannot be read".formatted(component, cell.getClass().getName()), e);
    }
  }

  private static void name(String name, Object value) {
    Parameter parameter = value instanceof Matrix matrix ? matrix.values() : null;
    parameter = value instanceof Parameter plain ? plain : parameter;
    if (parameter != null && !parameter.isNamed()) {
      parameter.named(name);
    }
  }

  /** Names those of a map; in the order of their names, since a map may have none. */
  static List<Parameter> of(Map<String, Parameter> weights) {
    Map<String, Parameter> sorted = new TreeMap<>(weights);
    sorted.forEach((name, weight) -> weight.named(name));
    return List.copyOf(sorted.values());
  }

  /** The names under which parameters that are not placed yet and have no name are saved. */
  static List<String> missing(Map<String, Parameter> named) {
    return named.entrySet().stream()
        .filter(entry -> !entry.getValue().isPlaced() && !entry.getValue().isNamed())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Says which names are missing, if there is one. */
  static void tell(List<String> missing) {
    if (!missing.isEmpty()) {
      System.getLogger("io.recur")
          .log(
              System.Logger.Level.WARNING,
              "on: parameters without a name are saved as {0}, by their place; give each one with"
                  + " named(…), in a map to Recur, or as a component of a record",
              String.join(", ", missing));
    }
  }

  /** Each name with its parameter's shape. */
  static String withShapes(Map<String, Parameter> named) {
    return named.entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue().shape())
        .collect(Collectors.joining(", "));
  }
}

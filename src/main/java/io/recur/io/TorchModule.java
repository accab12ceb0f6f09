package io.recur.io;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The tensors of one PyTorch module in a file. First {@link #expect} says which tensors the module
 * must have; {@link #check} then compares all of them, so that one message lists whatever does not
 * fit, and nothing is read before.
 */
final class TorchModule {
  /** A size that any tensor may have. */
  static final long ANY = -1;

  private static final int MOST_SHOWN = 200;

  private final String where;
  private final String prefix;
  private final Map<String, StoredTensor> tensors;
  private final Map<String, long[]> expected = new LinkedHashMap<>();
  private final Map<String, String> mapped = new LinkedHashMap<>();

  /**
   * Begins with a module.
   *
   * @param where what is imported from which file, for errors
   * @param name the module's name; empty if the file is its own state dictionary
   * @param tensors all tensors of the file
   */
  TorchModule(String where, String name, Map<String, StoredTensor> tensors) {
    this.where = where;
    this.prefix = name.isEmpty() ? "" : name + ".";
    this.tensors = tensors;
  }

  /** {@return the module's name} */
  String name() {
    return prefix.isEmpty() ? "" : prefix.substring(0, prefix.length() - 1);
  }

  /** {@return the names of the module's tensors, without the module's name} */
  Set<String> names() {
    return tensors.keySet().stream()
        .filter(name -> name.startsWith(prefix))
        .map(name -> name.substring(prefix.length()))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  boolean has(String name) {
    return tensors.containsKey(prefix + name);
  }

  /** {@return a size in PyTorch's order; {@link #ANY} if there is no such tensor or size} */
  long size(String name, int dimension) {
    long[] sizes = has(name) ? sizes(name) : new long[0];
    return dimension < sizes.length ? sizes[dimension] : ANY;
  }

  private long[] sizes(String name) {
    return Header.reversed(tensor(name).dimensions());
  }

  private StoredTensor tensor(String name) {
    return tensors.get(prefix + name);
  }

  /** Says that the module must have a tensor of these sizes, in PyTorch's order. */
  void expect(String name, long... sizes) {
    expected.put(name, sizes);
  }

  /**
   * Compares the tensors with what is expected.
   *
   * @throws IllegalArgumentException if one is missing, surplus or of other sizes, or holds no
   *     floats; the message lists all of them
   */
  void check(String... alsoTaken) {
    Set<String> surplus = names();
    surplus.removeAll(expected.keySet());
    surplus.removeAll(Set.of(alsoTaken));
    List<String> wrong = new ArrayList<>();
    expected.forEach(
        (name, sizes) -> {
          String misfit = misfit(name, sizes);
          if (!misfit.isEmpty()) {
            wrong.add(misfit);
          }
        });
    surplus.forEach(name -> wrong.add(shown(name) + " is surplus"));
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: %s; expected are %s; the file has the modules %s"
              .formatted(
                  where,
                  listed(wrong),
                  listed(expected.keySet().stream().map(name -> prefix + name).toList()),
                  listed(modules())));
    }
  }

  private String misfit(String name, long[] need) {
    if (!has(name)) {
      return "%s %s is missing".formatted(shown(name), TorchNames.shown(need));
    }
    long[] found = sizes(name);
    boolean fits = found.length == need.length;
    for (int i = 0; fits && i < need.length; i++) {
      fits = found[i] > 0 && (need[i] == ANY || need[i] == found[i]);
    }
    if (!fits) {
      return "%s=%s, need %s"
          .formatted(shown(name), TorchNames.shown(found), TorchNames.shown(need));
    }
    StoredTensor tensor = tensor(name);
    if (!tensor.dtype().isFloat() || tensor.count() > Integer.MAX_VALUE - 8) {
      return "%s is %s%s, need floats, at most 2³¹"
          .formatted(shown(name), tensor.dtype(), TorchNames.shown(found));
    }
    return "";
  }

  private String shown(String name) {
    return PlainJson.shown(prefix + name);
  }

  private Set<String> modules() {
    Set<String> modules = new TreeSet<>();
    for (String name : tensors.keySet()) {
      int dot = name.lastIndexOf('.');
      modules.add(dot < 0 ? "\"\"" : PlainJson.shown(name.substring(0, dot)));
    }
    return modules;
  }

  static String listed(Iterable<String> names) {
    List<String> all = new ArrayList<>();
    names.forEach(all::add);
    String first = all.stream().limit(MOST_SHOWN).collect(Collectors.joining(", "));
    return all.isEmpty()
        ? "none"
        : all.size() <= MOST_SHOWN
            ? first
            : "%s and %d more".formatted(first, all.size() - MOST_SHOWN);
  }

  /** Reads a tensor that {@link #check} has passed, in PyTorch's order. */
  float[] values(String name, String to) throws IOException {
    mapped.put(
        prefix + name,
        "%s %s%s -> %s"
            .formatted(
                PlainJson.shown(prefix + name),
                tensor(name).dtype(),
                TorchNames.shown(sizes(name)),
                to));
    return tensor(name).values();
  }

  /** Reads a matrix of [rows, columns] as rows × columns. */
  Parameter matrix(String name, String to) throws IOException {
    int rows = (int) size(name, 0);
    int columns = (int) size(name, 1);
    float[] values = TorchNames.transposed(values(name, to + ", transposed"), rows, columns);
    return Parameter.of(Shape.of(rows, columns), values);
  }

  /** Reads a vector; where the module has none, a value that is not trained. */
  Parameter vector(String name, String to, int length, float otherwise) throws IOException {
    if (has(name)) {
      return Parameter.of(Shape.of(length), values(name, to));
    }
    return Parameter.fixed(Shape.of(length), (values, random) -> Arrays.fill(values, otherwise));
  }

  /** Notes a tensor that is taken and not read. */
  void pass(String name, String to) {
    if (has(name)) {
      mapped.put(prefix + name, "%s -> %s".formatted(PlainJson.shown(prefix + name), to));
    }
  }

  /** {@return a line for each tensor that was read, by the tensor's name} */
  Map<String, String> mapped() {
    return mapped;
  }
}

package io.recur;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Numbers that PyTorch computed, from a file under {@code src/test/resources/pytorch}; {@code
 * make.py} there wrote them and describes the format.
 *
 * <pre>{@code
 * Pinned lstm = Pinned.of("cells/lstm_b5_zero_l1.txt");
 * float[] x = lstm.floats("x");      // first dimension contiguous
 * int[] dims = lstm.dims("x");       // 3, 5, 7
 * }</pre>
 */
public final class Pinned {
  private record Values(int[] dims, double[] values) {}

  private final String resource;
  private final Map<String, Values> entries = new LinkedHashMap<>();

  private Pinned(String resource) {
    this.resource = resource;
  }

  /** Reads a file, named relative to the folder {@code pytorch}. */
  public static Pinned of(String resource) {
    Pinned pinned = new Pinned(resource);
    try (InputStream in = Pinned.class.getResourceAsStream("/pytorch/" + resource)) {
      if (in == null) {
        throw new IllegalArgumentException("pinned: no resource /pytorch/" + resource);
      }
      BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
      lines.lines().filter(line -> !line.startsWith("#")).forEach(pinned::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return pinned;
  }

  private void add(String line) {
    String[] words = line.strip().split(" +");
    int[] dims = Arrays.stream(words[1].split("x")).mapToInt(Integer::parseInt).toArray();
    double[] values = Arrays.stream(words).skip(2).mapToDouble(Double::parseDouble).toArray();
    if (Arrays.stream(dims).reduce(1, (a, b) -> a * b) != values.length) {
      throw new IllegalArgumentException(
          "pinned: %s in %s has %s values, its size is %s"
              .formatted(words[0], resource, values.length, words[1]));
    }
    entries.put(words[0], new Values(dims, values));
  }

  /** Whether there is an entry of that name. */
  public boolean has(String name) {
    return entries.containsKey(name);
  }

  /** All names, in the file's order. */
  public Set<String> names() {
    return entries.keySet();
  }

  /** The sizes of an entry, features first. */
  public int[] dims(String name) {
    return entry(name).dims.clone();
  }

  /** The values of an entry, first dimension contiguous. */
  public double[] doubles(String name) {
    return entry(name).values.clone();
  }

  /** The values of an entry as floats, first dimension contiguous. */
  public float[] floats(String name) {
    double[] values = entry(name).values;
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private Values entry(String name) {
    Values values = entries.get(name);
    if (values == null) {
      throw new IllegalArgumentException(
          "pinned: no %s in %s, only %s".formatted(name, resource, entries.keySet()));
    }
    return values;
  }
}

package io.recur.device.memory;

import io.recur.device.Buffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Slices of a buffer, each at a place of its own. A slice that comes again, of the same buffer
 * object at the same place, is the same object: a loop over the same places makes none.
 *
 * <pre>{@code
 * Buffer states = device.allocate(6);
 * Buffer second = new Cuts().at(states, 1, 2, 4);     // the second one: words 2 to 5
 * }</pre>
 */
public final class Cuts {
  private @Nullable Buffer whole;
  private @Nullable Buffer[] cuts = {};
  private long[] firsts = {};
  private long[] lengths = {};

  /** Makes slices of no buffer. */
  public Cuts() {}

  /**
   * Cuts a slice.
   *
   * @param of the buffer
   * @param number the slice's number, from 0
   * @param first its first word
   * @param length its words
   * @return the slice
   * @throws IndexOutOfBoundsException if the slice is not inside the buffer
   */
  public Buffer at(Buffer of, int number, long first, long length) {
    if (whole != of) {
      Arrays.fill(cuts, null);
      whole = of;
    }
    if (number >= cuts.length) {
      int size = Math.max(number + 1, 2 * cuts.length);
      cuts = Arrays.copyOf(cuts, size);
      firsts = Arrays.copyOf(firsts, size);
      lengths = Arrays.copyOf(lengths, size);
    }
    Buffer known = cuts[number];
    if (known == null || firsts[number] != first || lengths[number] != length) {
      known = of.slice(first, length);
      cuts[number] = known;
      firsts[number] = first;
      lengths[number] = length;
    }
    return known;
  }
}

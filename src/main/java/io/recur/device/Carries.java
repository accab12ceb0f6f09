package io.recur.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The carries of the sums in memory that outlives a tape: what the floats of a sum that grows from
 * call to call lost to rounding, to be added with the next terms. A carry counts only where it does
 * not change its float, so that whoever writes the sum otherwise need not know of it.
 *
 * <p>A sum is known by its place: a slice cut again finds its carry.
 */
final class Carries {
  /** More sums than a model has: who cuts ever new ones loses a rounding, not memory. */
  private static final int MOST = 256;

  private final List<Carry> known = new ArrayList<>();

  private record Carry(long address, Buffer words) {}

  /** The carry of a sum in this memory, zeros at first. */
  synchronized Buffer of(Buffer sum) {
    long address = sum.segment().address();
    for (int i = 0; i < known.size(); i++) {
      Carry carry = known.get(i);
      if (carry.address == address && carry.words.floats() == sum.floats()) {
        return carry.words;
      }
    }
    if (known.size() == MOST) {
      known.clear();
    }
    Buffer words = sum.device().allocate(sum.floats());
    known.add(new Carry(address, words));
    return words;
  }
}

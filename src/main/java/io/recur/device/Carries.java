package io.recur.device;

import java.util.ArrayList;
import java.util.List;

/**
 * The carries of sums that grow from call to call, in memory that outlives a tape. A carry is what
 * a float of such a sum lost to rounding; the next call adds it together with its terms. A carry is
 * ignored if it would change its float. Code that overwrites a sum therefore need not know of it.
 *
 * <p>A sum is identified by its address, so the same slice cut twice has one carry.
 */
final class Carries {
  /** More sums than a model has. A program that cuts ever new slices loses carries, not memory. */
  private static final int MOST = 256;

  private final List<Carry> known = new ArrayList<>();

  private record Carry(long address, Buffer words) {}

  /** {@return the carry of a sum in this memory, zeros at first} */
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

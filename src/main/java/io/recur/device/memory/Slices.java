package io.recur.device.memory;

import io.recur.device.Buffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Equal slices of a buffer at equal distances. The first {@link #at} cuts a slice, later ones
 * return it: a loop over the same buffer makes no objects.
 *
 * <pre>{@code
 * Buffer states = device.allocate(6);
 * Slices steps = new Slices().of(states, 2);
 * Buffer second = steps.at(1);              // words 2 and 3
 * }</pre>
 */
public final class Slices {
  private @Nullable Buffer whole;
  private long first;
  private long stride;
  private long length;
  private @Nullable Buffer[] slices = {};

  /** Makes slices of no buffer. */
  public Slices() {}

  /**
   * Begins adjacent slices.
   *
   * @param whole the buffer
   * @param length the words of a slice
   * @return this
   */
  public Slices of(Buffer whole, long length) {
    return of(whole, 0, length, length);
  }

  /**
   * Begins slices at equal distances. Slices of the same buffer object at the same places are kept.
   *
   * @param whole the buffer
   * @param first the first word of the first slice
   * @param stride the words from one slice to the next
   * @param length the words of a slice
   * @return this
   */
  public Slices of(Buffer whole, long first, long stride, long length) {
    if (this.whole != whole
        || this.first != first
        || this.stride != stride
        || this.length != length) {
      Arrays.fill(slices, null);
      this.whole = whole;
      this.first = first;
      this.stride = stride;
      this.length = length;
    }
    return this;
  }

  /** {@return the whole buffer} */
  public Buffer whole() {
    return Objects.requireNonNull(whole, "slices: of no buffer yet; call of(whole, length)");
  }

  /**
   * Cuts a slice.
   *
   * @param number the slice's number, from 0
   * @return the slice, the same object at every call
   * @throws IndexOutOfBoundsException if the slice is not inside the buffer
   */
  public Buffer at(int number) {
    Buffer known = number < slices.length ? slices[number] : null;
    if (known == null) {
      known = whole().slice(first + number * stride, length);
      if (number >= slices.length) {
        slices = Arrays.copyOf(slices, Math.max(number + 1, 2 * slices.length));
      }
      slices[number] = known;
    }
    return known;
  }
}

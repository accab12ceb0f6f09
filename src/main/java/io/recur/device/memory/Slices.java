package io.recur.device.memory;

import io.recur.device.Buffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Equal slices of a buffer at equal distances. Each is cut when it is first asked for and kept:
 * what walks over the same buffer again and again makes no objects.
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

  /** Slices of no buffer yet. */
  public Slices() {}

  /**
   * Adjacent slices.
   *
   * @param whole what they are slices of
   * @param length of a slice, in words
   * @return this
   */
  public Slices of(Buffer whole, long length) {
    return of(whole, 0, length, length);
  }

  /**
   * Slices at equal distances. Those of the same buffer object at the same places are kept.
   *
   * @param whole what they are slices of
   * @param first word of the first slice
   * @param stride words from one slice to the next
   * @param length of a slice, in words
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

  /**
   * What these are slices of.
   *
   * @return the buffer
   */
  public Buffer whole() {
    return Objects.requireNonNull(whole, "slices: of no buffer yet; call of(whole, length)");
  }

  /**
   * A slice.
   *
   * @param number from 0
   * @return the slice, the same object at every call
   * @throws IndexOutOfBoundsException if it does not lie inside
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

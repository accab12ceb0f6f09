package io.recur.device.kernels;

import io.recur.device.Buffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Equal pieces of a buffer at equal distances. Each is cut when it is first asked for and kept:
 * what walks over the same buffer again and again makes no objects.
 *
 * <pre>{@code
 * Buffer states = device.allocate(6);
 * Pieces steps = new Pieces().of(states, 2);
 * Buffer second = steps.at(1);              // words 2 and 3
 * }</pre>
 */
public final class Pieces {
  private @Nullable Buffer whole;
  private long first;
  private long stride;
  private long length;
  private @Nullable Buffer[] pieces = {};

  /** Pieces of no buffer yet. */
  public Pieces() {}

  /**
   * Pieces that lie one behind the other.
   *
   * @param whole what they are pieces of
   * @param length of a piece, in words
   * @return this
   */
  public Pieces of(Buffer whole, long length) {
    return of(whole, 0, length, length);
  }

  /**
   * Pieces at equal distances. Those of the same buffer object at the same places are kept.
   *
   * @param whole what they are pieces of
   * @param first word of the first piece
   * @param stride words from one piece to the next
   * @param length of a piece, in words
   * @return this
   */
  public Pieces of(Buffer whole, long first, long stride, long length) {
    if (this.whole != whole
        || this.first != first
        || this.stride != stride
        || this.length != length) {
      Arrays.fill(pieces, null);
      this.whole = whole;
      this.first = first;
      this.stride = stride;
      this.length = length;
    }
    return this;
  }

  /**
   * What these are pieces of.
   *
   * @return the buffer
   */
  public Buffer whole() {
    return Objects.requireNonNull(whole, "pieces: of no buffer yet; call of(whole, length)");
  }

  /**
   * A piece.
   *
   * @param number from 0
   * @return the piece, the same object at every call
   * @throws IndexOutOfBoundsException if it does not lie inside
   */
  public Buffer at(int number) {
    Buffer known = number < pieces.length ? pieces[number] : null;
    if (known == null) {
      known = whole().slice(first + number * stride, length);
      if (number >= pieces.length) {
        pieces = Arrays.copyOf(pieces, Math.max(number + 1, 2 * pieces.length));
      }
      pieces[number] = known;
    }
    return known;
  }
}

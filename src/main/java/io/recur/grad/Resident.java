package io.recur.grad;

/**
 * Something that holds a tensor of a tape between calls, such as the state of a Recur: the tape
 * refuses to be cleared while it does. See {@link Tape#hold}.
 *
 * <pre>{@code
 * Resident cache = () -> "my cache of encoder outputs";
 * tape.hold(cache);              // tape.clear() now throws and names it
 * tape.release(cache);
 * }</pre>
 */
public interface Resident {
  /**
   * What to call it in an error.
   *
   * @return such as {@code Recur(LSTMCell(10 => 15))}
   */
  String describe();
}

package io.recur.grad;

/**
 * A holder of a tensor of a tape between calls, such as the state of a Recur. The tape refuses to
 * be cleared until the holder releases it, see {@link Tape#hold}.
 *
 * <pre>{@code
 * Resident cache = () -> "my cache of encoder outputs";
 * tape.hold(cache);              // tape.clear() now throws and names it
 * tape.release(cache);
 * }</pre>
 */
public interface Resident {
  /** {@return the name of this holder in an error, such as {@code Recur(LSTMCell(10 => 15))}} */
  String describe();
}

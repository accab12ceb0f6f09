package io.recur.bindings;

/**
 * What goes wrong in a generated call before C is reached.
 *
 * <p>jextract wraps it into an {@code AssertionError}. {@code bindings/generate} puts {@link #of}
 * in that place, because one failure is nobody's mistake in this library: another thread closes
 * memory between the moment at which its address is taken and the call.
 */
public final class Failed {
  private Failed() {}

  /**
   * The exception for the caller.
   *
   * @param thrown by the call
   * @return an {@code IllegalStateException} where memory of an argument was given back, else what
   *     was thrown if it is unchecked
   * @throws Error if that was thrown
   */
  public static RuntimeException of(Throwable thrown) {
    return switch (thrown) {
      case Error error -> throw error;
      case IllegalStateException closed ->
          new IllegalStateException(
              "native call: another thread gave memory of it back; close a tape after all that uses"
                  + " its buffers",
              closed);
      case RuntimeException unchecked -> unchecked;
      default -> throw new AssertionError("a native call throws nothing that is checked", thrown);
    };
  }
}

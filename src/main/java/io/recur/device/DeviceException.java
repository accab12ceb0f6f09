package io.recur.device;

/** A native library that could not be loaded, or a native call that failed, with its code. */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * A failure.
   *
   * @param message where, the facts, and the remedy
   */
  public DeviceException(String message) {
    super(message);
  }

  /**
   * A failure.
   *
   * @param message where, the facts, and the remedy
   * @param cause what the platform said
   */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}

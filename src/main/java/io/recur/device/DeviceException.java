package io.recur.device;

/** Thrown when a native library cannot be loaded, or when a native call fails, with its code. */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param message where, the facts, and the remedy
   */
  public DeviceException(String message) {
    super(message);
  }

  /**
   * Describes a failure with its cause.
   *
   * @param message where, the facts, and the remedy
   * @param cause the platform's exception
   */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}

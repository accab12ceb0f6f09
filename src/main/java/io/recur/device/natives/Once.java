package io.recur.device.natives;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that the first call makes and later calls return. After a failure the next call tries
 * again, whereas a failed class initialiser fails for ever.
 *
 * @param <T> the type of the value
 */
public final class Once<T> {
  private final Supplier<T> maker;
  private volatile @Nullable T made;

  /**
   * Remembers how to make the value.
   *
   * @param maker makes the value
   */
  public Once(Supplier<T> maker) {
    this.maker = maker;
  }

  /**
   * Makes the value at the first call.
   *
   * @return the value, the same at every call
   */
  public T get() {
    T value = made;
    return value != null ? value : make();
  }

  private synchronized T make() {
    T value = made;
    if (value == null) {
      value = maker.get();
      made = value;
    }
    return value;
  }
}

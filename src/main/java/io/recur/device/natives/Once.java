package io.recur.device.natives;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that is made at the first call and then kept. A call that fails keeps nothing: the next
 * one tries again, where a failed class initialiser would fail for good.
 */
public final class Once<T> {
  private final Supplier<T> maker;
  private volatile @Nullable T made;

  /**
   * Nothing is made yet.
   *
   * @param maker of the value
   */
  public Once(Supplier<T> maker) {
    this.maker = maker;
  }

  /**
   * The value.
   *
   * @return the same at every call
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

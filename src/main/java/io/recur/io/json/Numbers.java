package io.recur.io.json;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * An array of JSON whose elements are numbers of one kind: a list of {@code Long} where all are
 * whole, else of {@code Double}, without an object for each.
 */
public final class Numbers extends AbstractList<Object> implements RandomAccess {
  private double[] values = new double[16];
  private int size;
  private boolean areWhole;

  Numbers() {}

  /** Adds a number, unless it is of another kind than those before it. */
  boolean add(double value, boolean isWhole) {
    if (size > 0 && isWhole != areWhole) {
      return false;
    }
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    areWhole = isWhole;
    values[size++] = value;
    return true;
  }

  /** {@return whether all are whole numbers} */
  public boolean areWhole() {
    return areWhole;
  }

  /**
   * A number without an object.
   *
   * @param i 0 ≤ i &lt; size
   * @return the number
   */
  public double at(int i) {
    return values[i];
  }

  @Override
  public Object get(int i) {
    double value = values[Objects.checkIndex(i, size)];
    if (areWhole) {
      return (long) value;
    }
    return value;
  }

  @Override
  public int size() {
    return size;
  }
}

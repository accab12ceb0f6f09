package io.recur.nn.cells;

import io.recur.nn.Cell;
import java.util.Arrays;

/** The rate of a regulariser for each part of a cell's state. */
record Rates(float[] ofParts) {
  /** Checks rates: one for all parts, or one per part. */
  static Rates of(String where, Cell cell, float... rates) {
    int parts = cell.state0().size();
    for (float rate : rates) {
      if (!(rate >= 0 && rate < 1)) {
        throw new IllegalArgumentException(where + ": rate=" + rate + "; need 0 ≤ rate < 1");
      }
    }
    if (rates.length != 1 && rates.length != parts) {
      throw new IllegalArgumentException(
          "%s: %d rates, %s has a state of %d tensors; need one rate, or one per tensor"
              .formatted(where, rates.length, cell, parts));
    }
    float[] all = Arrays.copyOf(rates, parts);
    if (rates.length == 1) {
      Arrays.fill(all, rates[0]);
    }
    return new Rates(all);
  }

  float of(int part) {
    return ofParts[part];
  }

  @Override
  public String toString() {
    String all = Arrays.toString(ofParts);
    return all.substring(1, all.length() - 1);
  }
}

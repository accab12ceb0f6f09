package io.recur.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** What the tests of the gates share. */
final class GateSizes {
  /** Units and batch: around vector widths, several columns a tile, and columns above a tile. */
  static List<int[]> all() {
    List<int[]> sizes = new ArrayList<>();
    for (int units : new int[] {1, 3, 16, 17, 63, 64, 65, 257}) {
      for (int batch : new int[] {1, 3, 17}) {
        sizes.add(new int[] {units, batch});
      }
    }
    sizes.add(new int[] {3, 2049});
    sizes.add(new int[] {2049, 2});
    return sizes;
  }

  /** One unit of one column of a batch: its places in a state and in stacked gates. */
  record Place(int units, int gates, int at) {
    /** In gate k of the stack. */
    int in(int k) {
      return at / units * gates * units + k * units + at % units;
    }

    /** The sum of gate k with its bias, if there is one. */
    double sum(Guarded.Piece sums, Guarded.@Nullable Piece bias, int k) {
      return sums.at(in(k)) + (bias == null ? 0 : bias.at(k * units + at % units));
    }
  }

  /** f'(x) by a central difference, in double: wrong by about 1e-9. */
  static double derivative(DoubleUnaryOperator f, double x) {
    double h = 1e-5;
    return (f.applyAsDouble(x + h) - f.applyAsDouble(x - h)) / (2 * h);
  }

  private GateSizes() {}
}

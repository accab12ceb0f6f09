package io.recur.io;

import java.util.Arrays;
import java.util.stream.Collectors;

/** How PyTorch names and orders the tensors of its recurrent modules, for both directions. */
final class TorchNames {
  private TorchNames() {}

  /** A recurrent module: the gates that its matrices stack, in PyTorch's order and Recur's. */
  enum Kind {
    RNN(1),
    LSTM(4),
    GRU(3);

    final int gates;

    Kind(int gates) {
      this.gates = gates;
    }
  }

  /** What ends the names of a layer's second direction. */
  static final String REVERSE = "_reverse";

  /** {@return the end of the names of a layer's tensors; a module that is one cell has none} */
  static String suffix(boolean isCell, int layer, boolean reverse) {
    return isCell ? "" : "_l" + layer + (reverse ? REVERSE : "");
  }

  /** {@return sizes as PyTorch prints them; -1 is any size} */
  static String shown(long[] sizes) {
    return PlainJson.shown(
        Arrays.stream(sizes)
            .mapToObj(size -> size == TorchModule.ANY ? "any" : Long.toString(size))
            .collect(Collectors.joining(", ", "[", "]")));
  }

  /** {@return out × in × kernel, row-major, as out × kernel·in, column-major, by taps} */
  static float[] taps(float[] values, int out, int in, int kernel) {
    float[] taps = new float[values.length];
    for (int at = 0; at < values.length; at++) {
      int k = at % kernel;
      int i = at / kernel % in;
      taps[(k * in + i) * out + at / kernel / in] = values[at];
    }
    return taps;
  }

  /** {@return the way back from {@link #taps}} */
  static float[] fromTaps(float[] taps, int out, int in, int kernel) {
    float[] values = new float[taps.length];
    for (int at = 0; at < values.length; at++) {
      int k = at % kernel;
      int i = at / kernel % in;
      values[at] = taps[(k * in + i) * out + at / kernel / in];
    }
    return values;
  }

  /** {@return row-major rows × columns as column-major; with both exchanged, the way back} */
  static float[] transposed(float[] values, int rows, int columns) {
    float[] transposed = new float[values.length];
    for (int column = 0; column < columns; column++) {
      for (int row = 0; row < rows; row++) {
        transposed[column * rows + row] = values[row * columns + column];
      }
    }
    return transposed;
  }
}

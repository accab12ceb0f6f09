package io.recur.io.keras;

import io.recur.io.layers.Causal;
import io.recur.nn.Conv1d;
import io.recur.nn.Layer;

/**
 * How a convolution moves.
 *
 * @param padding steps of zeros before x, and behind it unless it is causal
 */
record Window(int stride, int dilation, int padding, boolean isCausal) {
  Layer over(Conv1d conv) {
    Conv1d moved = conv.stride(stride).dilation(dilation).padding(padding);
    return isCausal && padding > 0 ? new Causal(moved, stride) : moved;
  }

  static Window of(Settings settings, int kernel) {
    int stride = settings.single("strides", 1);
    int dilation = settings.single("dilation_rate", 1);
    long zeros = (long) dilation * (kernel - 1);
    String padding = settings.text("padding", "valid");
    boolean isSame = padding.equals("same");
    if (zeros > Integer.MAX_VALUE || (isSame && (zeros % 2 != 0 || stride > 1))) {
      throw settings.refused(
          "padding", "need valid, causal, or same with a stride of 1 and an odd kernel");
    }
    return switch (padding) {
      case "valid" -> new Window(stride, dilation, 0, false);
      case "same" -> new Window(stride, dilation, (int) zeros / 2, false);
      case "causal" -> new Window(stride, dilation, (int) zeros, true);
      default -> throw settings.refused("padding", "need valid, causal or same");
    };
  }
}

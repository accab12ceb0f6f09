package io.recur.nn;

import io.recur.device.Elementwise;
import java.util.ArrayList;
import java.util.List;

/**
 * Short names of the layers, for a static import.
 *
 * <pre>{@code
 * import static io.recur.nn.Layers.*;
 * Chain model = chain(lstm(10, 15), dense(15, 5)).on(device, 42);
 * }</pre>
 */
public final class Layers {
  private Layers() {}

  /**
   * {@link Chain}.
   *
   * @param layers in the order in which they run
   * @return the chain
   */
  public static Chain chain(Layer... layers) {
    return new Chain(List.of(layers));
  }

  /**
   * {@link RNNCell} with tanh, in a Recur.
   *
   * @param in length of x
   * @param out length of y
   * @return the layer
   */
  public static Recur rnn(int in, int out) {
    return rnn(in, out, Elementwise.TANH);
  }

  /**
   * {@link RNNCell} in a Recur.
   *
   * @param in length of x
   * @param out length of y
   * @param function σ
   * @return the layer
   */
  public static Recur rnn(int in, int out, Elementwise function) {
    return new Recur(new RNNCell(in, out, function));
  }

  /**
   * {@link LSTMCell} in a Recur.
   *
   * @param in length of x
   * @param out length of y
   * @return the layer
   */
  public static Recur lstm(int in, int out) {
    return new Recur(new LSTMCell(in, out));
  }

  /**
   * {@link GRUCell} in a Recur.
   *
   * @param in length of x
   * @param out length of y
   * @return the layer
   */
  public static Recur gru(int in, int out) {
    return new Recur(new GRUCell(in, out));
  }

  /**
   * {@link GRUv3Cell} in a Recur.
   *
   * @param in length of x
   * @param out length of y
   * @return the layer
   */
  public static Recur gruV3(int in, int out) {
    return new Recur(new GRUv3Cell(in, out));
  }

  /**
   * {@link Dense} without a function.
   *
   * @param in length of x
   * @param out length of y
   * @return the layer
   */
  public static Dense dense(int in, int out) {
    return dense(in, out, Elementwise.IDENTITY);
  }

  /**
   * {@link Dense}.
   *
   * @param in length of x
   * @param out length of y
   * @param function σ
   * @return the layer
   */
  public static Dense dense(int in, int out, Elementwise function) {
    return new Dense(in, out, function);
  }

  /**
   * {@link Dropout}.
   *
   * @param rate the probability that a value is dropped
   * @return the layer
   */
  public static Dropout dropout(float rate) {
    return new Dropout(rate);
  }

  /**
   * {@link LayerNorm} with gain 1 and bias 0.
   *
   * @param in length of x and y
   * @return the layer
   */
  public static LayerNorm layerNorm(int in) {
    return new LayerNorm(in);
  }

  /**
   * {@link BatchNorm} with gain 1 and bias 0.
   *
   * @param in length of x and y
   * @return the layer
   */
  public static BatchNorm batchNorm(int in) {
    return new BatchNorm(in);
  }

  /**
   * {@link Conv1d} of stride 1 without padding.
   *
   * @param in rows of x
   * @param out rows of y
   * @param kernel taps
   * @return the layer
   */
  public static Conv1d conv1d(int in, int out, int kernel) {
    return new Conv1d(in, out, kernel);
  }

  /**
   * {@link Embedding}.
   *
   * @param classes their number
   * @param out length of y
   * @return the layer
   */
  public static Embedding embedding(int classes, int out) {
    return new Embedding(classes, out);
  }

  // Directions and layers over layers.

  /**
   * {@link Bidirectional}, with the outputs concatenated.
   *
   * @param forward runs from the first step on
   * @param backward runs from the last step back
   * @return the layer
   */
  public static Bidirectional bidirectional(Recur forward, Recur backward) {
    return bidirectional(forward, backward, Bidirectional.Merge.CONCATENATE);
  }

  /**
   * {@link Bidirectional}.
   *
   * @param forward runs from the first step on
   * @param backward runs from the last step back
   * @param merge how their outputs become one
   * @return the layer
   */
  public static Bidirectional bidirectional(
      Recur forward, Recur backward, Bidirectional.Merge merge) {
    return new Bidirectional(forward, backward, merge);
  }

  /**
   * A {@link Chain} with a {@link Dropout} between each two layers, and none behind the last one:
   * PyTorch's {@code num_layers} and {@code dropout}.
   *
   * <pre>{@code
   * Chain deep = stack(0.2f, lstm(10, 15), lstm(15, 15), lstm(15, 15));
   * }</pre>
   *
   * @param rate the probability that a value is dropped
   * @param layers in the order in which they run
   * @return the chain
   */
  public static Chain stack(float rate, Layer... layers) {
    List<Layer> all = new ArrayList<>();
    Dropout between = dropout(rate);
    for (Layer layer : layers) {
      if (!all.isEmpty()) {
        all.add(between);
      }
      all.add(layer);
    }
    return new Chain(all);
  }

  /**
   * {@link Residual}.
   *
   * @param inner gives an output of its input's size
   * @return the layer
   */
  public static Residual residual(Layer inner) {
    return new Residual(inner);
  }

  /**
   * {@link Residual} with a projection.
   *
   * @param inner a layer
   * @param shortcut gives an output of the same size
   * @return the layer
   */
  public static Residual residual(Layer inner, Layer shortcut) {
    return new Residual(inner, shortcut);
  }

  /**
   * {@link Highway}.
   *
   * @param size length of x and y
   * @param inner gives an output of its input's size
   * @return the layer
   */
  public static Highway highway(int size, Layer inner) {
    return new Highway(size, inner);
  }
}

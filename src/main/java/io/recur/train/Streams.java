package io.recur.train;

import io.recur.grad.OneHot;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;

/**
 * One long sequence of classes, cut into streams that run side by side. Column b of a chunk
 * continues column b of the chunk before, so the state of a model carries over from chunk to chunk.
 * The target of each element is the next one.
 *
 * <pre>{@code
 * Streams streams = new Streams(text, classes, 32, 64);
 * for (int i = 0; i < streams.chunks(); i++) {
 *   Tensor loss = crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
 * }
 * }</pre>
 */
public final class Streams {
  private final int[] elements;
  private final int batch;
  private final int steps;
  private final int length;
  private final Shape shape;

  /** The classes of one chunk, before they are copied to the device; guarded by this. */
  private final int[] index;

  /**
   * Cuts a sequence into streams of equal length. Elements at the end that do not fill them are
   * left out.
   *
   * @param elements the sequence, each 0 ≤ element &lt; classes; the array is not copied
   * @param classes the number of classes, 1 or more
   * @param batch the number of streams, 1 or more
   * @param steps the time steps per chunk, 1 or more
   * @throws ShapeException if classes, batch or steps is less than 1
   * @throws IllegalArgumentException if the sequence is too short for one chunk
   */
  public Streams(int[] elements, int classes, int batch, int steps) {
    if (batch < 1 || steps < 1) {
      throw new ShapeException(
          "streams: batch=%d, steps=%d; need 1 or more of each".formatted(batch, steps));
    }
    this.length = elements.length / batch;
    if (length <= steps) {
      throw new IllegalArgumentException(
          """
          streams: %d elements, batch=%d, steps=%d; one chunk needs batch × (steps + 1) = %d: \
          take a longer text, a smaller batch or fewer steps"""
              .formatted(elements.length, batch, steps, batch * (steps + 1L)));
    }
    this.elements = elements;
    this.batch = batch;
    this.steps = steps;
    this.shape = Shape.of(classes, batch, steps);
    this.index = new int[batch * steps];
  }

  /** {@return the number of whole chunks per stream} */
  public int chunks() {
    return (length - 1) / steps;
  }

  /** {@return the number of elements per chunk: batch times steps} */
  public int elementsPerChunk() {
    return batch * steps;
  }

  /**
   * Copies the inputs of a chunk to the tape's device.
   *
   * @param tape the tape that owns the result
   * @param chunk the chunk, counted from 0
   * @return classes × batch × steps
   * @throws ShapeException if there is no such chunk
   */
  public OneHot input(Tape tape, int chunk) {
    return cut(tape, chunk, 0);
  }

  /**
   * Copies the targets of a chunk to the tape's device: the elements one step later.
   *
   * @param tape the tape that owns the result
   * @param chunk the chunk, counted from 0
   * @return classes × batch × steps
   * @throws ShapeException if there is no such chunk
   */
  public OneHot target(Tape tape, int chunk) {
    return cut(tape, chunk, 1);
  }

  /**
   * The targets of a chunk as numbers, for {@link Confusion#add}.
   *
   * @param chunk the chunk, counted from 0
   * @return the element of each column, the batch of the first step first; a new array
   * @throws ShapeException if there is no such chunk
   */
  public synchronized int[] targets(int chunk) {
    fill(chunk, 1);
    return index.clone();
  }

  private synchronized OneHot cut(Tape tape, int chunk, int ahead) {
    fill(chunk, ahead);
    return tape.oneHot(shape, index);
  }

  private void fill(int chunk, int ahead) {
    if (chunk < 0 || chunk >= chunks()) {
      throw new ShapeException("streams: chunk=%d; need 0 ≤ chunk < %d".formatted(chunk, chunks()));
    }
    for (int t = 0; t < steps; t++) {
      for (int b = 0; b < batch; b++) {
        index[t * batch + b] = elements[b * length + chunk * steps + t + ahead];
      }
    }
  }
}

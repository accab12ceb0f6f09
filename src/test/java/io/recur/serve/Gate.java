package io.recur.serve;

import io.recur.grad.Tensor;
import io.recur.nn.Layer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/**
 * A layer that passes its input on: it notes the batches, and the first one waits until it opens.
 */
public final class Gate implements Layer {
  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch opened = new CountDownLatch(1);
  final List<Integer> batches = new CopyOnWriteArrayList<>();

  @Override
  public Tensor apply(Tensor x) {
    batches.add(x.shape().batch());
    entered.countDown();
    await(opened);
    return x;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns once the model is inside a batch, which stays there until {@link #open}. */
  public void awaitBatch() {
    await(entered);
  }

  /** Lets all batches pass. */
  public void open() {
    opened.countDown();
  }

  @Override
  public boolean columnsAreIndependent() {
    return true;
  }
}

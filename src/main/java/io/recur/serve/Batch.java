package io.recur.serve;

import io.recur.device.Device;
import io.recur.nn.Layer;
import io.recur.nn.StateBatch;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One step of the model for several sessions, whose states are in the table. Nothing in the table
 * changes where the model throws.
 */
final class Batch implements AutoCloseable {
  private final RequestBatch batch;
  private final @Nullable Request[] requests;
  private final MemorySegment[] slabs;
  private final long[] at;

  /**
   * Begins to use a model, which is a fork that nobody else uses.
   *
   * @param most the most sessions of a batch
   */
  Batch(Layer model, Device device, int most) {
    this.batch = new RequestBatch(model, device, most);
    this.requests = new Request[most];
    this.slabs = new MemorySegment[most];
    this.at = new long[most];
  }

  StateBatch states() {
    return batch.states();
  }

  /**
   * Steps sessions once.
   *
   * @param table holds their states; those of sessions that fail stay as they are
   * @param steps one for each session, all of one kind
   * @param count their number
   */
  void run(Table table, Waiting[] steps, int count) {
    for (int j = 0; j < count; j++) {
      requests[j] = steps[j].request;
      slabs[j] = table.stateSlab(steps[j].row);
      at[j] = table.stateAt(steps[j].row);
    }
    try {
      batch.step(requests, slabs, slabs, at, count);
    } finally {
      Arrays.fill(requests, 0, count, null);
    }
  }

  /** The answer of the session with this place in the batch; none where it has failed. */
  float @Nullable [] answer(int j) {
    return batch.answer(j);
  }

  /** The rows of each answer. */
  int answerRows() {
    return batch.answerRows();
  }

  @Override
  public void close() {
    batch.close();
  }
}

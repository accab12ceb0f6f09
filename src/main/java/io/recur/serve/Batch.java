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
  private final MemorySegment[] from;
  private final @Nullable MemorySegment[] to;
  private final long[] at;

  /** From which steps of no session begin. */
  private final MemorySegment initial;

  /**
   * Begins to use a model, which is a fork that nobody else uses.
   *
   * @param most the most sessions of a batch
   */
  Batch(Layer model, Device device, int most) {
    this.batch = new RequestBatch(model, device, most);
    this.requests = new Request[most];
    this.from = new MemorySegment[most];
    this.to = new MemorySegment[most];
    this.at = new long[most];
    this.initial = MemorySegment.ofArray(batch.states().initial());
  }

  StateBatch states() {
    return batch.states();
  }

  /**
   * Steps sessions once.
   *
   * @param table holds their states; those of sessions that fail stay as they are
   * @param steps at most one for each session, all of one kind
   * @param count their number
   */
  void run(Table table, Waiting[] steps, int count) {
    for (int j = 0; j < count; j++) {
      int row = steps[j].row;
      boolean isKept = row != Table.NONE;
      requests[j] = steps[j].request;
      from[j] = isKept ? table.stateSlab(row) : initial;
      to[j] = isKept ? from[j] : null;
      at[j] = isKept ? table.stateAt(row) : 0;
    }
    try {
      batch.step(requests, from, to, at, count);
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

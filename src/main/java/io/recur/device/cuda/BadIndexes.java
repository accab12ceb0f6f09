package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.cuMemFreeHost;
import static io.recur.bindings.cuda.cuda_h.cuMemHostAlloc;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.recur.device.kernels.Indexes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The note that a kernel writes for an index that names no column, see {@code refuse} in {@code
 * columns.cu}.
 *
 * <p>The note is in pinned memory of the host, to which kernels write directly. Nothing copies it,
 * and nothing waits for it: the host reads it whenever it has waited for the work anyway. The
 * queue's monitor guards it.
 */
final class BadIndexes {
  /** The operations, by their numbers in {@code columns.cu}. */
  private static final List<String> OPERATIONS =
      List.of("gather", "scatterAdd", "crossEntropy", "addCrossEntropyDerivative");

  private static final int WHAT = 0;
  private static final int COLUMNS = 1;
  private static final int OPERATION = 2;
  private static final long WORDS = 3;

  private final Context context;
  private final MemorySegment note;

  BadIndexes(Context context) {
    this.context = context;
    long bytes = WORDS * Long.BYTES;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      context.refuseHost(cuMemHostAlloc(out, bytes, 0), bytes);
      note = out.get(ValueLayout.ADDRESS, 0).reinterpret(bytes).fill((byte) 0);
    }
  }

  /** {@return the address for kernels, which is the host's, since addressing is unified} */
  long address() {
    return note.address();
  }

  /**
   * Throws for a bad index, once. All submitted work must be done.
   *
   * @throws IndexOutOfBoundsException if a kernel has met a bad index since the last call
   */
  void check() {
    long what = note.getAtIndex(JAVA_LONG, WHAT);
    if (what == 0) {
      return;
    }
    String where = OPERATIONS.get((int) note.getAtIndex(JAVA_LONG, OPERATION));
    long columns = note.getAtIndex(JAVA_LONG, COLUMNS);
    note.fill((byte) 0);
    throw new IndexOutOfBoundsException(
        "%s, found by %s while it worked; what depends on it is lost, make it again"
            .formatted(
                Indexes.message(
                    where, (what & 0xFFFFFFFFL) - 1, (int) (what >> Integer.SIZE), columns),
                context));
  }

  void close() {
    cuMemFreeHost(note);
  }
}

package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CUDA_SUCCESS;
import static io.recur.bindings.cuda.cuda_h.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
import static io.recur.bindings.cuda.cuda_h.cuGraphDestroy;
import static io.recur.bindings.cuda.cuda_h.cuGraphExecDestroy;
import static io.recur.bindings.cuda.cuda_h.cuGraphInstantiateWithFlags;
import static io.recur.bindings.cuda.cuda_h.cuGraphLaunch;
import static io.recur.bindings.cuda.cuda_h.cuStreamBeginCapture_v2;
import static io.recur.bindings.cuda.cuda_h.cuStreamEndCapture;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Launches lists of work. A list that repeats becomes a CUDA graph: one call instead of one per
 * operation. A new list is launched operation by operation, captured when it comes a second time,
 * and launched as a graph from then on. The queue's monitor guards this object.
 */
final class Graphs {
  private static final int MOST_GRAPHS = 128;

  /**
   * A graph used within this many launches is not evicted, so a cycle longer than the cache still
   * finds some of its graphs.
   */
  private static final int PROTECTED_LAUNCHES = 4 * MOST_GRAPHS;

  private static final int MOST_SEEN = 1024;

  private final Context context;
  private final Program program;
  private final Graph[] graphs = new Graph[MOST_GRAPHS];
  private int count;

  /** The hashes of lists that came once. A new one overwrites the oldest. */
  private final long[] seen = new long[MOST_SEEN];

  private int nextSeen;
  private long launches;

  private static final class Graph {
    private final long hash;
    private final long[] words;
    private final MemorySegment executable;
    private long lastUse;

    Graph(long hash, long[] words, MemorySegment executable) {
      this.hash = hash;
      this.words = words;
      this.executable = executable;
    }
  }

  Graphs(Context context, Program program) {
    this.context = context;
    this.program = program;
  }

  /** Launches a list on the stream. Without a graph, {@code pieces} launches each operation. */
  void launch(WorkList list, WorkList.Reader pieces) {
    launches++;
    long hash = list.hash();
    Graph graph = find(hash, list);
    if (graph == null && isSeen(hash)) {
      graph = keep(hash, list, pieces);
    }
    if (graph == null) {
      seen[nextSeen] = hash;
      nextSeen = (nextSeen + 1) % MOST_SEEN;
      list.read(pieces);
    } else {
      graph.lastUse = launches;
      int status = cuGraphLaunch(graph.executable, context.stream());
      if (status != 0) {
        throw context.failed("cuGraphLaunch of " + Names.of(list, program), status);
      }
    }
  }

  /** {@return the number of graphs} */
  int count() {
    return count;
  }

  private @Nullable Graph find(long hash, WorkList list) {
    for (int i = 0; i < count; i++) {
      if (graphs[i].hash == hash && list.is(graphs[i].words)) {
        return graphs[i];
      }
    }
    return null;
  }

  private boolean isSeen(long hash) {
    for (long other : seen) {
      if (other == hash) {
        return true;
      }
    }
    return false;
  }

  /** Captures a list, in a free place or in that of an idle graph. Returns null without one. */
  private @Nullable Graph keep(long hash, WorkList list, WorkList.Reader pieces) {
    int place = count < MOST_GRAPHS ? count : oldest();
    if (place < count && launches - graphs[place].lastUse < PROTECTED_LAUNCHES) {
      return null;
    }
    Graph graph = new Graph(hash, list.words(), captured(list, pieces));
    if (place < count) {
      context.check(cuGraphExecDestroy(graphs[place].executable), "cuGraphExecDestroy");
    } else {
      count++;
    }
    graphs[place] = graph;
    return graph;
  }

  private int oldest() {
    int oldest = 0;
    for (int i = 1; i < count; i++) {
      oldest = graphs[i].lastUse < graphs[oldest].lastUse ? i : oldest;
    }
    return oldest;
  }

  private MemorySegment captured(WorkList list, WorkList.Reader pieces) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      // other threads of this process may allocate meanwhile
      context.check(
          cuStreamBeginCapture_v2(context.stream(), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL()),
          "cuStreamBeginCapture");
      try {
        list.read(pieces);
      } catch (DeviceException e) {
        if (cuStreamEndCapture(context.stream(), out)
            == CUDA_SUCCESS()) { // else the stream stays in capture
          cuGraphDestroy(out.get(ValueLayout.ADDRESS, 0));
        }
        throw e;
      }
      check(cuStreamEndCapture(context.stream(), out), "cuStreamEndCapture", list);
      MemorySegment graph = out.get(ValueLayout.ADDRESS, 0);
      int status = cuGraphInstantiateWithFlags(out, graph, 0);
      int destroyed = cuGraphDestroy(graph);
      check(status, "cuGraphInstantiateWithFlags", list);
      context.check(destroyed, "cuGraphDestroy");
      return out.get(ValueLayout.ADDRESS, 0);
    }
  }

  private void check(int status, String call, WorkList list) {
    if (status != 0) {
      throw context.failed(
          call + " of " + Names.of(list, program) + " (-Dio.recur.cuda.graphs=false does without)",
          status);
    }
  }

  /** Destroys all graphs. The stream must be idle. */
  void close() {
    for (int i = 0; i < count; i++) {
      cuGraphExecDestroy(graphs[i].executable);
    }
    count = 0;
  }
}

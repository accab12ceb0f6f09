package io.recur.device.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.Buffer;
import io.recur.device.DeviceException;
import io.recur.device.Precision;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one way to put work on a CUDA device, in the order in which it is recorded, from any thread.
 *
 * <pre>
 * queue.kernel(Kernel.FILL).real(2).pointer(y.target(n)).integer(n).over(n);
 * queue.kernel(Kernel.SOFTMAX)….blocks(columns, Launch.BLOCK);
 * </pre>
 *
 * <p>The queue records work into a list. It submits the list to the device for a read, when memory
 * is released, or when the list is long, so that the device works while the host records. A device
 * that waits for work, as after a read, gets a short list first. A list that repeats becomes a
 * graph, see {@link Graphs}; values that change from call to call must therefore be uploads.
 *
 * <p>The queue's monitor guards the queue and everything that it works with. Two launches that must
 * follow each other are recorded in one {@code synchronized (queue)}. Another thread may close the
 * owner of a buffer at any time, and {@link #submit} frees what was closed. An address is therefore
 * taken from a buffer that was open after the last submit.
 */
final class Queue implements Memory.Work, Launch.Recorder {
  static final String CHECK = "io.recur.cuda.check";
  static final String GRAPHS = "io.recur.cuda.graphs";

  /** A list of this length is submitted while the device works. */
  static final int MOST_OPERATIONS = 256;

  /** A list of this length is submitted while the device waits for work. */
  static final int FIRST_OPERATIONS = 32;

  /** Shorter lists are launched operation by operation: a graph would gain nothing. */
  private static final int LEAST_IN_GRAPH = 4;

  private static final int BLOCKS_A_MULTIPROCESSOR = 32;

  /** Of 256 threads each, per multiprocessor. */
  private static final int RESIDENT_BLOCKS = 8;

  /** Throws if the device is closed. */
  private final Runnable checkOpen;

  private final Libraries libraries;
  private final Context context;
  private final Memory memory;
  private final Program program;
  private final Staging staging;
  private final BadIndexes indexes;
  private final Cublas blas;
  private final WorkList.Reader stream;
  private final Graphs graphs;
  private final WorkList list = new WorkList();

  /** Releases what was acquired, the last first. */
  private final Deque<Runnable> closing = new ArrayDeque<>();

  private final boolean checks = Boolean.getBoolean(CHECK);
  private final boolean keepsGraphs =
      !checks && !"false".equals(System.getProperty(GRAPHS, "true"));
  private final ThreadLocal<Launch> launches = ThreadLocal.withInitial(Launch::new);
  private boolean isOpen = true;

  /** Whether the device has done all submitted work, so that it waits for what is recorded now. */
  private boolean isIdle = true;

  /** Takes over the context: closes it with the queue, or if the constructor fails. */
  Queue(Runnable checkOpen, Context context, Libraries libraries, Precision precision) {
    this.checkOpen = checkOpen;
    this.libraries = libraries;
    this.context = context;
    closing.push(context::close);
    try {
      memory = new Memory(this, context);
      closing.push(memory::close);
      program = Program.load(context, libraries);
      closing.push(program::close);
      blas = new Cublas(context, memory, libraries, precision);
      closing.push(blas::close);
      staging = new Staging(context, memory);
      closing.push(staging::close);
      indexes = new BadIndexes(context);
      closing.push(indexes::close);
      graphs = new Graphs(context, program);
      closing.push(graphs::close);
      stream = new StreamLauncher(context, program, blas);
    } catch (DeviceException | LinkageError e) {
      try {
        close();
      } catch (DeviceException later) {
        e.addSuppressed(later);
      }
      throw e;
    }
  }

  Memory memory() {
    return memory;
  }

  Cublas blas() {
    return blas;
  }

  BadIndexes indexes() {
    return indexes;
  }

  @Override
  public long mostBlocks() {
    return BLOCKS_A_MULTIPROCESSOR * multiprocessors();
  }

  @Override
  public long residentBlocks() {
    return RESIDENT_BLOCKS * multiprocessors();
  }

  @Override
  public long multiprocessors() {
    return context.card().multiprocessors();
  }

  /** The time that the host has spent in waiting for the device. */
  synchronized long waitedNanos() {
    return context.waitedNanos();
  }

  /** {@return whether the host waits for each operation} */
  boolean checks() {
    return checks;
  }

  /** {@return the number of graphs} */
  int graphs() {
    return graphs.count();
  }

  // Recording.

  /** {@return a launch of this kernel, to which the caller adds arguments} */
  Launch kernel(Kernel kernel) {
    return kernel(kernel.ordinal());
  }

  /** {@return a launch of the kernel of this number} */
  Launch kernel(int number) {
    return launches.get().begin(this, number);
  }

  /** Compiles or finds kernels, and loads them. Returns the number of the first. */
  synchronized int load(String source, List<String> symbols) {
    refuse();
    context.enter();
    return program.load(new Compiler(libraries, source, Compiler.PROGRAM), symbols);
  }

  @Override
  public synchronized void record(Launch launch, int blocks, int threads) {
    refuse();
    if (launch.uploads()) {
      makeRoom((long) launch.uploadedWords * Float.BYTES);
      launch.arguments[launch.uploadedArgument] =
          staging.put(launch.uploaded, JAVA_INT, 0, launch.uploadedWords);
    }
    launch.refuseClosed();
    list.kernel(launch, blocks, threads);
    recorded();
  }

  /** A matrix product of matrices that are open and that the caller keeps reachable. */
  synchronized void record(Product product) {
    refuse();
    list.product(product);
    recorded();
  }

  private void recorded() {
    if (checks) {
      String what = Names.of(list, program);
      submit();
      context.synchronise(what);
      indexes.check();
    } else if (list.operations() >= (isIdle ? FIRST_OPERATIONS : MOST_OPERATIONS)) {
      submit();
    }
  }

  // Transfers.

  /** Copies words of a float[] or int[] to a buffer, after the work recorded so far. */
  synchronized void write(Object array, ValueLayout layout, int from, int words, Buffer buffer) {
    refuse();
    long bytes = (long) words * Float.BYTES;
    if (bytes > Staging.LARGE_BYTES) {
      submit();
      context.enter();
      staging.makeRing();
      staging.send(array, layout, from, words, buffer.target().address());
    } else if (words > 0) {
      makeRoom(bytes);
      long target = buffer.target().address();
      long there = staging.put(array, layout, from, words);
      list.copy(there, target, words);
      recorded();
    }
    Reference.reachabilityFence(buffer);
  }

  private void makeRoom(long bytes) {
    if (!staging.fits(bytes)) {
      submit();
    }
  }

  /** Waits for all work, then copies words of a buffer to the heap. */
  synchronized void read(Buffer buffer, float[] values, int from, int length) {
    refuse();
    submit();
    context.enter();
    staging.fetch(buffer.segment().address(), values, from, length);
    isIdle = true;
    indexes.check();
    Reference.reachabilityFence(buffer);
  }

  // Submission.

  @Override
  public synchronized void submit() {
    if (list.operations() == 0) {
      return;
    }
    isIdle = false;
    try {
      context.enter();
      staging.send();
      if (keepsGraphs && list.operations() >= LEAST_IN_GRAPH) {
        graphs.launch(list, stream);
      } else {
        list.read(stream);
      }
    } finally {
      list.clear(); // after a failure nothing of it will run
    }
    memory.freeReleased();
  }

  /** Throws after close, and after a failure. */
  void refuse() {
    checkOpen.run();
    context.refuseFailed();
  }

  @Override
  public void enter() {
    checkOpen.run();
    context.enter();
  }

  @Override
  public boolean isOpen() {
    return isOpen;
  }

  /**
   * Releases everything when all work is done.
   *
   * @throws DeviceException if work fails that nobody has waited for; everything is released
   */
  synchronized void close() {
    isOpen = false;
    launches.remove(); // else the thread would keep this class loader
    list.clear();
    closing.push(context::leave);
    @Nullable DeviceException first = null;
    while (!closing.isEmpty()) {
      try {
        closing.pop().run();
      } catch (DeviceException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }
}

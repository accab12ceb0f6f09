package io.recur.device.cuda;

import io.recur.device.Buffer;
import io.recur.device.cuda.PhaseParameters.Parameter;
import io.recur.device.kernels.Places;
import io.recur.device.kernels.ScheduledExecution;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The kernel of a phase, launched step by step. */
final class PhaseKernel {
  /** The words of a seed. */
  private static final int SEED_WORDS = 2;

  private final Queue queue;
  private final int number;
  private final PhaseSource source;
  private final List<Parameter> parameters;

  PhaseKernel(Queue queue, PhaseSource source, int number) {
    this.queue = queue;
    this.source = source;
    this.number = number;
    this.parameters = source.parameters();
  }

  /** Records the kernel for step t. */
  void launch(ScheduledExecution run, MemorySegment seeds, int t) {
    Places places = run.places();
    int batch = places.batch();
    Launch launch = queue.kernel(number).integer(batch);
    for (int i = 0; i < parameters.size(); i++) {
      Parameter parameter = parameters.get(i);
      int its = parameter.number();
      switch (parameter.kind()) {
        case ARRAY -> array(launch, places, its, t + parameter.lag(), parameter.isWritten());
        case VECTOR -> launch.pointer(run.vector(its).segment());
        case MATRIX -> launch.pointer(run.matrix(its).segment());
        case CLASSES -> launch.pointer(run.index().segment(), (long) t * batch);
        case SEEDS -> launch.pointer(seeds, SEED_WORDS * (long) t * its);
      }
    }
    if (source.isByColumn()) {
      launch.blocks(Math.min(batch, queue.mostBlocks()), source.threads());
    } else {
      launch.overColumns(source.rows(), batch);
    }
  }

  private static void array(Launch launch, Places places, int array, int t, boolean isWritten) {
    Buffer buffer = places.buffer(array);
    if (buffer == null) {
      launch.pointer(MemorySegment.NULL);
    } else {
      MemorySegment whole = isWritten ? buffer.target() : buffer.segment();
      launch.pointer(whole, places.offset(array, t));
    }
  }
}

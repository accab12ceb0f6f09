package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.BufferPool;
import io.recur.device.memory.Slab;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the values of a state without history: a buffer of the device's pool. The parts follow
 * each other, each aligned to 64 bytes. The buffer is taken when a state is first copied, changed
 * where the sizes change, and given back by {@link #giveBack} or when this is unreachable.
 *
 * <p>The tensors of the copy may be read until the next copy; a caller who returns them to a user
 * copies them.
 */
final class Kept {
  private @Nullable State state;
  private @Nullable Buffer memory;
  private Cleaner.@Nullable Cleanable buffer;

  /** Whether the buffer stays for states that need less of it. */
  private boolean isReserved;

  /** Copies a state and returns the copy. */
  State copy(State from) {
    State mine = state;
    if (mine == null || !mine.isLike(from)) {
      List<Shape> shapes = new ArrayList<>(from.parts().size());
      for (Tensor part : from.parts()) {
        shapes.add(Shape.of(part.shape().rows(), part.shape().columns()));
      }
      mine = take(from.h().device(), shapes);
    }
    from.copyTo(mine);
    Reference.reachabilityFence(this);
    return mine;
  }

  /** Copies some columns of a state, which is in other memory, and returns the copy. */
  State copy(State from, int... columns) {
    List<Shape> shapes = new ArrayList<>();
    for (Tensor part : from.parts()) {
      shapes.add(Shape.of(part.shape().rows(), columns.length));
    }
    shapes.add(Shape.of(1, columns.length)); // the indexes
    List<Tensor> parts = take(from.h().device(), shapes).parts();
    Buffer index = parts.getLast().value();
    index.writeIndexes(columns);
    for (int i = 0; i < from.parts().size(); i++) {
      int rows = shapes.get(i).rows();
      Buffer source = from.parts().get(i).value();
      index
          .device()
          .columns()
          .gather(rows, columns.length, source, index, null, parts.get(i).value());
    }
    State mine = new State(parts.subList(0, parts.size() - 1));
    state = mine;
    Reference.reachabilityFence(this);
    return mine;
  }

  /** Copies a snapshot's values to a device and returns the copy. */
  State copy(Device device, List<Snapshot.Part> parts) {
    List<Shape> shapes = parts.stream().map(part -> Shape.of(part.rows(), part.batch())).toList();
    State mine = take(device, shapes);
    for (int i = 0; i < parts.size(); i++) {
      mine.parts().get(i).value().write(parts.get(i).values());
    }
    Reference.reachabilityFence(this);
    return mine;
  }

  /**
   * A state of as many columns, whose values the caller writes. States of changing batches share
   * memory for the most columns that they have.
   */
  State open(StateCheck of, int columns, int most) {
    if (!isReserved) {
      take(of.device(), of.shapes(most));
      isReserved = true;
    }
    State mine = state;
    if (mine == null || mine.batch() != columns) {
      mine = take(of.device(), of.shapes(columns));
    }
    return mine;
  }

  /** Takes memory for parts of these shapes in place of the present ones. */
  private State take(Device device, List<Shape> shapes) {
    long floats = 0;
    for (Shape shape : shapes) {
      floats += Slab.padded(shape.count());
    }
    Buffer whole = memory;
    if (whole == null || !isReserved || floats > whole.floats()) {
      whole = pooled(device, floats);
    }
    List<Tensor> parts = new ArrayList<>(shapes.size());
    long at = 0;
    for (Shape shape : shapes) {
      parts.add(Tensor.constant(shape, whole.slice(at, shape.count())));
      at += Slab.padded(shape.count());
    }
    State taken = new State(parts);
    state = taken;
    return taken;
  }

  /** Takes a buffer in place of the present one. */
  private Buffer pooled(Device device, long floats) {
    BufferPool pool = KernelDevice.of(device).pool(BufferPool.length(floats));
    int number = pool.take();
    giveBack();
    buffer = pool.tie(number, this);
    Buffer whole = pool.at(number);
    memory = whole;
    return whole;
  }

  /** Gives the buffer back; a second call does nothing. */
  void giveBack() {
    Cleaner.Cleanable known = buffer;
    buffer = null;
    memory = null;
    state = null;
    if (known != null) {
      known.clean();
    }
  }
}

package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Slab;
import io.recur.device.kernels.Slots;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values of a state, without history, in a slot of the device's table: what a Recur keeps
 * between calls. The parts follow one another, each aligned to 64 bytes. It takes its slot when a
 * state is first copied in, and another one where the sizes change; it gives it back when it is
 * closed, or when nothing refers to it any more.
 *
 * <p>The tensors of {@link #state} are for reading before the next copy; who hands them on copies
 * them.
 */
final class Kept {
  private @Nullable State state;
  private Cleaner.@Nullable Cleanable slot;

  /** Copies a state of tensors on a device; gives the copy. */
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

  /** Copies a snapshot's values to a device; gives the copy. */
  State copy(Device device, List<Snapshot.Part> parts) {
    List<Shape> shapes = parts.stream().map(part -> Shape.of(part.rows(), part.batch())).toList();
    State mine = take(device, shapes);
    for (int i = 0; i < parts.size(); i++) {
      mine.parts().get(i).value().write(parts.get(i).values());
    }
    Reference.reachabilityFence(this);
    return mine;
  }

  /** A slot of this size instead of the one before. */
  private State take(Device device, List<Shape> shapes) {
    long floats = 0;
    for (Shape shape : shapes) {
      floats += Slab.padded(shape.count());
    }
    Slots slots = KernelDevice.of(device).slots(floats);
    int number = slots.take();
    giveBack();
    slot = slots.tie(number, this);
    Buffer memory = slots.at(number);
    List<Tensor> parts = new ArrayList<>(shapes.size());
    long at = 0;
    for (Shape shape : shapes) {
      parts.add(Tensor.constant(shape, memory.slice(at, shape.count())));
      at += Slab.padded(shape.count());
    }
    State taken = new State(parts);
    state = taken;
    return taken;
  }

  /** Gives the slot back; a second call does nothing. */
  void giveBack() {
    Cleaner.Cleanable known = slot;
    slot = null;
    state = null;
    if (known != null) {
      known.clean();
    }
  }
}

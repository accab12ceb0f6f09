package io.recur.hostile;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The objects of one call: a receiver and arguments of one device, one tape and one model. The
 * devices are kept from call to call. Everything else is made when a sample asks for it, and
 * dropped after the call.
 */
final class World implements AutoCloseable {
  static final Shape SHAPE = Shape.of(2, 3);

  private final Devices devices;
  private final List<Tape> tapes = new ArrayList<>();
  private final List<Closeable> others = new ArrayList<>();
  private final Set<Object> given = Collections.newSetFromMap(new IdentityHashMap<>());
  private @Nullable Tape tape;
  private @Nullable Chain model;

  /** The devices of all calls: one to use, another, a closed one, and a folder for files. */
  static final class Devices {
    final Path folder;
    final Device closed;
    final Buffer ofClosedSlab;
    private final String name;
    private Device device;
    private Device other;
    private Buffer foreign;

    Devices(String name, Path folder) {
      this.name = name;
      this.folder = folder;
      this.device = Device.of(name);
      this.other = Device.of(name);
      this.foreign = other.allocate(6);
      this.closed = Device.of(name);
      Slab slab = KernelDevice.of(device).slab();
      this.ofClosedSlab = slab.take(6);
      slab.close();
      closed.close();
    }

    Device device() {
      return device;
    }

    Device other() {
      return other;
    }

    /** Six floats of the other device. */
    Buffer foreign() {
      return foreign;
    }

    /** Opens a device again that a call has closed. */
    void reopen() {
      device.close();
      other.close();
      device = Device.of(name);
      other = Device.of(name);
      foreign = other.allocate(6);
    }
  }

  World(Devices devices) {
    this.devices = devices;
  }

  Devices devices() {
    return devices;
  }

  Device device() {
    return devices.device();
  }

  Tape tape() {
    if (tape == null) {
      tape = open(Tape.on(device()));
    }
    return tape;
  }

  /** A tape that is closed with this world. */
  Tape open(Tape fresh) {
    tapes.add(fresh);
    return fresh;
  }

  /** Notes what this world closes in the end, the last one first. */
  void keep(Closeable other) {
    others.addFirst(other);
  }

  Tape closedTape() {
    Tape fresh = open(Tape.on(device()));
    fresh.close();
    return fresh;
  }

  /** A model of 2 features that stands on the device. */
  Chain model() {
    if (model == null) {
      model = chain(lstm(2, 2), dense(2, 2)).on(device(), 1);
    }
    return model;
  }

  Buffer buffer(int floats) {
    return device().allocate(floats);
  }

  Buffer indexes(int... indexes) {
    Buffer buffer = device().allocate(indexes.length);
    buffer.writeIndexes(indexes);
    return buffer;
  }

  /** Notes a sample's value, to tell it from an object that the call made. */
  @Nullable Object give(@Nullable Object value) {
    if (value != null) {
      given.add(value);
    }
    return value;
  }

  /** {@return whether the call made this object, so that nobody else closes it} */
  boolean isFresh(Object value) {
    return !given.contains(value) && value != devices.device() && value != devices.other;
  }

  @Override
  public void close() throws IOException {
    for (Closeable other : others) {
      other.close();
    }
    tapes.forEach(Tape::close);
  }
}

package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_run_backward;
import static io.recur.bindings.kernels.recur_h.recur_run_forward;

import io.recur.bindings.kernels.recur_array;
import io.recur.bindings.kernels.recur_parameter;
import io.recur.bindings.kernels.recur_run;
import io.recur.device.Buffer;
import io.recur.device.kernels.Indexes;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Programs.Execution;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A run described in memory of the caller's: a {@code recur_run} and the tables that it points to.
 * They are written by offset, since a slice per entry would be garbage at every step.
 */
final class NativeRun implements Execution {
  private final RunTables program;
  private MemorySegment its = MemorySegment.NULL;
  private int batch;
  private int time;
  private long[] seeds = {};

  // What the addresses in the description keep nobody from freeing.
  private final @Nullable Buffer[] arrays;
  private final @Nullable Buffer[] values;
  private final @Nullable Buffer[] gradients;
  private @Nullable Buffer index;
  private @Nullable Buffer description;

  private final Buffer[] matrices;
  private final PackedPanels.@Nullable Copy[] copies;

  NativeRun(RunTables program) {
    this.program = program;
    int vectors = program.program.vectors().size();
    int all = vectors + program.program.matrices().size();
    arrays = new Buffer[program.program.arrays().size()];
    values = new Buffer[all];
    gradients = new Buffer[all];
    matrices = new Buffer[all - vectors];
    copies = new PackedPanels.Copy[program.packed.size()];
  }

  @Override
  public Execution begin(Buffer description, int batch, int time) {
    this.batch = batch;
    this.time = time;
    this.description = description;
    Arrays.fill(arrays, null);
    Arrays.fill(values, null);
    Arrays.fill(gradients, null);
    index = null;
    its = description.target().fill((byte) 0);
    long base = its.address();
    setAddress(recur_run.program$offset(), program.tables.segment().address());
    recur_run.batch(its, batch);
    recur_run.time(its, time);
    setAddress(recur_run.arrays$offset(), base + program.arrays);
    setAddress(recur_run.vectors$offset(), base + program.vectors);
    setAddress(recur_run.matrices$offset(), base + program.matrices);
    setAddress(recur_run.packed$offset(), base + program.panels);
    return this;
  }

  private void setAddress(long offset, long address) {
    its.set(ValueLayout.JAVA_LONG, offset, address);
  }

  private static long addressOf(@Nullable Buffer buffer) {
    return buffer == null ? 0 : buffer.segment().address();
  }

  @Override
  public Execution array(int number, @Nullable Buffer buffer, long first, int steps) {
    arrays[number] = buffer;
    long at = program.arrays + number * recur_array.sizeof();
    long address = buffer == null ? 0 : addressOf(buffer) + first * Float.BYTES;
    setAddress(at + recur_array.data$offset(), address);
    its.set(ValueLayout.JAVA_LONG, at + recur_array.steps$offset(), steps);
    int rows = program.program.arrays().get(number).rows();
    its.set(ValueLayout.JAVA_INT, at + recur_array.rows$offset(), rows);
    return this;
  }

  private void parameter(
      long at, int number, Buffer buffer, @Nullable Buffer gradient, boolean grows, int rows) {
    values[number] = buffer;
    gradients[number] = gradient;
    setAddress(at + recur_parameter.values$offset(), addressOf(buffer));
    setAddress(at + recur_parameter.gradient$offset(), addressOf(gradient));
    Buffer carry =
        gradient != null && grows ? KernelDevice.of(gradient.device()).carryOf(gradient) : null;
    setAddress(at + recur_parameter.carry$offset(), carry == null ? 0 : carry.target().address());
    its.set(ValueLayout.JAVA_LONG, at + recur_parameter.rows$offset(), rows);
  }

  @Override
  public Execution vector(int number, Buffer buffer, @Nullable Buffer gradient) {
    long at = program.vectors + number * recur_parameter.sizeof();
    parameter(at, number, buffer, gradient, true, program.program.vectors().get(number));
    return this;
  }

  @Override
  public Execution matrix(int number, Buffer buffer, @Nullable Buffer gradient) {
    long at = program.matrices + number * recur_parameter.sizeof();
    int place = program.program.vectors().size() + number;
    boolean grows = program.scatters[number];
    int rows = program.program.matrices().get(number).rows();
    parameter(at, place, buffer, gradient, grows, rows);
    matrices[number] = buffer;
    return this;
  }

  @Override
  public Execution index(@Nullable Buffer classes) {
    index = classes;
    setAddress(recur_run.index$offset(), addressOf(classes));
    return this;
  }

  @Override
  public Execution seeds(long[] seeds) {
    this.seeds = seeds;
    return this;
  }

  /** The indexes may have been written to since they were named: C would follow any of them. */
  private void check(String where) {
    Buffer classes = index;
    for (int bound : program.classes) {
      if (bound > 0 && classes != null) {
        Indexes.check(where, classes, (long) batch * time, bound);
      }
    }
  }

  private void prepare(String where, @Nullable Buffer scratch) {
    check(where);
    for (int i = 0; i < copies.length; i++) {
      PackedPanels.Copy copy = copies[i];
      if (copy == null || !copy.isOf(matrices)) {
        copy = program.packed.get(i).of(matrices);
        copies[i] = copy;
      }
      long at = program.panels + i * ValueLayout.ADDRESS.byteSize();
      setAddress(at, copy.current().address());
    }
    if (scratch == null) {
      return;
    }
    MemorySegment memory = scratch.target();
    int draws = program.program.draws() * time;
    if (draws > 0) {
      MemorySegment.copy(seeds, 0, memory, ValueLayout.JAVA_LONG, 0, draws);
    }
    setAddress(recur_run.scratch$offset(), memory.address());
  }

  @Override
  public void forward(@Nullable Buffer scratch) {
    prepare("sequence", scratch);
    recur_run_forward(program.kernels.context(), its);
    Reference.reachabilityFence(this);
    Reference.reachabilityFence(scratch);
  }

  @Override
  public void backward(@Nullable Buffer scratch) {
    prepare("sequence backward", scratch);
    recur_run_backward(program.kernels.context(), its);
    Reference.reachabilityFence(this);
    Reference.reachabilityFence(scratch);
  }
}

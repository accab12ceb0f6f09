package io.recur.jmh;

import static io.recur.bindings.kernels.recur_h.RECUR_LOAD_VECTOR;
import static io.recur.bindings.kernels.recur_h.RECUR_MAP;
import static io.recur.bindings.kernels.recur_h.RECUR_PRODUCT;
import static io.recur.bindings.kernels.recur_h.RECUR_STORE;
import static io.recur.bindings.kernels.recur_h.recur_best;
import static io.recur.bindings.kernels.recur_h.recur_close;
import static io.recur.bindings.kernels.recur_h.recur_open;
import static io.recur.bindings.kernels.recur_h.recur_pack;
import static io.recur.bindings.kernels.recur_h.recur_packed;
import static io.recur.bindings.kernels.recur_h.recur_run_forward;
import static io.recur.bindings.kernels.recur_h.recur_run_scratch;
import static io.recur.bindings.openblas.cblas_h.CblasColMajor;
import static io.recur.bindings.openblas.cblas_h.CblasNoTrans;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemm;
import static io.recur.bindings.openblas.cblas_h.cblas_sgemv;

import io.recur.bindings.kernels.recur_array;
import io.recur.bindings.kernels.recur_instruction;
import io.recur.bindings.kernels.recur_multiplication;
import io.recur.bindings.kernels.recur_parameter;
import io.recur.bindings.kernels.recur_pass;
import io.recur.bindings.kernels.recur_phase;
import io.recur.bindings.kernels.recur_program;
import io.recur.bindings.kernels.recur_run;
import io.recur.bindings.kernels.recur_section;
import io.recur.bindings.openblas.cblas_h;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One native call as the library makes it, through the generated bindings and on one thread: {@code
 * sgemm} and {@code sgemv} of size × size, and {@code forward}, a program's step of an RNN of so
 * many units. Weights lie in memory as a model's, the rest in memory as a tape's.
 */
abstract class NativeCall implements AutoCloseable {
  final int n;
  private final Slab slab;

  private NativeCall(Device device, int n) {
    this.n = n;
    this.slab = KernelDevice.of(device).slab();
  }

  /** Whether a device runs the kernels in C. */
  static boolean hasKernels(Device device) {
    return !device.name().endsWith("kernels java)");
  }

  /** On a device of one thread. */
  static NativeCall of(String routine, int size, Device device) {
    return switch (routine) {
      case "sgemm" -> new Product(device, size);
      case "sgemv" -> new Vector(device, size);
      case "forward" -> new Forward(device, size);
      default -> throw new IllegalArgumentException("no such routine: " + routine);
    };
  }

  /** Makes the call so many times; each kind has its own loop, as C's side has. */
  abstract void call(int times);

  /** What the last call computed. */
  abstract float[] answer();

  /** The first values of the answer, in double precision. */
  abstract double[] reference();

  /** Multiply-adds of a call. */
  abstract long work();

  /** Makes the call once and compares. */
  final void check() {
    call(1);
    double[] expected = reference();
    Check.close(this + " " + n, Arrays.copyOf(answer(), expected.length), expected, 1e-4);
  }

  @Override
  public void close() {
    slab.close();
  }

  @Override
  public String toString() {
    return getClass().getSimpleName();
  }

  /** As a tape's values. */
  final Buffer taped(long floats, int seed) {
    Buffer buffer = slab.take(floats);
    buffer.write(filled(floats, seed));
    return buffer;
  }

  /** As a model's parameters. */
  static Buffer kept(Device device, long floats, int seed) {
    Buffer buffer = device.allocate(floats);
    buffer.write(filled(floats, seed));
    return buffer;
  }

  /** The values of {@code filled} in panama.c, bit for bit. */
  static float[] filled(long floats, int seed) {
    float[] values = new float[Math.toIntExact(floats)];
    for (int i = 0; i < values.length; i++) {
      int mixed = (i + seed * 7919) * (int) 2654435761L;
      mixed = (mixed ^ mixed >>> 15) * (int) 2246822519L;
      values[i] = (mixed >>> 8) * 0x1p-24f - 0.5f;
    }
    return values;
  }

  /** Of a times the first column of b. */
  private static double[] column(float[] a, float[] b, int n) {
    double[] y = new double[n];
    for (int k = 0; k < n; k++) {
      for (int i = 0; i < n; i++) {
        y[i] += (double) a[i + k * n] * b[k];
      }
    }
    return y;
  }

  private static final class Product extends NativeCall {
    private final MemorySegment a;
    private final MemorySegment b;
    private final Buffer c;

    Product(Device device, int n) {
      super(device, n);
      a = kept(device, (long) n * n, 1).segment();
      b = taped((long) n * n, 2).segment();
      c = taped((long) n * n, 3);
    }

    @Override
    void call(int times) {
      MemorySegment to = c.segment();
      for (int i = 0; i < times; i++) {
        cblas_sgemm(
            CblasColMajor(), CblasNoTrans(), CblasNoTrans(), n, n, n, 1, a, n, b, n, 0, to, n);
      }
    }

    @Override
    float[] answer() {
      return c.read();
    }

    @Override
    double[] reference() {
      return column(filled((long) n * n, 1), filled(n, 2), n);
    }

    @Override
    long work() {
      return (long) n * n * n;
    }
  }

  private static final class Vector extends NativeCall {
    private final MemorySegment a;
    private final MemorySegment x;
    private final Buffer y;

    Vector(Device device, int n) {
      super(device, n);
      a = kept(device, (long) n * n, 1).segment();
      x = taped(n, 2).segment();
      y = taped(n, 3);
    }

    @Override
    void call(int times) {
      MemorySegment to = y.segment();
      for (int i = 0; i < times; i++) {
        cblas_sgemv(CblasColMajor(), CblasNoTrans(), n, n, 1, a, n, x, 1, 0, to, 1);
      }
    }

    @Override
    float[] answer() {
      return y.read();
    }

    @Override
    double[] reference() {
      return column(filled((long) n * n, 1), filled(n, 2), n);
    }

    @Override
    long work() {
      return (long) n * n;
    }
  }

  /**
   * h' = tanh(Wi x + Wh h + b) with x of one value; {@code set_forward} of panama.c is the same.
   */
  private static final class Forward extends NativeCall {
    private final Arena tables = Arena.ofConfined();
    private final MemorySegment context;
    private final MemorySegment run;
    private final Buffer states;
    private final List<Buffer> weights =
        new ArrayList<>(); // the tables' addresses keep nothing alive

    Forward(Device device, int n) {
      super(device, n);
      context = recur_open(recur_best(), 1, cblas_h.cblas_sgemm$address());
      states = taped(2L * n, 5);
      weights.add(kept(device, n, 3));
      MemorySegment program = program();
      run = recur_run.allocate(tables);
      recur_run.program(run, program);
      recur_run.batch(run, 1);
      recur_run.time(run, 1);
      recur_run.arrays(run, recur_array.allocateArray(2, tables));
      array(0, states, 2, n);
      array(1, taped(1, 4), 1, 1);
      recur_run.vectors(run, recur_parameter.allocate(tables));
      recur_parameter.values(recur_run.vectors(run), weights.getLast().segment());
      recur_parameter.rows(recur_run.vectors(run), n);
      MemorySegment packed = tables.allocate(ValueLayout.ADDRESS, 2);
      packed.setAtIndex(ValueLayout.ADDRESS, 0, packed(device, n, 2));
      packed.setAtIndex(ValueLayout.ADDRESS, 1, packed(device, 1, 1));
      recur_run.packed(run, packed);
      long scratch = recur_run_scratch(context, program, 1, 1, 0);
      recur_run.scratch(run, taped(scratch, 0).segment());
    }

    /** One section of one phase. Arrays: h, x. */
    private MemorySegment program() {
      MemorySegment program = recur_program.allocate(tables);
      recur_program.instructions(program, recur_instruction.allocateArray(5, tables));
      instruction(program, 0, RECUR_LOAD_VECTOR(), 0, 0, 0);
      instruction(program, 1, RECUR_PRODUCT(), 0, 0, 0);
      instruction(program, 2, RECUR_PRODUCT(), 1, 0, 0);
      instruction(program, 3, RECUR_MAP(), 0, 0, 2);
      instruction(program, 4, RECUR_STORE(), 0, 1, 1);
      recur_program.products(program, recur_multiplication.allocateArray(2, tables));
      multiplication(program, 0, n);
      multiplication(program, 1, 1);
      recur_program.tiles(program, tables.allocate(ValueLayout.JAVA_INT));
      recur_program.sections(program, recur_section.allocate(tables));
      recur_section.rows(recur_program.sections(program), n);
      recur_section.after(recur_program.sections(program), 5);
      recur_program.phases(program, recur_phase.allocate(tables));
      recur_phase.sections(recur_program.phases(program), 1);
      recur_program.passes(program, recur_pass.allocateArray(3, tables));
      recur_pass.phases(recur_program.passes(program), 1);
      recur_pass.work(recur_program.passes(program), work());
      recur_program.arrays(program, 2);
      recur_program.most_tiles(program, 1);
      return program;
    }

    private static void instruction(
        MemorySegment program, int number, int code, int array, int lag, int length) {
      MemorySegment to = recur_instruction.asSlice(recur_program.instructions(program), number);
      recur_instruction.code(to, code);
      recur_instruction.function(to, code == RECUR_MAP() ? Elementwise.TANH.ordinal() : 0);
      recur_instruction.array(to, array);
      recur_instruction.lag(to, lag);
      recur_instruction.length(to, length);
    }

    /** Whose weights and operand have its number. */
    private static void multiplication(MemorySegment program, int number, int terms) {
      MemorySegment to = recur_multiplication.asSlice(recur_program.products(program), number);
      recur_multiplication.packed(to, number);
      recur_multiplication.panels(to, 1);
      recur_multiplication.terms(to, terms);
      recur_multiplication.operand(to, number);
    }

    private void array(int number, Buffer values, int steps, int rows) {
      MemorySegment to = recur_array.asSlice(recur_run.arrays(run), number);
      recur_array.data(to, values.segment());
      recur_array.steps(to, steps);
      recur_array.rows(to, rows);
    }

    private MemorySegment packed(Device device, int terms, int seed) {
      Buffer plain = kept(device, (long) n * terms, seed);
      Buffer to = device.allocate(recur_packed(context, 1, n, terms));
      recur_pack(context, 1, 0, n, terms, plain.segment(), 1, n, to.segment());
      weights.add(to);
      return to.segment();
    }

    @Override
    void call(int times) {
      for (int i = 0; i < times; i++) {
        recur_run_forward(context, run);
      }
    }

    @Override
    float[] answer() {
      return states.slice(n, n).read();
    }

    @Override
    double[] reference() {
      double[] y = column(filled((long) n * n, 2), filled(n, 5), n);
      float[] wi = filled(n, 1);
      float[] b = filled(n, 3);
      float x = filled(1, 4)[0];
      for (int i = 0; i < n; i++) {
        y[i] = Math.tanh(y[i] + (double) wi[i] * x + b[i]);
      }
      return y;
    }

    @Override
    long work() {
      return (long) n * n;
    }

    @Override
    public void close() {
      recur_close(context);
      tables.close();
      super.close();
    }
  }
}

package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.Guarded;
import io.recur.device.Pointwise;
import io.recur.device.UpdateRule;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.device.kernels.Arithmetic;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.KernelDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Passes so large that the team shares them: the bits are those of one thread, the same at every
 * call, and nothing outside the buffers changes.
 */
@Tag(Devices.CPU)
@ParameterizedClass
@MethodSource("sets")
class TeamTest {
  private static final int LARGE = 70_001;

  private final InstructionSet set;

  TeamTest(InstructionSet set) {
    this.set = set;
  }

  static Stream<InstructionSet> sets() {
    return Kernels.present().stream();
  }

  /** A kernel on fresh memory; gives what it wrote. */
  private interface Call {
    List<Guarded.Piece> run(Device device, Guarded memory);
  }

  private void check(String what, Call call) {
    try (Device one = new CpuDevice(set, 1);
        Device two = new CpuDevice(set, 2);
        Device three = new CpuDevice(set, 3)) {
      List<float[]> expected = results(one, call);
      for (Device device : List.of(one, two, two, three)) {
        List<float[]> actual = results(device, call);
        for (int i = 0; i < expected.size(); i++) {
          assertArrayEquals(expected.get(i), actual.get(i), what + " on " + device.name());
        }
      }
    }
  }

  private static List<float[]> results(Device device, Call call) {
    Guarded memory = new Guarded(device, 8);
    List<Guarded.Piece> written = call.run(device, memory);
    memory.check();
    return written.stream().map(Guarded.Piece::read).toList();
  }

  private interface Unary {
    void run(Pointwise pointwise, Buffer x, Buffer y);
  }

  private void checkUnary(String what, Unary kernel) {
    check(
        what,
        (device, memory) -> {
          Guarded.Piece x = memory.input(LARGE);
          Guarded.Piece y = memory.inOut(LARGE);
          kernel.run(device.pointwise(), x.buffer(), y.buffer());
          return List.of(y);
        });
  }

  @Test
  void passesOverValues() {
    checkUnary("fill", (p, x, y) -> p.fill(3, y, LARGE));
    checkUnary("copy", (p, x, y) -> p.copy(x, y, LARGE));
    checkUnary("scale", (p, x, y) -> p.scale(3, x, y, LARGE));
    checkUnary("addScaled", (p, x, y) -> p.addScaled(3, x, y, LARGE));
    checkUnary("multiply", (p, x, y) -> p.multiply(x, y, y, LARGE));
    checkUnary("addProduct", (p, x, y) -> p.addProduct(x, x, y, LARGE));
    checkUnary("addBroadcast", (p, x, y) -> p.addBroadcast(3, x, y, LARGE));
    checkUnary("drop", (p, x, y) -> p.drop(0.3f, 5, true, x, y, LARGE));
    checkUnary("sumInto", (p, x, y) -> p.sumInto(3, x, LARGE, y));
  }

  @Test
  void elementwiseFunctions() {
    for (Elementwise f : Elementwise.values()) {
      checkUnary(f.label(), (p, x, y) -> p.map(f, x, y, LARGE));
      checkUnary(f.label() + "'", (p, x, y) -> p.addDerivative(f, x, x, x, y, LARGE));
    }
  }

  @Test
  void sumsInDouble() {
    try (Device one = new CpuDevice(set, 1);
        Device two = new CpuDevice(set, 2)) {
      Buffer x = new Guarded(one, 8).input(LARGE).buffer();
      Buffer same = new Guarded(two, 8).input(LARGE).buffer();
      assertEquals(one.pointwise().sum(x, LARGE), two.pointwise().sum(same, LARGE));
      double squares = two.pointwise().sumOfSquares(same, LARGE);
      assertEquals(one.pointwise().sumOfSquares(x, LARGE), squares);
      assertEquals(squares, two.pointwise().sumOfSquares(same, LARGE));
    }
  }

  private interface OnColumns {
    void run(Columns columns, int m, int n, Buffer x, Buffer b, Buffer index, Buffer y);
  }

  /** x and y m×n, b of m values, indexes below 7 and m; y may be read as m×7. */
  private void checkColumns(String what, OnColumns kernel) {
    for (int[] size : new int[][] {{300, 300}, {1000, 70}, {70_003, 2}, {3, 30_001}}) {
      int m = size[0];
      int n = size[1];
      check(
          what + " " + m + "×" + n,
          (device, memory) -> {
            Guarded.Piece x = memory.input(m * n);
            Guarded.Piece b = memory.input(m);
            Guarded.Piece index = memory.indexes(n, Math.min(Math.min(m, n), 7));
            Guarded.Piece y = memory.inOut(m * n);
            kernel.run(device.columns(), m, n, x.buffer(), b.buffer(), index.buffer(), y.buffer());
            return List.of(y);
          });
    }
  }

  @Test
  void passesOverColumns() {
    checkColumns("add", (c, m, n, x, b, index, y) -> c.add(m, n, x, b, y));
    checkColumns("addSum", (c, m, n, x, b, index, y) -> c.addSum(m, n, x, y));
    checkColumns("repeat", (c, m, n, x, b, index, y) -> c.repeat(m, n, b, y));
    checkColumns("block", (c, m, n, x, b, index, y) -> c.block(m - 1, n, x, m, true, y, m));
    checkColumns("gather", (c, m, n, x, b, index, y) -> c.gather(m, n, x, index, b, y));
    checkColumns("scatterAdd", (c, m, n, x, b, index, y) -> c.scatterAdd(m, n, x, index, y));
    for (boolean log : new boolean[] {false, true}) {
      checkColumns("softmax", (c, m, n, x, b, index, y) -> c.softmax(m, n, log, x, y));
      checkColumns(
          "derivative", (c, m, n, x, b, index, y) -> c.addSoftmaxDerivative(m, n, log, x, x, y));
    }
    checkColumns(
        "crossEntropyDerivative",
        (c, m, n, x, b, index, y) -> c.addCrossEntropyDerivative(m, n, x, index, b, y));
  }

  /** b repeated over the columns, over the rows, and over both. */
  @Test
  void functionsOfTwoValues() {
    for (Binary f : Binary.values()) {
      for (int[] size : new int[][] {{300, 300}, {70_003, 2}, {3, 30_001}, {1, 90_000}}) {
        int m = size[0];
        int n = size[1];
        check(
            f + " " + m + "×" + n,
            (device, memory) -> {
              Arithmetic arithmetic = KernelDevice.of(device).arithmetic();
              Buffer a = memory.input(m * n).buffer();
              Buffer b = memory.input(m + n).buffer();
              Guarded.Piece y = memory.inOut(m * n);
              Guarded.Piece z = memory.inOut(m * n);
              Guarded.Piece d = memory.inOut(m * n);
              arithmetic.apply(f, m, n, a, m, n, b, m, 1, y.buffer());
              arithmetic.apply(f, m, n, b, 1, n, a, m, n, z.buffer());
              arithmetic.derivative(f, true, true, m, n, a, m, n, b, 1, 1, a, d.buffer());
              return List.of(y, z, d);
            });
      }
    }
  }

  @Test
  void crossEntropy() {
    int m = 300;
    int n = 300;
    check(
        "crossEntropy",
        (device, memory) -> {
          Guarded.Piece x = memory.input(m * n);
          Guarded.Piece index = memory.indexes(n, m);
          Guarded.Piece p = memory.output(m * n);
          Guarded.Piece loss = memory.output(1);
          device
              .columns()
              .crossEntropy(m, n, x.buffer(), index.buffer(), p.buffer(), loss.buffer());
          return List.of(p, loss);
        });
  }

  @Test
  void optimisers() {
    float[] settings = {0.01f, 0.9f, 0.99f, 1e-3f, 1.5f, 0.99f};
    for (UpdateRule rule : UpdateRule.values()) {
      check(
          rule.name(),
          (device, memory) -> {
            List<Guarded.Piece> all = new ArrayList<>();
            for (int i = 0; i < 2 + rule.slots(); i++) {
              float[] values = memory.floats(LARGE);
              for (int j = 0; j < LARGE; j++) {
                values[j] = i < 2 ? values[j] : Math.abs(values[j]);
              }
              all.add(memory.inOut(values));
            }
            Buffer[] buffers = all.stream().map(Guarded.Piece::buffer).toArray(Buffer[]::new);
            Buffer[] slots = Arrays.copyOfRange(buffers, 2, buffers.length);
            KernelDevice.of(device)
                .updates()
                .update(rule, settings, buffers[0], buffers[1], slots, LARGE);
            return all;
          });
    }
  }

  @Test
  void aBufferTooShortOrAnIndexTooLargeThrows() {
    try (Device device = new CpuDevice(set, 2)) {
      Buffer x = device.allocate(8);
      Buffer short7 = device.allocate(7);
      Pointwise pointwise = device.pointwise();
      Class<IndexOutOfBoundsException> bounds = IndexOutOfBoundsException.class;
      assertThrows(bounds, () -> pointwise.copy(x, short7, 8));
      assertThrows(bounds, () -> pointwise.map(Elementwise.TANH, short7, x, 8));
      assertThrows(bounds, () -> device.columns().softmax(4, 2, false, short7, x));
      Buffer index = device.allocate(1);
      for (int wrong : new int[] {-1, 4}) {
        index.writeIndexes(wrong);
        assertThrows(bounds, () -> device.columns().gather(2, 1, x, index, null, short7));
        assertThrows(bounds, () -> device.columns().scatterAdd(2, 1, short7, index, x));
      }
    }
  }
}
